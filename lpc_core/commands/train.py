"""``lpc train``: one run in the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpc_core.commands._shared import Device, Settings, check_outputs, names, run_of
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
    processes: Annotated[int, typer.Option(min=1, max=64, help="Train in so many processes, each with its share of "
                                                               "every batch; on GPUs one each.")] = 1,
    weights: Annotated[Path | None, typer.Option(help="Start from the weights in this file: of a network of this lab, "
                                                      "or of a ResNet in the method authors' layout.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the finished run here (safetensors).")] = None,
) -> None:
    """Train one run and print its metrics as it goes."""
    from lpc_core.engine.cost import check_fits, cost_of
    from lpc_core.engine.devices import device_note, pick_device
    from lpc_core.engine.parallel import Share, launch, own_device, share, together
    from lpc_core.engine.trainer import Trainer
    from lpc_core.files.writing import write_whole

    target = pick_device(device)
    config, part = run_of(settings, device), share()
    check_outputs(out=out)
    if note := device_note(device):
        print(note, file=sys.stderr)
    if target.type == "cpu":
        check_fits(cost_of(config), processes=part.processes if part else processes)
    if processes > 1 and part is None:
        Share(0, processes).check(config)
        raise typer.Exit(launch(sys.argv[1:], processes))
    place = own_device(device) if part else device
    with together(part, pick_device(place)) if part else contextlib.nullcontext():
        run = Trainer(config, place, every=every, share=part, patient=True)
        if weights is not None:
            run.start_from(_opened(weights, run))
        _loop(run, names(show), as_json, quiet=part is not None and part.rank > 0)
        if out is not None and (part is None or part.rank == 0):
            write_whole(out, run.state_bytes())
    if run.diverged:
        raise ValueError(run.reason)


def _loop(run: Trainer, shown: Sequence[str], as_json: bool, quiet: bool) -> None:
    """Train to the end, a line per snapshot; ``quiet`` says nothing."""
    columns = ("step", "gamma", *shown)
    for line, snapshot in enumerate(run):
        numbers = {"step": snapshot.step, "gamma": snapshot.gamma, **snapshot.metrics}
        if quiet:
            continue
        if not (line or as_json):
            print(_head(columns, numbers))
        row = dumps(numbers) if as_json else " ".join(f"{numbers[name]:>12.5g}" for name in columns)
        print(row, flush=True)


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


COMMAND = train
