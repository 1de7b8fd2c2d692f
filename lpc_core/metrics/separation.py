"""The separation ratio 𝓡: how much nearer a sample is to its own class than to the next one."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.metrics._base import Metric, Reading
from lpc_core.metrics._given import Given
from lpc_core.metrics._group import Group, undefined
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
    other = nearest(latents, centroids, own)
    near = np.sqrt((sorted_.deviations ** 2).sum(axis=1))
    far = np.sqrt(((latents - centroids[other]) ** 2).sum(axis=1))
    usable = near > 0
    return float((far[usable] / near[usable]).mean()) if usable.any() else math.nan


def nearest(latents: np.ndarray, centroids: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """Row of the centroid nearest to each of ``latents`` (n, d), its ``own`` (n,) excepted where given: (n,).

    ‖z − μ‖² is expanded only to rank the centroids; the distances themselves are taken by subtraction.
    """
    middle = centroids.mean(axis=0)
    shifted = centroids - middle
    ranks = (shifted ** 2).sum(axis=1) - 2 * (latents - middle) @ shifted.T  # (n, G) squared distance less ‖z‖²
    if own is not None:
        ranks[np.arange(len(own)), own] = np.inf
    return ranks.argmin(axis=1)


def _measure(found: Given) -> dict[str, Reading]:
    """The same, block by block, grouped by prediction where one is known."""
    groups = found.by_prediction
    how = f"grouped by prediction ({found.predictions_from})" if found.predictions is not None else \
        "grouped by true label: no predictions given"
    if groups.present.sum() < 2:
        return {"separation_ratio": undefined(f"only one group; {how}")}
    index, centroids = np.cumsum(groups.present) - 1, groups.means[groups.present]  # (K,), (G, d)
    total, used, blurred = 0.0, 0, 0
    for part, block in found.latents.blocks():
        group = groups.labels[part]
        other = nearest(block, centroids, index[group])
        near, far = _distances(block, groups.means[group]), _distances(block, centroids[other])
        total += float((far / np.where(near > 0, near, np.inf)).sum())  # 0 where near is 0
        used += int((near > 0).sum())
        blurred += int((near <= np.sqrt(groups.errors[group])).sum())
    n = found.latents.n
    notes = [how, *([f"{n - used:,} of {n:,} samples lie on their centroid and are left out"] if used < n else []),
             *([f"{blurred:,} of {n:,} samples are nearer to their centroid than {found.latents.format} can tell: read "
                "it as a lower bound"] if blurred else [])]
    reading = Reading(total / used, reason="; ".join(notes)) if used else undefined("; ".join(notes))
    return {"separation_ratio": reading}


def _distances(latents: np.ndarray, points: np.ndarray) -> np.ndarray:
    away = latents - points
    return np.sqrt(np.einsum("ij,ij->i", away, away))


METRICS = (
    Metric("separation_ratio", "Separation ratio 𝓡", "mean of (distance to nearest other centre / to own centre)",
           "How much nearer a sample is to its own class than to the next. Grouped by prediction. In the paper it "
           "goes along with robustness.", "Sbailò & Ghiringhelli, arXiv 2310.08224, Figure 3", True),
)
GROUP = Group(("separation_ratio",), _measure)
