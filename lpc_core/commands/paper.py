"""``lpc paper``: the paper's rows by name: run them, and see its tables and figures beside one's own numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lpc_core.commands._arguments import Device, check_outputs, pairs
from lpc_core.files.plain_json import dumps

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import TaskID

    from lpc_core.experiments import Outcome, PaperTable, Planned, Store, Verdict

StoreFolder = Annotated[Path, typer.Option("--store", envvar="LPC_STORE", help="The folder of the runs.")]
Only = Annotated[str | None, typer.Option("--data", help="Only rows of this data set, such as digits.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_STORE = Path("lpc-store")

COMMAND = typer.Typer(no_args_is_help=True, help="Run the paper's rows by name; see its tables beside yours.")


@COMMAND.command("list")
def list_rows(
    data: Annotated[str | None, typer.Argument(help="Only rows of this data set.")] = None,
    options: Annotated[bool, typer.Option("--options", help="Explain the options of a row instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Name every row of every published generation, with what it trains and where it is from."""
    from lpc_core.experiments import OPTIONS, all_rows, check_data

    if options:
        print(dumps(OPTIONS) if as_json else "\n".join(f"{name}: {words}" for name, words in OPTIONS.items()))
        return
    check_data(data)
    found = [row for row in all_rows().values() if data in (None, row.data)]
    if as_json:
        print(dumps([{"row": row.key, "title": row.title, "source": row.source, "epochs": row.epochs,
                      "settings": row.settings, "gamma": None if row.gamma is None else row.gamma.end, "lrs": row.lrs,
                      "repeats": row.repeats, "notes": row.notes, "obstacle": row.obstacle} for row in found]))
        return
    from rich.console import Console
    from rich.table import Column, Table

    whole = (Column(title, no_wrap=True, min_width=max(len(title), longest)) for title, longest in (
        ("row", max((len(row.key) for row in found), default=0)), ("epochs", 0), ("γ to", 7), ("nodes", 0)))
    first, *numbers = whole
    shown = Table(first, "what", *numbers, "source", padding=(0, 0))
    for row in found:
        given = row.all_settings
        nodes = "–" if given["penultimate"] == "none" else str(given["latent_dim"])
        shown.add_row(row.key, row.title + (" (cannot be trained here)" if row.obstacle else ""), str(row.epochs),
                      "–" if row.gamma is None else f"{row.gamma.at(row.epochs):.3g}", nodes,
                      row.source)
    Console().print(shown)


@COMMAND.command("run")
def run(  # noqa: PLR0917
    rows: Annotated[list[str], typer.Argument(help="DATA/ROW, DATA/ROW@GENERATION or DATA/all; see `lpc paper list`.")],
    seeds: Annotated[int, typer.Option(help="How many, from --first-seed on.")] = 1,
    first_seed: Annotated[int, typer.Option(help="The first seed.")] = 0,
    scale: Annotated[float, typer.Option(help="Share of the row's epochs to train.")] = 1.0,
    option: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="What published versions do "
                                                     "differently, see `lpc paper list --options`.")] = None,
    on: Annotated[str, typer.Option(help="here, processes:N, ray (this machine) or ray:HOST:PORT.")] = "here",
    device: Device = "auto",
    store: StoreFolder = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Train rows and measure them; what is done already is not done again, and what was cut off goes on."""
    from lpc_core.experiments import Store, plan, run_all

    options = pairs("option", option, "; see `lpc paper list --options`")
    runs = plan(rows, seeds, first_seed=first_seed, scale=scale, options=options)
    bar = _Bars(runs)
    outcomes = run_all(runs, store, on=on, device=device, tell=lambda: bar.move(Store(store)))
    failed = 0
    with bar.shown:
        for outcome in outcomes:
            failed += outcome.status == "failed"
            bar.ended(outcome, as_json)
    if failed:
        raise ValueError(f"expected all {len(runs)} runs to end well, got {failed} that failed (see above); mend that "
                         "and give the command again")


class _Bars:
    """One bar for all runs and one for each that is going on, where stderr is a terminal; a line per run that ended."""

    def __init__(self, runs: list[Planned]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.runs, self.console = runs, Console(stderr=True)
        self.shown = Progress(BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
                             console=self.console, transient=True, disable=not self.console.is_terminal)
        self.all = self.shown.add_task("runs", total=len(runs))
        self.each: dict[Planned, TaskID] = {}
        self.over: set[Planned] = set()

    def move(self, store: Store) -> None:
        """Show how far each run is."""
        for run in self.runs if self.console.is_terminal else ():
            share, what = store.progress(run)
            if 0 < share < 1 and run not in self.over:
                if run not in self.each:
                    self.each[run] = self.shown.add_task(run.name, total=1.0)
                self.shown.update(self.each[run], completed=share, description=f"{run.name}: {what}")

    def ended(self, outcome: Outcome, as_json: bool) -> None:
        """Say how one ended."""
        self.over.add(outcome.run)
        if outcome.run in self.each:
            self.shown.remove_task(self.each.pop(outcome.run))
        self.shown.advance(self.all)
        if as_json:
            print(dumps({"run": outcome.run.name, "status": outcome.status, "reason": outcome.reason}), flush=True)
        else:
            print(f"{outcome.run.name}: {outcome.status}{': ' if outcome.reason else ''}{outcome.reason}", flush=True)


@COMMAND.command("table")
def table(
    number: Annotated[int, typer.Argument(help="1 robustness, 2 collapse, 3 reliability, 4 information and theory, "
                                                 "5 retrieval.")],
    data: Only = None, store: StoreFolder = DEFAULT_STORE, as_json: AsJson = False,
    claims: Annotated[bool, typer.Option(help="The verdict on each claim below the table.")] = True,
) -> None:
    """Print a table: the paper's value, yours as mean ± std over seeds, and a verdict per claim."""
    from lpc_core.experiments import Store, families, grouped, verdicts
    from lpc_core.experiments import table as table_of

    table_of(number, ())  # which refuses another number, whatever the store holds
    found = {name: (table_of(number, each), verdicts(each, number) if claims else [])
             for name, each in families(grouped(Store(store).runs(data))).items()}
    if as_json:
        print(dumps({name: {"table": each.number, "title": each.title, "rows": [
            {"row": row.label, "seeds": row.seeds, "note": row.note,
             **{key: vars(cell) for key, cell in row.cells.items()}} for row in each.rows],
            "verdicts": [vars(verdict) for verdict in judged]}
            for name, (each, judged) in found.items()}))
        return
    from rich.console import Console

    console = Console(highlight=False)
    for name, (each, judged) in found.items():
        _show_table(console, name, each)
        if judged:
            _show_verdicts(console, judged)
    if not found:
        console.print("no finished runs yet; `lpc paper run` makes them")


