"""Where a head's classes would fall, for every γ of a slider, and the γ at which that fits the latents best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lpc_core.inspection import Inspection
from lpc_core.theory import collapse_points, critical_gamma

DECADES = 6  # the slider reaches from 10⁻⁶ to 10⁶
STOPS = (65, 13)  # values of γ on it: as many as the head's size allows
BUDGET = (1e5, 1.5e6)  # K²·min(K, d), to which a Newton step's work is proportional, up to which each count is used
FINER = 9  # values of γ tried between the two beside the best


@dataclass(frozen=True, eq=False)
class Prediction:
    """The collapse points of one head over γ, in the paper's convention (γ multiplies ‖z‖² summed over the nodes)."""

    gammas: np.ndarray  # (G,) float64, growing; G = 0 where nothing is predicted
    collapse_points: np.ndarray  # (G, K, d) float32; NaN where the solver gave up
    errors: np.ndarray  # (G,) mean over classes of ‖μ_c − z*_c‖ / ‖z*_c‖, NaN where unknown
    critical: float  # γ from which a class's own point is no longer surely its own; inf or NaN as `critical_gamma` says
    known: float | None = None  # γ at the end of training, where the file says it
    note: str = ""  # why there is nothing, or what a reader must know

    @property
    def best(self) -> int | None:
        """The index of the γ whose points lie nearest to the class means; None where that says nothing."""
        known = np.isfinite(self.errors)
        return int(np.nanargmin(self.errors)) if known.any() else None

    @property
    def radii(self) -> np.ndarray:
        """Mean ‖z*‖ over the classes at every γ, (G,)."""
        radii: np.ndarray = np.linalg.norm(self.collapse_points, axis=2).mean(axis=1)
        return radii


def predict(weight: np.ndarray | None, bias: np.ndarray | None, means: np.ndarray, known: float | None = None,
            remark: str = "") -> Prediction:
    """Collapse points of the head ``weight`` (K, d), ``bias`` (K,) (zero where None) and how they fit ``means`` (K, d).

    The points are `lpc_core.theory.collapse_points`. The γ of training, ``known``, and the one that fits best, searched
    between the slider's, are among the values of γ. ``remark`` says why the theory need not hold for these latents.
    Rows of ``means`` that are NaN (absent classes) are left out of the error. A head that is missing, too large, or not
    finite gives a `Prediction` with a note and no γ.
    """
    note = _refusal(weight)
    if weight is None or note:
        return Prediction(np.empty(0), np.empty((0, *means.shape), np.float32), np.empty(0), math.nan, known, note)
    head = _Head(np.asarray(weight, np.float64), means, bias)
    cost = _cost(head.weight)
    stops = next(stops for stops, budget in zip(STOPS, BUDGET, strict=True) if cost <= budget)
    gammas = np.logspace(-DECADES, DECADES, stops)
    head.solve(gammas if known is None else np.append(gammas, known))
    small = cost <= BUDGET[0]
    if small:
        head.refine()
    gammas, points, errors = head.sorted()
    missing = int(np.isnan(points).any(axis=(1, 2)).sum())
    lost = f"No points for {missing} of {len(gammas)} values of γ: the solver missed its bound." if missing else ""
    return Prediction(gammas, points, errors, critical_gamma(head.weight, head.bias) if small else math.nan, known,
                      " ".join(filter(None, (remark, lost))))


def _cost(weight: np.ndarray) -> float:
    classes, nodes = weight.shape
    return float(classes * classes * min(classes, nodes))


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


class _Head:
    """A head, the class means it should explain, and its points at the values of γ solved so far."""

    def __init__(self, weight: np.ndarray, means: np.ndarray, bias: np.ndarray | None) -> None:
        self.weight, self.means = weight, means
        self.bias = np.zeros(len(weight)) if bias is None else np.asarray(bias, np.float64)
        self.found: dict[float, np.ndarray] = {}  # γ → (K, d)

    def solve(self, gammas: np.ndarray) -> None:
        """From the strongest γ down: each answer starts the next, and at the strongest the origin is near."""
        start = None
        for gamma in sorted(map(float, gammas), reverse=True):
            try:
                start = self.found[gamma] = collapse_points(self.weight, self.bias, gamma, start)
            except RuntimeError:
                self.found[gamma] = np.full_like(self.weight, np.nan)  # `predict` says how many

    def refine(self) -> None:
        """Keep the best fit between the two values beside the best one so far too."""
        gammas, _, errors = self.sorted()
        if not np.isfinite(errors).any():
            return
        best = int(np.nanargmin(errors))
        low, high = gammas[max(0, best - 1)], gammas[min(len(gammas) - 1, best + 1)]
        before = dict(self.found)
        self.solve(np.geomspace(low, high, FINER + 2)[1:-1])
        gammas, _, errors = self.sorted()
        kept = float(gammas[np.nanargmin(errors)])
        self.found = before | {kept: self.found[kept]}

    def sorted(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """γ (G,) growing, points (G, K, d) float32, errors (G,)."""
        gammas = np.array(sorted(self.found))
        points = np.stack([self.found[gamma] for gamma in gammas])
        return gammas, points.astype(np.float32), _errors(points, self.means)


def _errors(points: np.ndarray, means: np.ndarray) -> np.ndarray:
    """(G,) mean relative distance of the class means from their predicted points."""
    present = np.isfinite(means).all(axis=1)
    if not present.any():
        return np.full(len(points), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.linalg.norm(points - means, axis=2) / np.linalg.norm(points, axis=2)  # (G, K)
        ratio[~np.isfinite(ratio)] = np.nan
    return np.array([row.mean() if np.isfinite(row).all() else np.nan for row in ratio[:, present]])


def predict_for(inspection: Inspection, means: np.ndarray) -> Prediction:
    """`predict` for an inspection: with the γ of its training and what its layout says of the theory."""
    layout = inspection.layout or {}
    known = layout.get("gamma")
    gamma = float(known) if isinstance(known, int | float) and 10.0**-DECADES < known < 10.0**DECADES else None
    return predict(inspection.embeddings.weight, inspection.embeddings.bias, means, gamma,
                   str(layout.get("theory_note", "")))
