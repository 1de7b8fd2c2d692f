"""``lpc train``: one run in the terminal."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from lpc_core.commands._arguments import Device, Settings, check_outputs, run_of
from lpc_core.files.plain_json import dumps


def train(
    settings: Settings = None,
    every: Annotated[int, typer.Option(min=1, help="Steps between printed lines.")] = 250,
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the finished run here (safetensors).")] = None,
) -> None:
    """Train one run and print its metrics as it goes."""
    from lpc_core.engine.cost import check_fits, cost_of
    from lpc_core.engine.trainer import Trainer
    from lpc_core.files.writing import write_whole

    config = run_of(settings)
    check_outputs(out=out)
    check_fits(cost_of(config))
    run = Trainer(config, device, every=every)
    if not as_json:
        print(_HEAD)
    for snapshot in run:
        numbers = {"step": snapshot.step, "gamma": snapshot.gamma, **snapshot.metrics}
        print(dumps(numbers) if as_json else _row(numbers), flush=True)
    if out is not None:
        write_whole(out, run.state_bytes())
    if run.diverged:
        raise ValueError(run.reason)


_COLUMNS = ("step", "gamma", "loss", "train_accuracy", "test_accuracy", "norm_mean", "predicted_radius",
            "within_class_spread", "nc1_pinv", "separation_ratio")
_HEAD = " ".join(f"{name[:12]:>12}" for name in _COLUMNS)


def _row(numbers: dict[str, float]) -> str:
    return " ".join(f"{numbers.get(name, math.nan):>12.5g}" for name in _COLUMNS)


COMMAND = train
