"""``lpc inspect FILE``: what a checkpoint, embeddings or a film hold, measured: the lab's page without the lab."""

from __future__ import annotations

import functools
import math
import os
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lpc_core.commands import _inspect_options as options
from lpc_core.commands._shared import check_outputs, names, progress
from lpc_core.commands.pages import check_page, write_page
from lpc_core.files.plain_json import dumps

if TYPE_CHECKING:
    from rich.console import Console

    from lpc_core.inspection import Inspection
    from lpc_core.inspection.from_file import Description, Wishes


def inspect(  # noqa: PLR0917
    file: options.File, data: options.Data = None, split: options.Split = "train",
    normalisation: options.Normalisation = None, latents: options.Latents = None, labels: options.Labels = None,
    pick: options.Pick = None, unlabelled: options.Unlabelled = "leave out", layer: options.Layer = "penultimate",
    activation: options.Activation = None, penultimate: options.Penultimate = None, order: options.Order = None,
    weights: options.Weights = None, classes: options.Classes = None, head_weight: options.HeadWeight = None,
    head_bias: options.HeadBias = None, samples: options.Samples = None, side: options.Side = None,
    project: options.Project = "", dims: options.Dims = 2, gamma: options.Gamma = "",
    convention: options.Convention = "sum", frame: options.Frame = -1, seed: options.Seed = 0,
    device: options.Device = "cpu", threads: options.Threads = 1, limit_gb: options.LimitGb = 2.0,
    out: options.Out = None, csv: options.Csv = None, samples_csv: options.SamplesCsv = None,
    html: options.Html = None, as_json: options.AsJson = False,
) -> None:
    """Measure how the latents in a file collapse, without trusting the file."""
    outputs = {"out": out, "csv": csv, "samples_csv": samples_csv, "html": html}
    check_outputs(**outputs)
    check_page("inspection", html)
    _limit_threads(threads)
    from lpc_core.engine.devices import pick_device
    from lpc_core.inspection.from_file import Wishes
    from lpc_core.inspection.heads import in_sum_convention

    in_sum_convention(1.0, convention, 1)  # one that is none is refused before the file is read
    picked = options.picked_roles(pick or []) | {role: name for role, name in (("latents", latents), ("labels", labels))
                                         if name}
    wishes = Wishes(
        data=data, split=split, normalisation=normalisation, picked=picked, unlabelled=unlabelled, layer=layer,
        activation=activation, penultimate=penultimate, order=None if order is None else names(order),
        weights=weights, classes=classes, head_weight=head_weight, head_bias=head_bias, samples=samples, side=side,
        project=names(project), dims=dims, gammas=_numbers(gamma), convention=convention, frame=frame, seed=seed,
        device=str(pick_device(device)))
    found = _inspected(file, wishes, limit_gb, as_json)
    _write(found, outputs)
    if as_json:
        from lpc_core.inspection import Inspection, report

        print(dumps(report(found, _at(found, wishes)) if isinstance(found, Inspection) else found.plain()))
    else:
        _show(found, wishes)


def _limit_threads(threads: int) -> None:
    """Before NumPy is there: its linear algebra takes as many threads as there are cores and lets them spin."""
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))
    import torch

    torch.set_num_threads(threads)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        values = (math.nan,)
    if not all(math.isfinite(value) and value > 0 for value in values):
        raise ValueError(f"gamma: expected numbers above 0 with commas between them, got {text[:60]!r}; try 0.1,1,10")
    return values


def _inspected(file: list[Path], wishes: Wishes, limit_gb: float, as_json: bool) -> Inspection | Description:
    from lpc_core.checkpoint import Limits
    from lpc_core.inspection.from_file import inspect_file

    size = int(limit_gb * 2**30)
    limits = Limits(file_bytes=size, tensor_bytes=size, memory_bytes=max(3 * size, 2 * 2**30))
    with progress("inspecting", as_json, sys.stderr) as tell:
        try:
            return inspect_file(file, wishes, progress=tell, limits=limits, command=shlex.join(["lpc", *sys.argv[1:]]))
        except ImportError as error:  # an extra that this needs; the text names it
            raise ValueError(str(error)) from error


# ---- writing -----------------------------------------------------------------------------------------------------


def _write(found: Inspection | Description, outputs: dict[str, Path | None]) -> None:
    from lpc_core.files.writing import write_whole
    from lpc_core.inspection import Inspection, readings_csv, samples_csv, save

    wanted = [name for name, path in outputs.items() if path is not None]
    if not wanted:
        return
    if not isinstance(found, Inspection):
        raise ValueError(f"{wanted[0].replace('_', '-')}: expected latents to write about, got a checkpoint that was "
                         "not run; say what to run it on with --data")
    with tempfile.TemporaryDirectory() as folder:
        out = outputs["out"] or Path(folder, "report.inspection.safetensors")  # what a page is written from
        if outputs["out"] or outputs["html"]:
            save(found, out)
        if outputs["html"]:
            write_page("inspection", out, outputs["html"])
    for name, make in (("csv", readings_csv), ("samples_csv", samples_csv)):
        if (path := outputs[name]) is not None:
            write_whole(path, make(found).encode())


