"""The separation ratio 𝓡: how much nearer a sample is to its own class than to the next one."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.metrics.collapse import by_class


def separation_ratio(latents: np.ndarray, groups: np.ndarray) -> float:
    """Mean over samples of (distance to the nearest other centroid) / (distance to the own centroid).

    ``latents`` (n, d), ``groups`` (n,) non-negative whole numbers: the predictions ŷ in the authors' code and Figure 3
    of the paper, or the true labels. Empty groups are ignored. As in the paper the mean is over finite values: a
    sample that sits exactly on its centroid (a group of one) is left out. NaN when none is left or only one group
    exists.
    """
    sorted_ = by_class(latents, groups)
    index = np.cumsum(sorted_.present) - 1  # from group number to row of `centroids`
    centroids = sorted_.means[sorted_.present]  # (G, d)
    if len(centroids) < 2:
        return math.nan
    latents, own = np.asarray(latents, np.float64), index[sorted_.labels]
    other = _nearest_other(latents, own, centroids)
    near = np.sqrt((sorted_.deviations ** 2).sum(axis=1))
    far = np.sqrt(((latents - centroids[other]) ** 2).sum(axis=1))
    usable = near > 0
    return float((far[usable] / near[usable]).mean()) if usable.any() else math.nan


def _nearest_other(latents: np.ndarray, own: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Row of the centroid nearest to each sample, its own excepted: (n,).

    ‖z − μ‖² is expanded only to rank the centroids; the distances themselves are taken by subtraction.
    """
    middle = centroids.mean(axis=0)
    shifted = centroids - middle
    ranks = (shifted ** 2).sum(axis=1) - 2 * (latents - middle) @ shifted.T  # (n, G) squared distance less ‖z‖²
    ranks[np.arange(len(own)), own] = np.inf
    return ranks.argmin(axis=1)
