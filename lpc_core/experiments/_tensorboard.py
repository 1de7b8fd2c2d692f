"""Runs of a store as TensorBoard reads them, by its own writer: every look's numbers, settings, and the end's.

Needs the extra ``tensorboard``.
"""

from __future__ import annotations

import calendar
import importlib
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lpc_core.experiments._store import StoredRun, StoreError, writing
from lpc_core.experiments._summaries import QUANTITIES, value_of

NO_CURVES = ("epoch", "step", "seconds")


def export_tensorboard(runs: Sequence[StoredRun], folder: Path) -> None:
    """Write ``runs`` into the new or empty ``folder``, one below it for each.

    The axis is the training step, time that of the run's first start plus its seconds of training. `StoreError` for a
    folder that holds something, for which TensorBoard would draw every curve twice, and where the package is missing.
    """
    make = _writer()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise StoreError(f"out: expected a new or empty folder, got {folder} with something in it; name another")
    for run in runs:
        with writing(folder):
            _write(make, run, folder / run.planned.name)


def _writer() -> Any:
    try:
        return importlib.import_module("torch.utils.tensorboard").SummaryWriter
    except ImportError:
        raise StoreError("out: expected the package tensorboard, which writes its files, got none; "
                         "pip install 'lpc-lab[tensorboard]'") from None


def _write(make: Any, run: StoredRun, folder: Path) -> None:
    begin = calendar.timegm(time.strptime(run.about["starts"][0]["time"], "%Y-%m-%dT%H:%M:%SZ"))
    with make(str(folder)) as writer:
        for line in run.epochs():
            for name in line.keys() - {*NO_CURVES}:
                if line[name] is not None and math.isfinite(line[name]):
                    writer.add_scalar(name, line[name], line["step"], walltime=begin + line["seconds"])
        if run.report is not None and not run.diverged:
            ends = {f"end/{name}": value for name in QUANTITIES if math.isfinite(value := value_of(run, name))}
            settings = {name: value if isinstance(value, bool | int | float | str) else str(value)
                        for name, value in run.about["config"].items()}
            writer.add_hparams(settings, ends, run_name=".")
