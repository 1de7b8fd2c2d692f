"""What a film says: the phase of every run at every moment, and the γ at which collapse sets in and becomes total."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.film._film import Film
from lpc_core.phase import Phase, at_chance, phases_of

_ASKED = ("train_accuracy", "within_class_spread", "nc1_pinv")


def phases(film: Film) -> np.ndarray:
    """`Phase` of every run at every frame: (G, T) uint8; unknown throughout a film that did not measure it."""
    if not set(_ASKED) <= set(film.info["metrics"]):
        return np.full((len(film.gammas), len(film.steps)), Phase.UNKNOWN, np.uint8)
    accuracy, spread, nc1 = map(film.metric, _ASKED)
    return phases_of(accuracy, spread, nc1, film.class_count)


def collapse_onset(film: Film, frame: int = -1) -> float:
    """The γ at which collapse sets in at ``frame``: the smallest one whose classes have collapsed.

    Larger γ need not be tighter: near total collapse classes grow again. NaN when there is no such γ.
    """
    points = film.gammas[phases(film)[:, frame] == Phase.COLLAPSED]
    return float(points[0]) if len(points) else math.nan


def total_collapse(film: Film, frame: int = -1) -> float:
    """The γ from which on every run is totally collapsed at ``frame``.

    γ outran the head: all latents fall to the origin and accuracy to chance. It depends on the ramp and on the
    head's learning rate, so it belongs to this configuration, not to the data. NaN when no γ is lost, and while even
    the best run is no better than guessing.
    """
    found = phases(film)[:, frame]
    if not (found == Phase.TOTAL).any():
        return math.nan
    if at_chance(np.nanmax(film.metric("train_accuracy")[:, frame]), film.class_count):
        return math.nan
    return _start_of_tail(film.gammas, found == Phase.TOTAL)


def _start_of_tail(gammas: np.ndarray, holds: np.ndarray) -> float:
    """The first of the last unbroken row of γ for which ``holds``; NaN when it does not hold for the largest."""
    if not len(holds) or not holds[-1]:
        return math.nan
    broken = np.flatnonzero(~holds)
    return float(gammas[broken[-1] + 1 if len(broken) else 0])
