"""What a film says: the γ at which collapse sets in and becomes total."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.film._film import Film
from lpc_core.phase import Phase, at_chance


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
