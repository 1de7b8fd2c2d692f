"""``lpc measure``: every quantity of the paper on the embeddings in a file, or on those of a saved run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lpc_core.commands import _inspect_options as options
from lpc_core.commands._shared import names, progress
from lpc_core.files.plain_json import dumps
from lpc_core.files.spreadsheet import table
from lpc_core.progress import Progress

if TYPE_CHECKING:
    from lpc_core.checkpoint import Embeddings
    from lpc_core.metrics import Reading
    from lpc_core.saved_run import SavedRun

BATCH = 1_000  # samples of a run put through its model at once


Split = Literal["train", "test"]


def measure(  # noqa: PLR0917
    file: Annotated[Path, typer.Argument(help="Embeddings with labels (npz, structured npy, csv, parquet, safetensors, "
                                              "torch), or a run that `lpc train --out` wrote.")],
    labels: Annotated[str | None, typer.Option(help="Name of the labels' array or column, where it is not the usual "
                                                    "one.")] = None,
    pick: options.Pick = None, unlabelled: options.Unlabelled = "leave out",
    only: Annotated[str | None, typer.Option(help="Quantities wanted, with commas between: nc1_pinv,norm_cv.")] = None,
    split: Annotated[Split, typer.Option(help="Of a run: the samples it is measured on.")] = "train",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table of comma-separated values.")] = False,
) -> None:
    """Measure the collapse of embeddings: every quantity with its noise floor, and why one is missing."""
    if as_json and as_csv:
        raise ValueError("expected --json or --csv, got both; choose one")
    wanted = None if only is None else _wanted(only)
    if unlabelled not in ("leave out", "keep"):
        raise ValueError(f"unlabelled: expected leave out or keep, got {unlabelled!r}; choose one of them")
    picked = ({} if labels is None else {"labels": labels}) | options.picked_roles(pick or [])
    with progress("reading") as tell:
        found = _open(file, picked, unlabelled == "keep", split, tell)
        readings = _readings(found, wanted, tell)
    if as_json:
        print(_json(file, found, readings))
    elif as_csv:
        _csv(readings)
    else:
        _table(file, found, readings)


def _wanted(only: str) -> list[str]:
    """The names in ``only``; one that does not exist is refused before the file is read."""
    from lpc_core.metrics import names as known

    given = list(dict.fromkeys(names(only)))
    unknown = [name for name in given if name not in known()]
    if unknown or not given:
        raise ValueError(f"only: expected some of {', '.join(known())}, got "
                         f"{', '.join(map(repr, unknown)) or 'no name'}; correct it")
    return given


def _open(file: Path, picked: dict[str, Any], keep: bool, split: Split, tell: Progress) -> Embeddings:
    from lpc_core.checkpoint import Checkpoint, Embeddings, FileRefused, open_file

    if not file.is_dir():
        found = open_file(file, picked=picked, keep_unlabelled=keep)
        if isinstance(found, Embeddings):
            return found
        if not (isinstance(found, Checkpoint) and "run" in found.metadata):
            what = f"a checkpoint ({found.format})" if isinstance(found, Checkpoint) else "a film"
            raise FileRefused(f"expected embeddings with labels or a run, got {what}; `lpc inspect` runs a checkpoint "
                              "on data, the lab plays films")
    from lpc_core.saved_run import open_run

    run = open_run(file)
    tell(0.0, f"running the model of step {run.step:,}")
    return _of_run(run, split)


def _of_run(run: SavedRun, split: Split) -> Embeddings:
    """What the run's model makes of its own data."""
    import torch

    from lpc_core.checkpoint import Embeddings

    data, model = run.dataset, run.model
    inputs, labels = run.samples(split)
    with torch.no_grad():
        parts = [model(batch) for batch in inputs.split(BATCH)]
    logits, latents = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
    weight, bias = (parameter.detach().numpy() for parameter in (model.head.weight, model.head.bias))
    note = f"{len(labels):,} {split} samples of {data.name} through the run's model at step {run.step:,}"
    return Embeddings(latents, labels, data.class_names, logits.argmax(1), logits, weight, bias, notes=(note,))


def _readings(found: Embeddings, wanted: list[str] | None, tell: Progress) -> dict[str, Reading]:
    from lpc_core.metrics import readings

    size = f"{len(found.latents):,} × {found.latents.shape[1]:,}"
    return readings(found.latents, found.labels, found.predictions, found.logits, found.weight, found.bias, wanted,
                    progress=lambda share, what: tell(share, f"measuring {size}: {what}"))


# ---- what is printed ---------------------------------------------------------------------------------------------


def _json(file: Path, found: Embeddings, readings: dict[str, Reading]) -> str:
    shown = {name: {"value": reading.value, "floor": reading.floor, "at_floor": reading.at_floor,
                    "reason": reading.reason} for name, reading in readings.items()}
    return dumps({"file": str(file), "samples": len(found.latents), "nodes": found.latents.shape[1],
                  "class_names": found.class_names, "notes": found.notes, "warnings": found.warnings,
                  "unlabelled": found.unlabelled, "readings": shown})


def _csv(readings: dict[str, Reading]) -> None:
    """Columns name, value, floor, at_floor, reason; an undefined value is empty. No text of the file is in it."""
    rows = ((name, found.value, found.floor, found.at_floor, found.reason) for name, found in readings.items())
    print(table(("name", "value", "floor", "at_floor", "reason"), rows, end="\n"), end="")


def _table(file: Path, found: Embeddings, readings: dict[str, Reading]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from lpc_core.files.words import printable
    from lpc_core.metrics import METRICS

    console = Console()
    console.print(Text(f"{printable(file.name)}: {len(found.latents):,} samples, {found.latents.shape[1]:,} nodes, "
                       f"{len(found.class_names):,} classes"))
    for note in found.notes:
        console.print(Text(f"  {printable(note, 200)}"))
    for warning in options.warned(found):
        console.print(Text(f"  warning: {printable(warning, 400)}"))
    table = Table(Column("quantity", no_wrap=True), Column("value", no_wrap=True, justify="right"),
                  Column("", no_wrap=True), "what it says", box=SIMPLE)
    for name, reading in readings.items():
        meaning = METRICS[name].meaning if name in METRICS else ""
        said = Text("\n".join(filter(None, (reading.reason, meaning))))
        value = "undefined" if math.isnan(reading.value) else f"{reading.value:.6g}"
        table.add_row(name, value, "≤ floor" if reading.at_floor else "", said)
    console.print(table)


COMMAND = measure
