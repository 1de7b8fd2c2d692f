"""Every metric a live snapshot carries, computed together in a few milliseconds."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.metrics._base import Metric
from lpc_core.metrics.binarity import node_peak_distance, weight_abs_cv
from lpc_core.metrics.collapse import ByClass, by_class, nc1_pinv, within_class_spread
from lpc_core.metrics.norms import abs_cv, norm_cv, norm_mean
from lpc_core.metrics.separation import separation_ratio


def live_metrics(latents: np.ndarray, labels: np.ndarray, predictions: np.ndarray, weight: np.ndarray,  # noqa: PLR0917
                 bias: np.ndarray, collapse_points: np.ndarray | None, *,
                 peaks: np.ndarray | None = None) -> dict[str, float]:
    """All live metrics by name (`METRICS` explains each); what cannot be computed is NaN.

    ``latents`` (n, d) of a network with head ``weight`` (K, d) and ``bias`` (K,), true ``labels`` (n,) and
    ``predictions`` (n,), and the predicted ``collapse_points`` (K, d), None where the theory does not apply.
    ``peaks`` (d,) is `node_peak_distance` of the same latents, where the caller has it already.
    Classes are the true ones except for the separation ratio, which groups by prediction as the authors do.
    """
    weight = np.asarray(weight, np.float64)
    if weight.shape[1:] != latents.shape[1:] or np.shape(bias) != weight.shape[:1]:
        raise ValueError(f"expected weight (K, {latents.shape[1]}) and bias (K,), got {weight.shape} and "
                         f"{np.shape(bias)}; pass the head that reads these latents")
    groups, radius = by_class(latents, labels, len(weight)), norm_mean(latents)
    peaks = node_peak_distance(latents) if peaks is None else peaks
    return {
        "norm_mean": radius,
        "norm_cv": norm_cv(latents),
        **_against_theory(groups, radius, collapse_points),
        "within_class_spread": within_class_spread(groups, radius),
        "nc1_pinv": nc1_pinv(groups),
        "separation_ratio": separation_ratio(latents, predictions),
        "weight_norm": float(np.linalg.norm(weight)),
        "weight_abs_cv": _mean(weight_abs_cv(weight)),
        "abs_cv": abs_cv(latents),
        "node_peak_distance_mean": _mean(peaks),
        "node_peak_distance_min": float(np.fmin.reduce(peaks)),
    }


def _against_theory(groups: ByClass, radius: float, points: np.ndarray | None) -> dict[str, float]:
    """How far the latents are from the predicted collapse points (K, d)."""
    if points is None or not groups.present.any():
        return dict.fromkeys(("predicted_radius", "radius_error", "point_error"), math.nan)
    radii = np.sqrt((points * points).sum(axis=1))  # (K,)
    predicted = float(radii @ groups.counts / groups.counts.sum())
    misses = np.sqrt(((groups.means - points) ** 2).sum(axis=1)) / np.where(radii > 0, radii, np.nan)  # (K,)
    return {"predicted_radius": predicted,
            "radius_error": abs(radius - predicted) / predicted if predicted > 0 else math.nan,
            "point_error": _mean(misses)}


def _mean(values: np.ndarray) -> float:
    """Mean of the values that exist (absent classes and unused nodes are NaN); NaN when none does."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


METRICS = (  # those that need the theory; the others' words are beside their functions
    Metric("predicted_radius", "Predicted radius", "mean of ‖z*_y‖, z*_y = argmin CE(Wz + b, y) + γ‖z‖²",
           "The radius at which pushing out and pulling in balance for the present head, solved without looking at "
           "the latents.", "this project, after Lemma 2 of the paper", True),
    Metric("radius_error", "Radius error", "|mean ‖z‖ − predicted| / predicted",
           "How far the measured radius is from the predicted one. Large before the classes have settled, and where "
           "the predicted radius is smaller than one training step can aim.", "this project", True),
    Metric("point_error", "Collapse point error", "mean over classes of ‖μ_c − z*_c‖ / ‖z*_c‖",
           "How far each class's centre is from the one point the theory gives it. Small: the theory holds.",
           "this project", True),
)