# ---- printing ----------------------------------------------------------------------------------------------------


def _at(found: Inspection, wishes: Wishes) -> tuple[float, ...]:
    """γ (sum convention) at which collapse points are reported: those asked for, else the one in the file."""
    if found.embeddings.weight is None or found.source.get("kind") == "film":
        return ()
    nodes = found.embeddings.latents.shape[1]
    if wishes.gammas:
        from lpc_core.inspection.heads import in_sum_convention

        return tuple(in_sum_convention(gamma, wishes.convention, nodes) for gamma in wishes.gammas)
    known = (found.layout or {}).get("gamma")
    return (float(known),) if known else ()


def _show(found: Inspection | Description, wishes: Wishes) -> None:
    from rich.console import Console

    from lpc_core.inspection import Inspection

    console = Console()
    _show_source(console, found.source, found.layout)
    if isinstance(found, Inspection):
        _show_inspection(console, found, wishes)
    else:
        _show_description(console, found)
        if found.layout is not None and not found.layout["obstacle"] and not wishes.head_weight:
            console.print("not run: say what to run it on with --data, and how that is scaled with --normalisation")


def _show_source(console: Console, source: dict[str, Any], layout: dict[str, Any] | None) -> None:
    say = _plain(console)
    kind = source.get("format", source["kind"])
    say(f"{source['file']}: {kind}, {source['bytes']:,} bytes, sha256 {source['sha256'][:16]}…")
    for note in source.get("notes", []):
        say(f"  {note}")
    if weights := source.get("weights"):
        say(f"  weights: {weights[0]}; also in the file, with --weights: {', '.join(weights[1:])}")
    if layout is None:
        return
    say(f"{layout['name']}: {layout['parameters']:,} parameters, {layout['classes']} classes, {layout['latent_dim']} "
        f"latent nodes, inputs {layout['input_shape']}")
    for words in layout["assumptions"]:
        say(f"  assumed: {words}" if "assumed" not in words else f"  {words}")
    for name in ("missing", "unexpected"):
        if layout[name]:
            say(f"  {name}: {', '.join(layout[name])}")
    if layout["obstacle"]:
        say(f"  cannot be run: {layout['obstacle']}")


def _plain(console: Console) -> Callable[[str], None]:
    """Prints text of a file's own as it is: nothing in it is taken for markup."""
    return functools.partial(console.print, markup=False, highlight=False, soft_wrap=True)


def _show_inspection(console: Console, found: Inspection, wishes: Wishes) -> None:
    from rich.table import Table
    from rich.text import Text

    from lpc_core.inspection import report

    facts, say = report(found, _at(found, wishes)), _plain(console)
    if "data" in found.source:
        say(f"run on {found.source['data']['name']}, normalisation {found.source['normalisation']['name']}")
        for note in found.source["data"]["notes"]:
            say(f"  {note}")
    say(f"{facts['samples']:,} samples of {len(facts['classes'])} classes in {facts['nodes']} nodes")
    rows = Table("quantity", "value", "floor", "what to know")
    for row in facts["readings"]:
        cells = (row["title"], _figure(row["value"]), _figure(row["floor"]), row["reason"])
        rows.add_row(*map(Text, cells))
    console.print(rows)
    for warning in options.warned(found.embeddings):
        say(f"warning: {warning}")
    for view in facts["collapse"]:
        say(f"γ = {view['gamma']:.4g}: predicted radius {_figure(view['radius'])}, measured "
            f"{_figure(view['measured_radius'])}" + (f"; {view['note']}" if view["note"] else ""))
    for name in ("misclassified", "ambiguous"):
        if facts[name]:
            shown = ", ".join(f"{row['sample']} ({row['class']}" + (
                f" taken for {row['predicted']})" if name == "misclassified" else ")") for row in facts[name][:8])
            say(f"{name}: {len(facts[name])} listed, first {shown}")
    for note in facts["notes"]:
        say(note)


def _show_description(console: Console, found: Description) -> None:
    import numpy as np
    from rich.table import Table
    from rich.text import Text

    say = _plain(console)
    for words in (found.layout or {}).get("warnings", ()):
        say(f"warning: {words}")
    tensors = Table("tensor", "shape", "type", "norm", "range")
    for entry in found.tree:
        span = f"{_figure(entry.minimum)} … {_figure(entry.maximum)}"
        cells = (entry.name, " × ".join(map(str, entry.shape)), entry.dtype, _figure(entry.norm), span)
        tensors.add_row(*map(Text, cells))
    console.print(tensors)
    for head in found.heads[:5]:
        say(f"may be the head: {head.weight}, {head.classes} classes of {head.latent_dim} nodes ({head.why})")
    for view in found.views:
        say(f"γ = {view.gamma:.4g}: its classes would fall at a mean radius of {view.predicted_radius:.4g}; critical γ "
            f"{_figure(view.critical_gamma)}; |W| varies by {float(np.nanmean(view.weight_abs_cv)):.3f} per node")


def _figure(value: float | str | None) -> str:
    return value or "" if value is None or isinstance(value, str) else "–" if math.isnan(value) else f"{value:.5g}"


COMMAND = inspect
