"""What a film says: the γ at which collapse sets in, and the one from which the classes are lost."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.film._film import Film

COLLAPSED = 0.1  # classes this small, as a share of the radius, count as collapsed
LOST = 0.9  # a run whose accuracy is below this share of the film's best has lost its classes


def collapse_onset(film: Film, frame: int = -1) -> float:
    """The γ at which collapse sets in at ``frame``: the smallest one whose classes are below `COLLAPSED` in size.

    Size is √(tr Σ_W) over the radius (`within_class_spread`). Only γ that still classify (below `total_collapse`)
    count. Larger γ need not be tighter: near total collapse classes grow again. NaN when there is no such γ.
    """
    lost = total_collapse(film, frame)
    alive = film.gammas < lost if math.isfinite(lost) else np.isfinite(film.gammas)
    points = film.gammas[alive & (film.metric("within_class_spread")[:, frame] < COLLAPSED)]
    return float(points[0]) if len(points) else math.nan


def total_collapse(film: Film, frame: int = -1) -> float:
    """The γ from which classes are lost at ``frame``: it and all larger ones classify worse than `LOST` of the best.

    γ outran the head: all latents fall to the origin and accuracy towards chance. It depends on the ramp and on the
    head's learning rate, so it belongs to this configuration, not to the data. NaN when no γ is lost, and while even
    the best run is within twice chance.
    """
    accuracy = film.metric("train_accuracy")[:, frame]
    best = np.nanmax(accuracy) if np.isfinite(accuracy).any() else math.nan
    if not best >= min(2 / film.class_count, LOST):
        return math.nan
    return _start_of_tail(film.gammas, ~(accuracy >= LOST * best))


def _start_of_tail(gammas: np.ndarray, holds: np.ndarray) -> float:
    """The first of the last unbroken row of γ for which ``holds``; NaN when it does not hold for the largest."""
    if not len(holds) or not holds[-1]:
        return math.nan
    broken = np.flatnonzero(~holds)
    return float(gammas[broken[-1] + 1 if len(broken) else 0])
