"""What a film is: runs that differ in γ alone, seen at the same moments; positions as one byte per coordinate.

And what it says: the γ at which collapse sets in and becomes total.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpc_core.config import RunConfig
from lpc_core.phase import Phase, at_chance, phases_of

BINS = 48
MAX_DRAWN_RAW = 3  # up to this many nodes the nodes themselves are the axes
MAX_HIST_NODES = 16
MAX_FORCE_CLASSES = 12
_PHASE_FROM = ("train_accuracy", "within_class_spread", "nc1_pinv")

_CODE = np.arange(-127, 128) / 127
LEVELS = np.sign(_CODE) * _CODE**2  # (255,) offsets that the codes −127…127 stand for


class FilmError(ValueError):
    """A film that cannot be recorded or opened; the message says what was expected, what was found and what to do."""


@dataclass(frozen=True, eq=False)
class Film:
    """G runs of one configuration that differ in γ alone, seen at T moments on the same n samples."""

    config: RunConfig
    info: dict[str, Any]  # title, class_names, nodes, axes (nodes | pca), theory_note, metrics (names), words, diverged
    gammas: np.ndarray  # (G,) float64
    steps: np.ndarray  # (T,) int32
    labels: np.ndarray  # (n,) uint8
    tensors: dict[str, np.ndarray]  # the rest, as in the file

    @property
    def class_count(self) -> int:
        """K."""
        return len(self.info["class_names"])

    def metric(self, name: str) -> np.ndarray:
        """The metric ``name`` of every run at every frame, (G, T) float32; NaN where it could not be computed."""
        if name not in self.info["metrics"]:
            raise KeyError(f"expected one of {', '.join(self.info['metrics'])}, got {name!r}")
        values: np.ndarray = self.tensors["metrics"][self.info["metrics"].index(name)]
        return values

    @functools.cached_property
    def phases(self) -> np.ndarray:
        """`Phase` of every run at every frame: (G, T) uint8; unknown throughout a film that did not measure it."""
        if not set(_PHASE_FROM) <= set(self.info["metrics"]):
            return np.full((len(self.gammas), len(self.steps)), Phase.UNKNOWN, np.uint8)
        accuracy, spread, nc1 = map(self.metric, _PHASE_FROM)
        return phases_of(accuracy, spread, nc1, self.class_count)

    def positions(self, run: int, frame: int) -> np.ndarray:
        """The samples as drawn, (n, p) float32."""
        means, reach = self.tensors["means"][run, frame], self.tensors["reach"][run, frame]  # (K, p), (K,)
        offsets = LEVELS[self.tensors["codes"][run, frame].astype(np.int64) + 127]
        places: np.ndarray = means[self.labels] + reach[self.labels, None] * offsets
        return places.astype(np.float32)

    def predictions(self, run: int, frame: int) -> np.ndarray:
        """The predicted class of every sample, (n,) uint8."""
        packed: np.ndarray = self.tensors["predictions"][run, frame]
        if self.class_count > 16:
            return packed
        return np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[: len(self.labels)]


def collapse_onset(film: Film, frame: int = -1) -> float:
    """The γ at which collapse sets in at ``frame``: the smallest one whose classes have collapsed.

    Larger γ need not be tighter: near total collapse classes grow again. NaN when there is no such γ.
    """
    points = film.gammas[film.phases[:, frame] == Phase.COLLAPSED]
    return float(points[0]) if len(points) else math.nan


def total_collapse(film: Film, frame: int = -1) -> float:
    """The γ from which on every run is totally collapsed at ``frame``.

    γ outran the head: all latents fall to the origin and accuracy to chance. It depends on the ramp and on the
    head's learning rate, so it belongs to this configuration, not to the data. NaN when no γ is lost, and while even
    the best run is no better than guessing.
    """
    lost = film.phases[:, frame] == Phase.TOTAL
    if not lost[-1] or at_chance(np.nanmax(film.metric("train_accuracy")[:, frame]), film.class_count):
        return math.nan
    return float(film.gammas[np.flatnonzero(~lost).max(initial=-1) + 1])


def quantise(positions: np.ndarray, means: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes (…, n, p) int8 and reach (…, K) float32 of ``positions`` (…, n, p) around the class ``means`` (…, K, p)."""
    centres = np.nan_to_num(means.astype(np.float32).astype(np.float64))
    offsets = positions - centres.take(labels, axis=-2)  # (…, n, p)
    sizes = np.abs(offsets)
    order = np.argsort(labels, kind="stable")
    present, starts = np.unique(labels[order], return_index=True)
    reach = np.zeros(means.shape[:-1])
    reach[..., present] = np.maximum.reduceat(sizes.max(axis=-1)[..., order], starts, axis=-1)
    reach = np.minimum(reach, np.finfo(np.float32).max).astype(np.float32)
    unit = np.where(reach > 0, reach, 1).astype(np.float64).take(labels, axis=-1)[..., None]
    root = np.sqrt(np.minimum(sizes / unit, 1))
    return (np.sign(offsets) * np.rint(127 * root)).astype(np.int8), reach


def pack_classes(classes: np.ndarray, count: int) -> np.ndarray:
    """Predicted classes (…, n) as bytes, two samples to one where ``count`` is at most 16."""
    classes = classes.astype(np.uint8)
    if count > 16:
        return classes
    even = np.zeros((*classes.shape[:-1], classes.shape[-1] + classes.shape[-1] % 2), np.uint8)
    even[..., :classes.shape[-1]] = classes
    packed: np.ndarray = even[..., ::2] | even[..., 1::2] << 4
    return packed


def layout(classes: int, nodes: int, metrics: int,
           sizes: tuple[int, int, int]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Dtype and shape of every tensor in a film of so many classes, nodes and metrics, with ``sizes`` (G, T, n)."""
    g, t, n = sizes
    p, kept = drawn_dimensions(nodes), min(nodes, MAX_HIST_NODES)
    found = {
        "gammas": ("float64", (g,)), "steps": ("int32", (t,)), "labels": ("uint8", (n,)), "gamma": ("float32", (g, t)),
        "codes": ("int8", (g, t, n, p)), "reach": ("float32", (g, t, classes)),
        "means": ("float32", (g, t, classes, p)), "collapse_points": ("float32", (g, t, classes, p)),
        "predictions": ("uint8", (g, t, n if classes > 16 else (n + 1) // 2)), "hist_range": ("float32", (g, t)),
        "hist": ("uint8", (g, t, kept if nodes > MAX_DRAWN_RAW else 0, BINS)),
        "node_peak_distance": ("float32", (g, t, kept)), "metrics": ("float32", (metrics, g, t)),
        "phase": ("uint8", (g, t)), "onset": ("float32", (t,)), "total": ("float32", (t,)),
    }
    if classes <= MAX_FORCE_CLASSES:
        found["forces"] = ("float32", (g, t, 3, classes, p))
    return found


def drawn_dimensions(nodes: int) -> int:
    """How many dimensions p of d ``nodes`` a film draws: all of up to three, else a plane."""
    return nodes if nodes <= MAX_DRAWN_RAW else 2
