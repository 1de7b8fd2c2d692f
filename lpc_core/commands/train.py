"""``lpc train``: one run in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpc_core.commands._arguments import Device, Settings, check_outputs, names, run_of
from lpc_core.files.plain_json import dumps

_SHOWN = ("loss,train_accuracy,test_accuracy,norm_mean,predicted_radius,within_class_spread,nc1_pinv,"
          "separation_ratio")

if TYPE_CHECKING:
    from torch import Tensor

    from lpc_core.engine.trainer import Trainer


def train(  # noqa: PLR0917
    settings: Settings = None,
    every: Annotated[int, typer.Option(min=1, help="Steps between printed lines.")] = 250,
    show: Annotated[str, typer.Option(help="Metrics in the table, with commas between.")] = _SHOWN,
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
    weights: Annotated[Path | None, typer.Option(help="Start from the weights in this file: of a network of this lab, "
                                                      "or of a ResNet in the method authors' layout.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the finished run here (safetensors).")] = None,
) -> None:
    """Train one run and print its metrics as it goes."""
    from lpc_core.engine.cost import check_fits, cost_of
    from lpc_core.engine.trainer import Trainer
    from lpc_core.files.writing import write_whole

    config = run_of(settings, device)
    check_outputs(out=out)
    check_fits(cost_of(config))
    run = Trainer(config, device, every=every)
    if weights is not None:
        run.start_from(_opened(weights, run))
    columns = ("step", "gamma", *names(show))
    for line, snapshot in enumerate(run):
        numbers = {"step": snapshot.step, "gamma": snapshot.gamma, **snapshot.metrics}
        if not (line or as_json):
            print(_head(columns, numbers))
        print(dumps(numbers) if as_json else _row(numbers, columns), flush=True)
    if out is not None:
        write_whole(out, run.state_bytes())
    if run.diverged:
        raise ValueError(run.reason)


def _opened(path: Path, run: Trainer) -> dict[str, Tensor]:
    """The weights in a file for the network of ``run``."""
    from lpc_core.checkpoint import Checkpoint, open_file
    from lpc_core.inspection import transferred

    file = open_file(path)
    if not isinstance(file, Checkpoint):
        raise ValueError(f"weights: expected a checkpoint, got {type(file).__name__.lower()} in {path}; choose another "
                         "file")
    return transferred(file, run.model)


def _head(columns: Sequence[str], numbers: dict[str, float]) -> str:
    for name in columns:
        if name not in numbers:
            raise ValueError(f"show: expected some of {', '.join(numbers)}, got {name[:60]!r}; correct the name")
    return " ".join(f"{name[:12]:>12}" for name in columns)


def _row(numbers: dict[str, float], columns: Sequence[str]) -> str:
    return " ".join(f"{numbers[name]:>12.5g}" for name in columns)


COMMAND = train
