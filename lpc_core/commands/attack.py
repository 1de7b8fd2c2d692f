"""``lpc attack RUN``: how small a change of an input changes the answer of a trained run, and how far to believe it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lpc_core.commands._arguments import Device, check_outputs, names
from lpc_core.commands._progress import progress
from lpc_core.files.plain_json import dumps

if TYPE_CHECKING:
    from rich.table import Table

    from lpc_core.robustness import RobustnessReport, Summary
    from lpc_core.saved_run import SavedRun

DEFAULT = "deepfool,ddn,fmn,hopskipjump"


def attack(  # noqa: PLR0917
    run: Annotated[Path, typer.Argument(help="A run written by lpc train --out, or a folder that holds one.")],
    samples: Annotated[int, typer.Option(min=1, help="How many, stratified; all if there are fewer.")] = 200,
    attacks: Annotated[str, typer.Option(help="Names with commas between them: those of the default, pgd-l2, "
                                              "pgd-linf.")] = DEFAULT,
    split: Annotated[str, typer.Option(help="Which samples: test or train.")] = "test",
    unbounded: Annotated[bool, typer.Option(help="Let pictures leave the range of pixels, as the paper's DeepFool "
                                                 "does. Vectors have no range.")] = False,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of samples and of the attacks.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the report here as JSON, with every sample's norms.")] = None,
) -> None:
    """Attack a trained run: several attacks side by side, accuracy beside them, and what the numbers hide."""
    check_outputs(out=out)
    from lpc_core.engine.devices import pick_device
    from lpc_core.files.writing import write_whole
    from lpc_core.robustness import report
    from lpc_core.saved_run import open_run

    place = pick_device(device)
    saved = open_run(run)
    inputs, labels = saved.samples(split, samples, seed)
    bounds = None if unbounded else saved.bounds
    _threads_for(saved)
    with progress("attacking") as tell:
        found = report(saved.model.to(place), inputs, labels, attacks=names(attacks), bounds=bounds,
                       seed=seed, progress=tell)
    about = {"run": str(run), "dataset": saved.config.data.dataset, "step": saved.step, "split": split, "seed": seed,
             "bounded": bounds is not None}
    if out is not None:
        write_whole(out, dumps(about | found.plain(per_sample=True)).encode())
    if as_json:
        print(dumps(about | found.plain()))
    else:
        _show(about, found)


COMMAND = attack


def _threads_for(saved: SavedRun) -> None:
    """One thread for an MLP: two on small matrices are slower, and many times so on a busy machine."""
    import torch

    from lpc_core.models import convolves

    if not convolves(saved.model):
        torch.set_num_threads(1)


def _show(about: dict[str, Any], found: RobustnessReport) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(f"{about['dataset']}, step {about['step']:,}: accuracy [bold]{found.accuracy:.1%}[/] on "
                  f"{found.samples} {about['split']} samples")
    console.print(_table(found))
    console.print("median, mean: ‖perturbation‖ / ‖input‖ over the samples that were right; mean*: with the "
                  f"{1 - found.accuracy:.1%} misclassified as 0. Upper bounds on the true robustness.")
    if not math.isnan(found.paper):
        console.print("By the paper's convention (DeepFool without bounds, every sample from its predicted class) the "
                      f"mean is {found.paper:.4f}, and {found.paper_outside:.0%} of its inputs leave the data's range.",
                      f"It found none for {found.paper_missing} samples." if found.paper_missing else "")
    for flag in found.flags:
        mark, style = ("[bold red]![/]", "default") if flag.raised else ("[green]✓[/]", "dim")
        console.print(f"{mark} [{style}]{flag.sentence}[/]")


def _table(found: RobustnessReport) -> Table:
    from rich.table import Table

    table = Table("attack", "changed", "median", "mean", "mean*", "asked", "grads", "s")
    for summary in (*found.attacks, found.best):
        table.add_row(*_row(summary), style="bold" if summary is found.best else "")
    return table


def _row(summary: Summary) -> tuple[str, ...]:
    norms = (f"{value:.4f}" for value in (summary.median, summary.mean, summary.mean_with_wrong))
    return (summary.title, f"{summary.found}/{summary.samples}", *norms, f"{summary.forwards:,.0f}",
            f"{summary.backwards:,.0f}", f"{summary.seconds:.1f}")
