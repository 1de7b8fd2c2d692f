"""``lpc attack FILE``: how small a change of an input changes a trained network's answer, and how far to believe it."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lpc_core.commands import _inspect_options as options
from lpc_core.commands._shared import Device, check_outputs, names, one_thread, progress
from lpc_core.files.plain_json import dumps

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table
    from torch import Tensor, nn

    from lpc_core.inspection.from_file import Wishes
    from lpc_core.robustness import RobustnessReport

DEFAULT = "deepfool,ddn,fmn,hopskipjump"
LONG_S = 20  # from how many seconds on it is said how long


def attack(  # noqa: PLR0917
    run: Annotated[Path, typer.Argument(help="A run written by lpc train --out, or a folder that holds one; with "
                                             "--data any checkpoint that lpc inspect can run.")],
    samples: Annotated[int, typer.Option(min=1, help="How many, stratified; all if there are fewer.")] = 200,
    attacks: Annotated[str, typer.Option(help="Names with commas between them: those of the default, pgd-l2, "
                                              "pgd-linf; with adv-lib installed adv-fab, adv-alma, adv-apgd, adv-ddn, "
                                              "adv-fmn, adv-deepfool, adv-superdeepfool.")] = DEFAULT,
    split: Annotated[str, typer.Option(help="Which samples: test or train.")] = "test",
    unbounded: Annotated[bool, typer.Option(help="Let pictures leave the range of pixels, as the paper's DeepFool "
                                                 "does. Vectors have no range.")] = False,
    data: options.Data = None, normalisation: options.Normalisation = None, activation: options.Activation = None,
    penultimate: options.Penultimate = None, order: options.Order = None, weights: options.Weights = None,
    classes: options.Classes = None, side: options.Side = None,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of samples and of the attacks.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the report here as JSON, with every sample's norms.")] = None,
) -> None:
    """Attack a trained network: several attacks side by side, accuracy beside them, and what the numbers hide."""
    check_outputs(out=out)
    from lpc_core.engine.devices import pick_device
    from lpc_core.files.writing import write_whole
    from lpc_core.inspection.from_file import Wishes
    from lpc_core.models import convolves
    from lpc_core.robustness import report

    place = pick_device(device)
    wishes = Wishes(data=data, split=split, normalisation=normalisation, activation=activation, penultimate=penultimate,
                    order=None if order is None else names(order), weights=weights, classes=classes, side=side,
                    samples=samples, seed=seed)
    own = data is None and normalisation is None
    model, inputs, labels, bounds, about = (_own if own else _foreign)(run, wishes)
    bounds = None if unbounded else bounds
    if not convolves(model):
        one_thread()
    chosen = names(attacks)
    model = model.to(place)
    if sys.stderr.isatty() or not as_json:  # a person, who may read it in a log; not a program
        _foretell(model, inputs, chosen)
    with progress("attacking") as tell:
        found = report(model, inputs, labels, attacks=chosen, bounds=bounds, seed=seed, progress=tell)
    about |= {"split": split, "seed": seed, "bounded": bounds is not None}
    if out is not None:
        write_whole(out, dumps(about | found.plain(per_sample=True)).encode())
    print(dumps(about | found.plain())) if as_json else _show(about, found)


COMMAND = attack


Asked = tuple["nn.Module", "Tensor", "np.ndarray", "tuple[Tensor, Tensor] | None", dict[str, Any]]


def _own(run: Path, wishes: Wishes) -> Asked:
    """A run of this lab on its own data."""
    from lpc_core.saved_run import NotARun, open_run

    try:
        saved = open_run(run)
    except NotARun as error:
        raise NotARun(f"{error}; a checkpoint of another make needs --data and --normalisation") from None
    inputs, labels = saved.samples(wishes.split, wishes.samples, wishes.seed)
    return saved.model, inputs, labels, saved.bounds, {"run": str(run), "dataset": saved.config.data.dataset,
                                                       "step": saved.step}


def _foreign(path: Path, wishes: Wishes) -> Asked:
    """Any checkpoint that can be run, on the data that are named."""
    from lpc_core.inspection.attacking import target

    try:
        found = target(path, wishes)
    except ImportError as error:  # an extra that the samples need; the text names it
        raise ValueError(str(error)) from error
    return found.model, found.inputs, found.labels, found.bounds, {
        "run": str(path), "dataset": f"{found.name} on {found.notes[0]}", "step": None, "notes": list(found.notes[1:])}


def _foretell(model: nn.Module, inputs: Tensor, attacks: tuple[str, ...]) -> None:
    """Say how long it will take, where that is longer than a moment, by the time of one gradient."""
    from lpc_core.robustness import seconds_for

    seconds = seconds_for(model, inputs, attacks)
    if seconds > LONG_S:
        print(f"about {max(1, round(seconds / 60))} minutes: {len(inputs)} samples, {', '.join(attacks)}",
              file=sys.stderr)


def _show(about: dict[str, Any], found: RobustnessReport) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    step = "" if about["step"] is None else f", step {about['step']:,}"
    for note in about.get("notes", ()):
        console.print(f"  {note}", markup=False)
    console.print(f"{escape(about['dataset'])}{step}: accuracy [bold]{found.accuracy:.1%}[/] on "
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
        norms = (f"{value:.4f}" for value in (summary.median, summary.mean, summary.mean_with_wrong))
        table.add_row(summary.title, f"{summary.found}/{summary.samples}", *norms, f"{summary.forwards:,.0f}",
                      f"{summary.backwards:,.0f}", f"{summary.seconds:.1f}",
                      style="bold" if summary is found.best else "")
    return table
