"""Every metric a live snapshot carries, computed together in a fraction of a millisecond."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from lpc_core.metrics._base import Metric
from lpc_core.metrics._together import Grouped, Labels, mean, scatter, separation, spread, squares
from lpc_core.metrics.binarity import peak_distances, weight_abs_cv


class LatentSet:
    """The latents of a run at one moment, whose class means and norms are shared by all that needs them.

    ``latents`` (d, n), node by node, are finite numbers of any real format. The set lives in ``memory``
    (3, d, n) float64 where that is given: until the next one is made there.
    """

    def __init__(self, latents: np.ndarray, labels: Labels, memory: np.ndarray | None = None) -> None:
        self.latents, self.labels = latents, labels
        self._memory = np.empty((3, *latents.shape)) if memory is None else memory
        self.nodes, self._deviations, self._scratch = self._memory
        self.nodes[...] = latents
        self.by_node = labels.means(self.nodes)  # (d, K) class means

    @property
    def means(self) -> np.ndarray:
        """Class means (K, d); NaN for absent classes."""
        return self.by_node.T

    @cached_property
    def peaks(self) -> np.ndarray:
        """`node_peak_distance`: (d,)."""
        return peak_distances(self.latents)

    @cached_property
    def squared_norms(self) -> np.ndarray:
        """‖z‖² of every sample: (n,)."""
        return squares(self.nodes)

    def metrics(self, predictions: np.ndarray, weight: np.ndarray, points: np.ndarray | None) -> dict[str, float]:
        """`live_metrics` for predictions (n,), a head (K, d) and points (K, d)."""
        radii, sizes = np.sqrt(self.squared_norms), np.abs(self.nodes, out=self._scratch)
        count = len(radii) or math.nan
        radius, size = float(radii.sum()) / count, float(sizes.sum()) / (sizes.size or math.nan)
        groups = Grouped(self.nodes, self.labels, self.by_node, self._deviations)
        trace, nc1 = scatter(groups)
        evenness = spread(sizes, size)  # before its memory is used again
        return {
            "norm_mean": radius,
            "norm_cv": spread(radii, radius),
            **self._against_theory(radius, points),
            "within_class_spread": math.sqrt(trace) / radius if radius > 0 else math.nan,
            "nc1_pinv": nc1,
            "separation_ratio": separation(self._by_prediction(predictions, groups)),
            "weight_norm": math.sqrt(np.vdot(weight, weight)),
            "weight_abs_cv": mean(weight_abs_cv(weight)),
            "abs_cv": evenness,
            "node_peak_distance_mean": mean(self.peaks),
            "node_peak_distance_min": float(np.fmin.reduce(self.peaks)),
        }

    def _by_prediction(self, predictions: np.ndarray, by_label: Grouped) -> Grouped:
        if np.array_equal(predictions, self.labels.numbers):
            return by_label
        labels = Labels(predictions, max(self.labels.classes, int(predictions.max()) + 1))
        return Grouped(self.nodes, labels, labels.means(self.nodes), self._scratch)

    def _against_theory(self, radius: float, points: np.ndarray | None) -> dict[str, float]:
        """How far the latents are from the predicted collapse points (K, d)."""
        names = "predicted_radius", "radius_error", "point_error"
        if points is None or not len(self.labels.numbers):
            return dict.fromkeys(names, math.nan)
        radii = np.sqrt(np.einsum("kd,kd->k", points, points))
        seen = radii if self.labels.complete else np.where(self.labels.present, radii, 0)
        predicted, away = float(seen @ self.labels.shares), self.means - points
        misses = np.sqrt(np.einsum("kd,kd->k", away, away)) / np.where(radii > 0, radii, np.nan)
        error = abs(radius - predicted) / predicted if predicted > 0 else math.nan
        return dict(zip(names, (predicted, error, mean(misses)), strict=True))


def live_metrics(latents: np.ndarray, labels: np.ndarray, predictions: np.ndarray, weight: np.ndarray,  # noqa: PLR0917
                 bias: np.ndarray, collapse_points: np.ndarray | None) -> dict[str, float]:
    """All live metrics by name (`METRICS` explains each); what cannot be computed is NaN.

    ``latents`` (n, d) of a network with head ``weight`` (K, d) and ``bias`` (K,), true ``labels`` (n,) and
    ``predictions`` (n,), and the predicted ``collapse_points`` (K, d), None where the theory does not apply.
    Classes are the true ones except for the separation ratio, which groups by prediction as the authors do.
    """
    weight = np.asarray(weight, np.float64)
    if weight.shape[1:] != latents.shape[1:] or np.shape(bias) != weight.shape[:1]:
        raise ValueError(f"expected weight (K, {latents.shape[1]}) and bias (K,), got {weight.shape} and "
                         f"{np.shape(bias)}; pass the head that reads these latents")
    points = None if collapse_points is None else np.asarray(collapse_points, np.float64)
    return LatentSet(np.ascontiguousarray(latents.T), Labels(labels, len(weight))).metrics(predictions, weight, points)


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
