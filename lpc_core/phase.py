"""Phases of collapse: the one definition of "collapsed" and of "total collapse", for one moment or arrays of them.

Both look at the clouds and not at a single number. Classes have collapsed when each is small beside its distance from
the origin *and* beside the distance to the others. Total collapse is both at once: predictions no better than guessing,
and clouds that lie within one another. A network at 80 % over visible clouds is not totally collapsed, and neither is
one that guesses while its classes still lie apart (its head was outrun, or has not learnt yet).
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike

COLLAPSED = 0.1  # spread within a class, √(tr Σ_W), as a share of the mean radius: below it a class counts as a point
FALLING = 0.5  # likewise: below it the classes are compact
OVERLAP = 1.0  # NC1 from which on the classes lie within one another: each cloud is as wide as they are apart
CHANCE_MARGIN = 0.1  # of the way from guessing to perfect: an accuracy up to there is "no better than guessing"

MEANING = {
    "collapsed": f"Collapsed: the spread within a class is below {COLLAPSED:.0%} of the radius, and the classes lie "
                 f"apart (NC1 below {OVERLAP:g}).",
    "total": "Total collapse: the predictions are no better than guessing (at most "
             f"{CHANCE_MARGIN:.0%} of the way from chance to perfect), and the classes lie within one another (NC1 of "
             f"{OVERLAP:g} or more, or their means coincide).",
}


class Phase(IntEnum):
    """What the classes of one moment are; the numbers stand in film files."""

    UNKNOWN = 0  # something of it was not measured
    CLOUDS = 1
    FALLING = 2  # compact, not points
    COLLAPSED = 3
    GUESSING = 4  # no better than guessing, though the classes lie apart
    TOTAL = 5


def at_chance(accuracy: ArrayLike, classes: int) -> np.ndarray:
    """Whether an ``accuracy`` (0…1, any shape) is hardly above that of guessing among ``classes``; never for NaN."""
    return np.asarray(accuracy, np.float64) <= _guess(classes)


def _guess(classes: int) -> float:
    """The largest accuracy that counts as guessing; with one class there is nothing to guess."""
    return 1 / classes + CHANCE_MARGIN * (1 - 1 / classes) if classes > 1 else -math.inf


def phase_of(accuracy: float, spread: float, nc1: float, classes: int) -> Phase:
    """`Phase` of a moment.

    ``accuracy`` on the samples that the other two describe (NaN: no predictions), ``spread`` is the metric
    ``within_class_spread``, ``nc1`` is ``nc1_pinv`` (NaN: the class means coincide), of ``classes`` classes.
    """
    apart = nc1 < OVERLAP
    if accuracy <= _guess(classes):
        return Phase.GUESSING if apart else Phase.TOTAL
    if not math.isfinite(spread):
        return Phase.UNKNOWN
    if not apart or spread >= FALLING:
        return Phase.CLOUDS
    return Phase.COLLAPSED if spread < COLLAPSED else Phase.FALLING


def phases_of(accuracy: np.ndarray, spread: np.ndarray, nc1: np.ndarray, classes: int) -> np.ndarray:
    """`phase_of` each moment of arrays of one shape: uint8 in that shape."""
    moments = zip(accuracy.ravel().tolist(), spread.ravel().tolist(), nc1.ravel().tolist(), strict=True)
    return np.array([phase_of(*moment, classes) for moment in moments], np.uint8).reshape(accuracy.shape)
