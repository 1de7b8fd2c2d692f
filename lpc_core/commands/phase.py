"""``lpc phase``: γ × head learning rate, one run per cell: collapsed, separated, or totally collapsed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpc_core.commands._arguments import Settings, check_outputs, run_of
from lpc_core.commands._progress import progress
from lpc_core.files.plain_json import dumps

if TYPE_CHECKING:
    from lpc_core.experiments import PhaseCell

MARKS = {"collapsed": ("●", "green"), "separated": ("○", "blue"), "not fitted": ("·", "yellow"),
         "totally collapsed": ("×", "red"), "guessing": ("?", "red"), "diverged": ("!", "magenta")}
ENDINGS = (".csv", ".json")


def phase(
    settings: Settings = None,
    gammas: Annotated[str, typer.Option(help="From:to:how many, evenly on a log scale, or a list.")] = "1e-3:1e5:16",
    head_lrs: Annotated[str, typer.Option(help="The same for the head's learning rate.")] = "1e-4:0.1:16",
    out: Annotated[Path | None, typer.Option(help="Write every cell here: .csv or .json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every cell as JSON; progress goes to stderr.")] = False,
) -> None:
    """Train one run per γ and head learning rate, and draw where classes collapse to points and where all is lost."""
    check_outputs(out=out)
    if out is not None and out.suffix not in ENDINGS:
        raise ValueError(f"out: expected a name that ends in {' or '.join(ENDINGS)}, got {out.name}")
    from lpc_core.film import parse_gammas

    strengths, rates = parse_gammas(gammas).tolist(), parse_gammas(head_lrs).tolist()
    config = run_of(settings, "cpu")
    import torch

    torch.set_num_threads(1)  # small matrices: two threads on two busy cores are many times slower
    from lpc_core.experiments import phase_diagram

    with progress("phase diagram") as tell:
        cells = list(phase_diagram(config, strengths, rates, progress=tell))
    if out is not None:
        _write(cells, out)
    _print(cells, rates, as_json)


def _write(cells: list[PhaseCell], out: Path) -> None:
    from lpc_core.experiments import as_lines
    from lpc_core.files.spreadsheet import table
    from lpc_core.files.writing import write_whole

    lines = as_lines(cells)
    write_whole(out, (table(lines, list(lines[0])) if out.suffix == ".csv" else dumps(lines)).encode())


def _print(cells: list[PhaseCell], rates: list[float], as_json: bool) -> None:
    if as_json:
        from lpc_core.experiments import as_lines

        print(dumps(as_lines(cells)))
        return
    from rich.console import Console

    console = Console(highlight=False)
    for rate in sorted(rates, reverse=True):
        row = [cell for cell in cells if cell.head_lr == rate]
        console.print(f"head lr {rate:8.2g} " + " ".join(f"[{MARKS[cell.phase][1]}]{MARKS[cell.phase][0]}[/]"
                                                          for cell in row))
    console.print(f"{'γ':>16} {cells[0].gamma:.2g} … {cells[len(cells) // len(rates) - 1].gamma:.2g}")
    console.print("   ".join(f"[{ink}]{mark}[/] {name}" for name, (mark, ink) in MARKS.items()))


COMMAND = phase
