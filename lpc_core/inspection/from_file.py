"""From a file to an inspection in one call: what the command, the page and a notebook all do.

A file holds embeddings, a film or a checkpoint. Embeddings and a film's moment are measured as they are. A checkpoint
is recognised and run on data; without data, or where its network is not known, it is described instead: its tensors,
which of them may be the head, and what a head alone says.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lpc_core.checkpoint import Checkpoint, Embeddings, Limits, TensorEntry, files_of, open_file, open_tree
from lpc_core.config import unflatten
from lpc_core.film import Film
from lpc_core.inspection._base import Inspection
from lpc_core.inspection.films import film_embeddings, nearest_run
from lpc_core.inspection.heads import HeadCandidate, HeadView, head_candidates, head_view, pick_head
from lpc_core.inspection.inspecting import inspect
from lpc_core.inspection.layouts import Recognised, recognise
from lpc_core.inspection.matching import Matching, head_names, matched
from lpc_core.inspection.projecting import METHODS, placed, project
from lpc_core.inspection.reporting import file_facts, versions
from lpc_core.inspection.running import PENULTIMATE, embed, in_words
from lpc_core.inspection.samples import Samples, gather
from lpc_core.inspection.scaling import Normalisation, normalisation
from lpc_core.progress import Progress, part, silent

UNLABELLED = ("leave out", "keep")


@dataclass(frozen=True)
class Wishes:
    """What to do with a file. Only what the file needs is looked at."""

    data: str | None = None  # a built-in set, an npz, or pictures; None: the set of this lab's own run, if it is one
    split: str = "train"  # of a built-in set
    normalisation: str | None = None  # see `scaling.CHOICES`; known for this lab's own runs
    picked: dict[str, str] = field(default_factory=dict)  # role → array, see `open_file`
    unlabelled: str = "leave out"  # samples of embeddings that name no class; "keep" makes them a class of their own
    layer: str = PENULTIMATE
    activation: str | None = None
    penultimate: str | None = None
    order: tuple[str, ...] | None = None  # names of fully connected layers, where names and shapes leave theirs open
    weights: str | None = None  # "raw", "averaged" or a name among those that the file offers, see `open_file`
    classes: str | None = None  # which rows of the head the data's classes are, see `matching.matched`
    head_weight: str | None = None  # a tensor's name: look at this head alone
    head_bias: str | None = None
    samples: int | None = None
    side: int | None = None  # pixels, for pictures
    project: tuple[str, ...] = ()  # further views: "tsne", "umap"
    dims: int = 2
    gammas: tuple[float, ...] = ()  # in ``convention``; of a film the run nearest to the first
    convention: str = "sum"
    frame: int = -1  # of a film
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True, eq=False)
class Description:
    """A checkpoint that was not run: what is in it."""

    source: dict[str, Any]
    tree: list[TensorEntry]
    layout: dict[str, Any] | None  # of a recognised network, with its ``obstacle`` if it cannot be run
    heads: list[HeadCandidate]
    views: tuple[HeadView, ...] = ()  # of the picked or recognised head, one per γ

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        views = [{"gamma": view.gamma, "convention": "sum", "radius": view.predicted_radius,
                  "points": view.collapse_points.tolist(), "critical_gamma": view.critical_gamma,
                  "weight_abs_cv": view.weight_abs_cv.tolist(), "notes": list(view.notes)} for view in self.views]
        return {"source": self.source, "layout": self.layout, "head": views,
                "heads": [dataclasses.asdict(head) for head in self.heads],
                "tensors": [dataclasses.asdict(entry) for entry in self.tree]}


def inspect_file(path: Path | Sequence[Path], wishes: Wishes | None = None, *, progress: Progress = silent,
                 limits: Limits = Limits(), command: str = "") -> Inspection | Description:  # noqa: B008
    """Open ``path`` without trusting it and look into it as ``wishes`` say; see the module.

    Several paths, a folder or an index stand for a checkpoint in parts, see `checkpoint.open_file`.
    ``command`` is noted as how it was asked for. Raises `ValueError` (`FileRefused` among them) for what is refused,
    `ImportError` naming a missing package.
    """
    wishes = wishes or Wishes()
    _check(wishes)
    look = _Call(path, wishes, progress, limits)
    look.tell(0.0, "opening the file")
    found = open_file(path, limits=limits, picked=dict(wishes.picked), weights=wishes.weights,
                      keep_unlabelled=wishes.unlabelled == "keep")
    source = {**file_facts(*files_of(path)), "versions": versions(), "command": command, "seed": wishes.seed}
    if isinstance(found, Checkpoint):
        return look.at_checkpoint(found, {**source, "kind": "checkpoint"})
    kind = "embeddings"
    if isinstance(found, Film):
        run = nearest_run(found, wishes.gammas[0]) if wishes.gammas else len(found.gammas) - 1
        kind, found = "film", film_embeddings(found, run, wishes.frame)
    source |= {"kind": kind, "notes": list(found.notes)}
    if found.unlabelled:
        source["unlabelled"] = wishes.unlabelled
    return look.at_embeddings(found, source, None)


def _check(wishes: Wishes) -> None:
    """`ValueError` for views that do not exist, before any work is done."""
    if wishes.unlabelled not in UNLABELLED:
        raise ValueError(f"unlabelled: expected {' or '.join(UNLABELLED)}, got {wishes.unlabelled!r}; choose one of "
                         "them")
    for method in wishes.project:
        if method not in METHODS:
            raise ValueError(f"project: expected some of {', '.join(METHODS)}, got {method!r}; choose among them")
    if wishes.dims not in (2, 3):
        raise ValueError(f"dims: expected 2 or 3, got {wishes.dims}; choose one of them")


@dataclass(frozen=True)
class _Call:
    """One call of `inspect_file`: what was asked for, and who is told how far it got."""

    path: Path | Sequence[Path]
    wishes: Wishes
    tell: Progress
    limits: Limits

    def at_checkpoint(self, found: Checkpoint, source: dict[str, Any]) -> Inspection | Description:
        """Run the network on data where that is possible and wished for; describe it otherwise."""
        wishes = self.wishes
        source |= {"format": found.format, "stripped": list(found.stripped), "notes": list(found.notes),
                   "weights": list(found.weights)}
        known = recognise(found, activation=wishes.activation, penultimate=wishes.penultimate, order=wishes.order)
        obstacle = _UNKNOWN if known is None else known.obstacle
        data = wishes.data or (known.config["dataset"] if known is not None and known.config else None)
        if wishes.head_weight or data is None or (obstacle and not wishes.data):
            return self.described(found, known, source)
        if known is None or obstacle:
            raise ValueError(obstacle)
        return self.run(known, data, source, head_names(found.metadata, known.classes))

    def run(self, known: Recognised, data: str, source: dict[str, Any], names: tuple[str, ...]) -> Inspection:
        """The network's latents on data, measured; its classes are called ``names``, if the file says so."""
        wishes = self.wishes
        samples, scaled, match = prepared(known, data, names, wishes, part(self.tell, 0.02, 0.1), self.limits)
        source |= {"data": {"name": samples.name, "notes": list(samples.notes)},
                   "normalisation": dataclasses.asdict(scaled), "layer": wishes.layer}
        embeddings = embed(known, samples.inputs, samples.labels, normalisation=scaled, layer=wishes.layer,
                           class_names=match.class_names, device=wishes.device, progress=part(self.tell, 0.1, 0.4))
        embeddings = dataclasses.replace(embeddings, warnings=(
            *known.warnings, *match.warnings, *embeddings.warnings, *samples.warnings))
        layout = layout_facts(known)
        if wishes.layer != PENULTIMATE:
            layout["theory_note"] = f"No predicted points: the head does not read {wishes.layer}."
        return self.at_embeddings(embeddings, source, layout)

    def at_embeddings(self, embeddings: Embeddings, source: dict[str, Any],
                      layout: dict[str, Any] | None) -> Inspection:
        """Everything measured, and the further views that were wished for."""
        wishes = self.wishes
        further = [method for method in wishes.project if method != "pca"]
        measured = 0.6 if further else 0.98
        found = inspect(embeddings, source=source, layout=layout, seed=wishes.seed,
                        progress=part(self.tell, 0.4, measured))
        views, notes = dict(found.coordinates), list(found.notes)
        count, shown = len(embeddings.labels), len(placed(len(embeddings.labels)))
        step = (0.98 - measured) / max(len(further), 1)
        for place, method in enumerate(further):
            start = measured + step * place
            views[method] = project(embeddings.latents, method, dims=wishes.dims, seed=wishes.seed,
                                    progress=part(self.tell, start, start + step))
            if shown < count:
                notes.append(f"{method}: {shown:,} of {count:,} samples, drawn with seed {wishes.seed}")
        self.tell(1.0, "done")
        return dataclasses.replace(found, coordinates=views, notes=tuple(notes))

    def described(self, found: Checkpoint, known: Recognised | None, source: dict[str, Any]) -> Description:
        """The checkpoint without any data: tensors, candidates for the head, and what a head alone says."""
        wishes, head = self.wishes, None
        if wishes.head_weight:
            head = pick_head(found.tensors, wishes.head_weight, wishes.head_bias)
        elif known is not None:
            head = known.weight, known.bias
        own = (known.gamma,) if known is not None and known.gamma else ()
        gammas, convention = (wishes.gammas, wishes.convention) if wishes.gammas else (own, "sum")
        views: tuple[HeadView, ...] = ()
        try:
            if head is not None:
                views = tuple(head_view(*head, gamma, convention=convention) for gamma in gammas)
        except ValueError as error:
            if wishes.gammas:
                raise
            source["notes"].append(f"no predicted points: {error}")  # they were not asked for
        layout = None if known is None else layout_facts(known) | {
            "class_names": list(head_names(found.metadata, known.classes)),
            "modules": list(dict.fromkeys(name.removesuffix(".weight") for name in found.tensors
                                          if name.endswith(".weight")))}
        tree = open_tree(self.path, limits=self.limits, weights=wishes.weights)
        return Description(source, tree, layout, head_candidates(found.tensors), views)


