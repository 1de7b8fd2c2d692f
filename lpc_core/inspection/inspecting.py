"""Embeddings looked at: every quantity, the code, the doubtful samples and a first view, all in seconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from lpc_core.checkpoint import Embeddings
from lpc_core.data import spread
from lpc_core.inspection._base import Inspection, blocks
from lpc_core.inspection.layouts.modules import listed
from lpc_core.inspection.projecting import components
from lpc_core.inspection.running import thumbnails
from lpc_core.metrics import Reading, code_report, names, readings, slow_names, too_few
from lpc_core.metrics.entropy import entropy_kl
from lpc_core.metrics.separation import nearest
from lpc_core.progress import Progress, silent

SLOW_VALUES = 4_000_000  # numbers n·d up to which slow quantities are computed on all samples
FEWEST = 2_000  # samples that a subset for them has at least
MOST_NAMED = 8  # classes without samples
QUERIES = 2_000  # samples whose neighbours the entropy looks up
MOST_LISTED = 100  # ambiguous, and misclassified samples


def inspect(embeddings: Embeddings, *, source: dict[str, Any] | None = None, layout: dict[str, Any] | None = None,
            seed: int = 0, progress: Progress = silent) -> Inspection:
    """Measure everything `lpc_core.metrics` knows on ``embeddings``, list doubtful samples, and find the main axes.

    ``source`` and ``layout`` say where the latents came from; they are kept as they are. Above `SLOW_VALUES` numbers
    the k-nearest-neighbour entropy, the mixtures and the peak distances are computed on a seeded, stratified subset.
    Of more than `QUERIES` samples the entropy looks up the neighbours of as many. Their readings say so. Raises
    `ValueError` for embeddings that cannot be measured.
    """
    embeddings = _warned(_usable(embeddings))
    progress(0.0, "measuring all samples")
    values = _measured(embeddings, seed, progress)
    progress(0.8, "reading the code")
    code = code_report(embeddings.latents, embeddings.labels, len(embeddings.class_names)).plain()
    progress(0.85, "looking for the main axes")
    main = components(embeddings.latents, 3, seed=seed)
    view = main.view(embeddings.latents)
    progress(0.95, "listing doubtful samples")
    sure = certainty(embeddings)
    wrong = _misclassified(embeddings, sure)
    progress(1.0, "done")
    return Inspection(
        embeddings, source or {}, layout, values, code, np.argsort(sure, kind="stable")[:MOST_LISTED],
        {"pca": np.pad(view, ((0, 0), (0, max(0, 2 - view.shape[1]))))}, embeddings.notes, main.mean, main.axes, wrong)


def _usable(found: Embeddings) -> Embeddings:
    """The embeddings without a head or logits that hold NaN or infinity, and with pictures of a bounded size."""
    parts = {"the head is": ("weight", "bias"), "the logits are": ("logits",)}
    for words, names_ in parts.items():
        if any((value := getattr(found, name)) is not None and not np.isfinite(value).all() for name in names_):
            note = f"{words} left out: NaN or infinity among the numbers"
            without: dict[str, Any] = dict.fromkeys(names_)
            found = dataclasses.replace(found, **without, notes=(*found.notes, note))
    if found.images is not None:
        small, note = thumbnails(found.images)
        found = dataclasses.replace(found, images=small, notes=(*found.notes, note) if note else found.notes)
    return found


def _warned(found: Embeddings) -> Embeddings:
    """The embeddings with a word on classes without samples, and on fewer samples than the nodes ask for."""
    few = too_few(np.bincount(found.labels, minlength=len(found.class_names)), found.latents.shape[1])
    return dataclasses.replace(found, warnings=(*found.warnings, *filter(None, (empty_classes(found), few))))


def empty_classes(found: Embeddings) -> str:
    """A word on classes without samples, by their names; "" where there are none."""
    counts = np.bincount(found.labels, minlength=len(found.class_names))
    empty = [name for name, count in zip(found.class_names, counts, strict=True) if not count]
    return f"{len(empty):,} of {len(counts):,} classes have no samples: {listed(empty, MOST_NAMED)}" if empty else ""


def _measured(found: Embeddings, seed: int, progress: Progress) -> dict[str, Reading]:
    """Every quantity by name, in the order of `names`; those that need what is not there are NaN with the reason."""
    n = len(found.latents)
    slow = slow_names()
    quick = [name for name in names() if name not in slow]
    head: dict[str, Any] = {"weight": found.weight, "bias": found.bias}
    done = readings(found.latents, found.labels, found.predictions, found.logits, **head, only=quick)
    progress(0.4, "measuring entropy and mixtures")
    rows = slow_rows(found, seed)
    note = "" if len(rows) == n else f"on {len(rows):,} of {n:,} samples, stratified, drawn with seed {seed}"
    latents, labels = (found.latents, found.labels) if not note else (found.latents[rows], found.labels[rows])
    capped = len(rows) > QUERIES
    few = readings(latents, labels, **head, only=[name for name in slow if not (capped and name == "entropy_kl")])
    few |= {"entropy_kl": entropy_kl(latents, queries=QUERIES, seed=seed)} if capped else {}
    done |= {name: Reading(one.value, one.floor, "; ".join(filter(None, (note, one.reason))))
             for name, one in few.items()}
    return {name: done[name] for name in names()}


def slow_rows(found: Embeddings, seed: int = 0) -> np.ndarray:
    """The rows that the slow quantities are computed on: all, or a stratified choice of `SLOW_VALUES` numbers."""
    n, d = found.latents.shape
    return spread(found.labels, n if n * d <= SLOW_VALUES else max(FEWEST, SLOW_VALUES // d), seed)


def certainty(found: Embeddings) -> np.ndarray:
    """How sure each sample's class is, (n,) float64: the smaller, the more doubtful.

    With logits or a head the gap between the two largest logits, the log of how much likelier the first is. Without,
    the distance to the nearest other class mean over the distance to the own one: below 1 it lies nearer to another.
    0 where there is only one class.
    """
    if len(found.class_names) < 2:
        return np.zeros(len(found.labels))
    if found.logits is None and found.weight is None:
        return _by_distance(found)
    gaps = np.empty(len(found.labels))
    for part, logits in _logits(found):
        top = np.partition(logits, -2, axis=1)[:, -2:]
        gaps[part] = top[:, 1] - top[:, 0]
    return gaps


def _logits(found: Embeddings) -> Iterator[tuple[slice, np.ndarray]]:
    if found.logits is not None:
        yield from blocks(found.logits)
    elif found.weight is not None:
        bias = 0.0 if found.bias is None else found.bias
        for part, latents in blocks(found.latents):
            yield part, latents @ found.weight.T.astype(np.float64) + bias


def _by_distance(found: Embeddings) -> np.ndarray:
    present, own = np.unique(found.labels, return_inverse=True)
    if len(present) < 2:
        return np.zeros(len(found.labels))
    means = class_centres(found)[present]
    ratios = np.empty(len(own))
    for part, block in blocks(found.latents):
        other = nearest(block, means, own[part])
        far, near = (np.linalg.norm(block - means[index], axis=1) for index in (other, own[part]))
        with np.errstate(over="ignore"):  # a sample on its class's mean is as sure as can be
            ratios[part] = far / np.maximum(near, np.finfo(np.float64).tiny)
    return ratios


def class_centres(found: Embeddings) -> np.ndarray:
    """Mean latent of every class, (K, d) float64; NaN rows for classes without samples. Summed block by block."""
    classes = len(found.class_names)
    sums = np.zeros((classes, found.latents.shape[1]))
    for part, block in blocks(found.latents):
        chosen = np.zeros((classes, len(block)))
        chosen[found.labels[part], np.arange(len(block))] = 1
        sums += chosen @ block
    counts = np.bincount(found.labels, minlength=classes)
    return sums / np.where(counts, counts, np.nan)[:, None]


def predictions_of(found: Embeddings) -> np.ndarray | None:
    """Predicted classes (n,): those given, else the argmax of the logits or of Wz + b; None when nothing says them."""
    if found.predictions is not None:
        return found.predictions
    if found.logits is None and found.weight is None:
        return None
    return np.concatenate([logits.argmax(axis=1) for _, logits in _logits(found)])


def _misclassified(found: Embeddings, sure: np.ndarray) -> np.ndarray:
    predictions = predictions_of(found)
    if predictions is None:
        return np.zeros(0, np.int64)
    wrong = np.flatnonzero(predictions != found.labels)
    return wrong[np.argsort(-sure[wrong], kind="stable")][:MOST_LISTED]
