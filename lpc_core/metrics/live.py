"""Every metric a live snapshot carries: the live forms of all files of metrics, in a fraction of a millisecond."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from lpc_core.metrics.arithmetic.latent_set import LatentSet
from lpc_core.metrics.arithmetic.together import Labels
from lpc_core.metrics.measuring.group import groups

__all__ = ["Labels", "LatentSet", "forms", "live_metrics", "measured"]


@functools.cache
def forms() -> dict[str, Callable[[LatentSet], float]]:
    """How each metric that can be measured live is, by its name."""
    return {name: form for group in groups().values() for name, form in group.live.items()}


def measured(latents: LatentSet) -> dict[str, float]:
    """All live metrics of a run at one moment."""
    return {name: form(latents) for name, form in forms().items()}


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
    nodes, classes = np.ascontiguousarray(latents.T), Labels(labels, len(weight))
    return measured(LatentSet(nodes, classes, predictions, weight, points))