def _show_table(console: Console, name: str, found: PaperTable) -> None:
    from rich.table import Table

    from lpc_core.experiments import SOURCE, in_words, paper_in_words

    shown = Table(title=f"Table {found.number}, {name}. {found.title}", title_justify="left")
    shown.add_column("row", no_wrap=True)
    for title in ("seeds", *found.columns.values()):
        shown.add_column(title)
    for row in found.rows:
        said = [(in_words(cell), paper_in_words(cell)) for cell in row.cells.values()]
        shown.add_row(row.label.partition("/")[2].partition(" ")[0], str(row.seeds),
                      *(f"{own}\n[dim]paper {paper}[/]" if paper else own for own, paper in said))
    console.print(shown)
    if any(cell.paper is not None for row in found.rows for cell in row.cells.values()):
        console.print(f"paper: {SOURCE}; beside a stand-in, the same row on CIFAR-10", style="dim")
    for note in dict.fromkeys(f"{row.label}: {row.note}" for row in found.rows if row.note):
        console.print(note, style="dim")


def _show_verdicts(console: Console, found: list[Verdict]) -> None:
    from rich.table import Table

    shown = Table("claim", "verdict", "what was found")
    for each in found:
        shown.add_row(each.claim, each.verdict, each.words)
    console.print(shown)


@COMMAND.command("figure")
def figure(
    name: Annotated[str, typer.Argument(help="1 latents, 2 nodes, 3 𝓡 against robustness, 4 binarity, 5 collapse; "
                                             "robustness: curves R(ε); critical: γ, critical γ and p_y.")],
    data: Only = None, store: StoreFolder = DEFAULT_STORE,
    out: Annotated[Path | None, typer.Option(help="Write its numbers here: .csv or .json.")] = None,
) -> None:
    """Write a figure's numbers, one line per point, or print the last of each series."""
    check_outputs(out=out)
    if out is not None and out.suffix not in _WRITERS:
        raise ValueError(f"out: expected a name that ends in {', '.join(_WRITERS)}, got {out.name}")
    from lpc_core.experiments import Store, grouped
    from lpc_core.experiments import figure as figure_of
    from lpc_core.files.writing import write_whole

    found = figure_of(name, grouped(Store(store).runs(data)))
    print(f"Figure {found.name}. {found.title}: {len(found.lines):,} points")
    for note in found.notes:
        print(note)
    if out is None:
        for (row, series), line in {(line["row"], str(line[found.by])): line for line in found.lines}.items():
            print(f"  {row}, {series}: " + ", ".join(f"{axis} {_short(line[axis])}" for axis in (found.x, found.y)))
        return
    write_whole(out, _WRITERS[out.suffix](found))
    print(f"{out}: written")


@COMMAND.command("export-tensorboard")
def export(out: Annotated[Path, typer.Argument(help="A new or empty folder, for `tensorboard --logdir`.")],
           data: Only = None, store: StoreFolder = DEFAULT_STORE) -> None:
    """Write every run, finished or not, as TensorBoard reads it: curves by step, settings, and what was measured."""
    from lpc_core.experiments import Store, export_tensorboard

    runs = Store(store).runs(data)
    export_tensorboard(runs, out)
    print(f"{out}: {len(runs)} runs; `tensorboard --logdir {out}` shows them")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _as_csv(found: Any) -> bytes:
    from lpc_core.files.spreadsheet import table as csv_of

    names = list(found.lines[0]) if found.lines else [found.x, found.y]
    return csv_of(names, ([line[name] for name in names] for line in found.lines)).encode()


_WRITERS: dict[str, Callable[[Any], bytes]] = {".csv": _as_csv, ".json": lambda found: dumps(vars(found)).encode()}
