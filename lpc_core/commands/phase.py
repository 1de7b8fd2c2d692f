"""``lpc phase``: γ × head learning rate, one run per cell: collapsed, separated, or totally collapsed."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpc_core.commands._arguments import Settings, check_outputs, one_thread, run_of
from lpc_core.commands._progress import progress
from lpc_core.files.plain_json import dumps

if TYPE_CHECKING:
    from lpc_core.config import RunConfig
    from lpc_core.experiments import PhaseCell

INKS = {"collapsed": "green", "separated": "blue", "not fitted": "yellow", "totally collapsed": "red",
        "guessing": "red", "diverged": "magenta"}
ENDINGS = (".csv", ".json")
DIAGRAMS = "phase"  # of a store


def phase(  # noqa: PLR0917
    settings: Settings = None,
    gammas: Annotated[str, typer.Option(help="From:to:how many, evenly on a log scale, or a list.")] = "1e-3:1e5:16",
    head_lrs: Annotated[str, typer.Option(help="The same for the head's learning rate.")] = "1e-4:0.1:16",
    out: Annotated[Path | None, typer.Option(help="Write every cell here: .csv or .json.")] = None,
    processes: Annotated[int, typer.Option(min=0, help="How many train side by side; 0: as many as there are "
                                                       "cores.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object per cell, and per step of "
                                                         "progress.")] = False,
) -> None:
    """Train one run per γ and head learning rate, and draw where classes collapse to points and where all is lost."""
    if out is not None and out.suffix not in ENDINGS:
        raise ValueError(f"out: expected a name that ends in {' or '.join(ENDINGS)}, got {out.name}")
    from lpc_core.film import FilmError, parse_gammas

    strengths = parse_gammas(gammas).tolist()
    try:
        rates = parse_gammas(head_lrs).tolist()
    except FilmError as error:
        raise ValueError(f"head-lrs{str(error).removeprefix('gammas')}") from None
    config = run_of(settings, "cpu")
    if out is not None:
        _make_room(out.parent)
    check_outputs(out=out)
    one_thread()
    from lpc_core.experiments import phase_diagram
    from lpc_core.machine import cores

    with progress("phase diagram", as_json) as tell:
        cells = []
        for cell in phase_diagram(config, strengths, rates, progress=tell, processes=processes or cores()):
            cells.append(cell)
            if as_json:
                print(dumps({"cell": asdict(cell)}), flush=True)
    if out is not None:
        _write(config, cells, out)
    if not as_json:
        _print(cells, rates)


def _make_room(folder: Path) -> None:
    """Make a store's folder of diagrams, which the lab's page shows, where it is missing; no other folder."""
    from lpc_core.experiments import Store, StoreError

    if folder.name == DIAGRAMS and not folder.exists():
        with contextlib.suppress(StoreError):  # no store: refused like any folder that is missing
            Store(folder.parent, create=not folder.parent.exists())
            folder.mkdir()


def _write(config: RunConfig, cells: list[PhaseCell], out: Path) -> None:
    from lpc_core.config import flatten
    from lpc_core.experiments import as_lines
    from lpc_core.files.spreadsheet import table
    from lpc_core.files.writing import write_whole

    lines = as_lines(cells)
    write_whole(out, (table(lines[0], (line.values() for line in lines)) if out.suffix == ".csv" else
                      dumps({"settings": flatten(config), "cells": lines})).encode())


def _print(cells: list[PhaseCell], rates: list[float]) -> None:
    from rich.console import Console

    from lpc_core.experiments import MARKS

    console = Console(highlight=False)
    for rate in sorted(rates, reverse=True):
        row = [cell for cell in cells if cell.head_lr == rate]
        console.print(f"head lr {rate:8.2g} " + " ".join(f"[{INKS[cell.phase]}]{MARKS[cell.phase]}[/]" for cell in row))
    console.print(f"{'γ':>16} {cells[0].gamma:.2g} … {cells[len(cells) // len(rates) - 1].gamma:.2g}")
    console.print("   ".join(f"[{INKS[name]}]{mark}[/] {name}" for name, mark in MARKS.items()))


COMMAND = phase