_UNKNOWN = ("expected a network that this lab knows, got other tensors; leave the data out to see them, name a head to "
            "look at it alone, or save embeddings of it")


def prepared(known: Recognised, data: str, names: tuple[str, ...], wishes: Wishes, progress: Progress,  # noqa: PLR0917
             limits: Limits) -> tuple[Samples, Normalisation, Matching]:
    """Samples whose labels are rows of the head, whose classes are called ``names``, if the file says so; how they are
    scaled (known for this lab's own run on its own set, else it must be said), and how their classes were matched.
    """
    run = None if known.config is None else unflatten(known.config)
    samples = gather(data, run=run, split=wishes.split, count=wishes.samples, seed=wishes.seed, side=wishes.side,
                     progress=progress, limits=limits)
    own = run is not None and samples.dataset is not None and run.data.dataset == samples.dataset.name
    scaled = normalisation(wishes.normalisation or ("lab" if own else None), samples.dataset)
    match = matched(samples.class_names, known.classes, names, wishes.classes)
    return dataclasses.replace(samples, labels=np.asarray(match.rows)[samples.labels]), scaled, match


def layout_facts(known: Recognised) -> dict[str, Any]:
    """A recognised network in plain values, as an inspection keeps it."""
    return {"name": known.name, "layer": known.layer, "head_weight": known.head_weight, "head_bias": known.head_bias,
            "classes": known.classes, "latent_dim": known.latent_dim, "input_shape": in_words(known.input_shape),
            "activation": known.activation, "parameters": known.parameters, "theory_note": known.theory_note,
            "orders": [list(order) for order in known.orders], "warnings": list(known.warnings),
            "missing": list(known.missing), "unexpected": list(known.unexpected), "obstacle": known.obstacle,
            "assumptions": list(known.assumptions), "gamma": known.gamma, "config": known.config}
