"""Where a head's classes would fall, for every γ of a slider, and the γ at which that fits the latents best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lpc_core.theory import collapse_points, critical_gamma

DECADES = 6  # the slider reaches from 10⁻⁶ to 10⁶
STOPS = (65, 13)  # values of γ on it: as many as the head's size allows
BUDGET = (1e5, 1.5e6)  # K²·min(K, d), to which a Newton step's work is proportional, up to which each count is used


@dataclass(frozen=True, eq=False)
class Prediction:
    """The collapse points of one head over γ, in the paper's convention (γ multiplies ‖z‖² summed over the nodes)."""

    gammas: np.ndarray  # (G,) float64, growing; G = 0 where nothing is predicted
    points: np.ndarray  # (G, K, d) float32; NaN where the solver gave up
    errors: np.ndarray  # (G,) mean over classes of ‖μ_c − z*_c‖ / ‖z*_c‖, NaN where unknown
    critical: float  # γ from which a class's own point is no longer surely its own; inf or NaN as `critical_gamma` says
    note: str = ""  # why there is nothing, or what a reader must know

    @property
    def best(self) -> int | None:
        """The index of the γ whose points lie nearest to the class means; None where that says nothing."""
        known = np.isfinite(self.errors)
        return int(np.nanargmin(self.errors)) if known.any() else None


def predict(weight: np.ndarray | None, bias: np.ndarray | None, means: np.ndarray) -> Prediction:
    """Collapse points of the head ``weight`` (K, d), ``bias`` (K,) (zero where None) and how they fit ``means`` (K, d).

    The points are `lpc_core.theory.collapse_points`; rows of ``means`` that are NaN (absent classes) are left out of
    the error. A head that is missing, too large, or not finite gives a `Prediction` with a note and no γ.
    """
    note = _refusal(weight)
    if weight is None or note:
        return Prediction(np.empty(0), np.empty((0, *means.shape), np.float32), np.empty(0), math.nan, note)
    weight = np.asarray(weight, np.float64)
    bias = np.zeros(len(weight)) if bias is None else np.asarray(bias, np.float64)
    gammas = np.logspace(-DECADES, DECADES, _stops(weight))
    points = _all_points(weight, bias, gammas)
    missing = int(np.isnan(points).any(axis=(1, 2)).sum())
    note = f"No points for {missing} of {len(gammas)} values of γ: the solver missed its bound." if missing else ""
    small = _cost(weight) <= BUDGET[0]
    return Prediction(gammas, points.astype(np.float32), _errors(points, means),
                      critical_gamma(weight, bias) if small else math.nan, note)


def _cost(weight: np.ndarray) -> float:
    classes, nodes = weight.shape
    return classes * classes * float(min(classes, nodes))


def _stops(weight: np.ndarray) -> int:
    return next(stops for stops, budget in zip(STOPS, BUDGET, strict=True) if _cost(weight) <= budget)


def _refusal(weight: np.ndarray | None) -> str:
    if weight is None:
        return "The file has no head (W, b), and without one nothing can be predicted."
    if len(weight) < 2:
        return f"Expected a head of at least two classes, got {len(weight)}."
    if not np.isfinite(weight).all():
        return "The head has values that are not finite, so nothing can be predicted."
    if _cost(weight) > BUDGET[-1]:
        return "The head is too large ({:,} × {:,}) to predict its points while you wait.".format(*weight.shape)
    return ""


def _all_points(weight: np.ndarray, bias: np.ndarray, gammas: np.ndarray) -> np.ndarray:
    """(G, K, d), from the strongest γ down: each answer starts the next, and at the strongest the origin is near."""
    points = np.full((len(gammas), *weight.shape), np.nan)
    start = None
    for index in range(len(gammas) - 1, -1, -1):
        try:
            start = points[index] = collapse_points(weight, bias, gammas[index], start)
        except RuntimeError:
            continue  # the rows stay NaN, and `predict` says how many
    return points


def _errors(points: np.ndarray, means: np.ndarray) -> np.ndarray:
    """(G,) mean relative distance of the class means from their predicted points."""
    present = np.isfinite(means).all(axis=1)
    if not present.any():
        return np.full(len(points), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.linalg.norm(points - means, axis=2) / np.linalg.norm(points, axis=2)  # (G, K)
        ratio[~np.isfinite(ratio)] = np.nan
    return np.array([row.mean() if np.isfinite(row).all() else np.nan for row in ratio[:, present]])
