"""Every metric a live snapshot carries, computed together in a fraction of a millisecond, for one run or many."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from lpc_core.metrics import _together
from lpc_core.metrics._base import Metric
from lpc_core.metrics._together import mean, squares, variation
from lpc_core.metrics.binarity import peak_distances, weight_abs_cv


class LatentSets:
    """The latents of G runs at one moment, on the same n samples, whose class means are shared by all that needs them.

    ``latents`` (G, d, n), node by node, are finite numbers of any real format; ``labels`` (n,) in 0…K−1.
    """

    def __init__(self, latents: np.ndarray, labels: np.ndarray, classes: int) -> None:
        self.latents, self.classes = latents, classes
        self.nodes = latents.astype(np.float64)
        self.by_label = _together.grouped(self.nodes, labels[None], classes)

    @property
    def means(self) -> np.ndarray:
        """Class means (G, K, d); NaN for absent classes."""
        return self.by_label.means.swapaxes(1, 2)

    @cached_property
    def peaks(self) -> np.ndarray:
        """`node_peak_distance` of every set: (G, d)."""
        sets, d, n = self.latents.shape
        return peak_distances(self.latents.reshape(sets * d, n)).reshape(sets, d)

    @cached_property
    def squared_norms(self) -> np.ndarray:
        """‖z‖² of every sample: (G, n)."""
        return squares(self.nodes)

    def metrics(self, predictions: np.ndarray, weight: np.ndarray, points: np.ndarray | None) -> dict[str, np.ndarray]:
        """`live_metrics` of every set, (G,) each, for predictions (G, n), heads (G, K, d) and points (G, K, d)."""
        radii = np.sqrt(self.squared_norms)
        radius, sizes = mean(radii), np.abs(self.nodes).reshape(len(radii), -1)
        trace, nc1 = _together.scatter(self.by_label)
        return {
            "norm_mean": radius,
            "norm_cv": variation(radii, radius),
            **self._against_theory(radius, points),
            "within_class_spread": np.sqrt(trace) / np.where(radius > 0, radius, np.nan),
            "nc1_pinv": nc1,
            "separation_ratio": _together.separation(self._by_prediction(predictions)),
            "weight_norm": np.sqrt(np.einsum("gkd,gkd->g", weight, weight)),
            "weight_abs_cv": mean(weight_abs_cv(weight)),
            "abs_cv": variation(sizes, mean(sizes)),
            "node_peak_distance_mean": mean(self.peaks),
            "node_peak_distance_min": np.fmin.reduce(self.peaks, axis=1),
        }

    def _by_prediction(self, predictions: np.ndarray) -> _together.Grouped:
        if (predictions == self.by_label.labels).all():
            return self.by_label
        classes = max(self.classes, int(predictions.max()) + 1)
        return _together.grouped(self.nodes, predictions, classes)

    def _against_theory(self, radius: np.ndarray, points: np.ndarray | None) -> dict[str, np.ndarray]:
        """How far the latents are from the predicted collapse points (G, K, d)."""
        counts = self.by_label.counts[0]
        if points is None or not counts.any():
            return dict.fromkeys(("predicted_radius", "radius_error", "point_error"), np.full(len(radius), np.nan))
        radii = np.sqrt(np.einsum("gkd,gkd->gk", points, points))
        predicted = np.where(counts > 0, radii, 0) @ counts / counts.sum()
        misses = np.sqrt(((self.means - points) ** 2).sum(axis=2)) / np.where(radii > 0, radii, np.nan)
        return {"predicted_radius": predicted,
                "radius_error": np.abs(radius - predicted) / np.where(predicted > 0, predicted, np.nan),
                "point_error": mean(misses)}


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
    sets = LatentSets(np.ascontiguousarray(latents.T)[None], labels, len(weight))
    points = None if collapse_points is None else np.asarray(collapse_points, np.float64)[None]
    return {name: float(values[0]) for name, values in sets.metrics(predictions[None], weight[None], points).items()}


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
