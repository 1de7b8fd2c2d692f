"""The separation ratio 𝓡: how much nearer a sample is to its own class than to the next one."""

from __future__ import annotations

import numpy as np

from lpc_core.metrics.arithmetic.rows import lengths, less
from lpc_core.metrics.arithmetic.together import separation
from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined

_MANY = 1 << 17  # distances from which on float32 is worth its check


def nearest(latents: np.ndarray, centroids: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """Row of the centroid nearest to each of ``latents`` (n, d), its ``own`` (n,) excepted where given: (n,).

    Many are ranked in float32 first, and in float64 only where that leaves it open.
    """
    middle = centroids.mean(axis=0)
    shifted = centroids - middle
    scale = np.abs(shifted).max()
    if len(latents) * len(centroids) < _MANY or not scale:
        closest: np.ndarray = _ranks(latents - middle, shifted, own).argmin(axis=1)
        return closest
    few = (shifted / scale).astype(np.float32)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # where float32 ends float64 decides
        small = np.subtract(latents, middle, out=np.empty(latents.shape, np.float32), casting="same_kind")
        small *= np.float32(1 / scale)
        found, lead = _best(_ranks(small, few, own))
        reach = lengths(few).max()
        doubt = 4 * (few.shape[1] + 4) * np.finfo(np.float32).eps * reach * (lengths(small) + reach)
        unsure = ~(lead > doubt)
    if unsure.any():
        ranks = _ranks(latents[unsure] - middle, shifted, None if own is None else own[unsure])
        found[unsure] = ranks.argmin(axis=1)
    return found


def _ranks(away: np.ndarray, centroids: np.ndarray, own: np.ndarray | None) -> np.ndarray:
    """Squared distance less ‖z‖² of each latent to each centroid (n, G); infinite to its own."""
    ranks: np.ndarray = away @ (-2 * centroids).T
    ranks += (centroids ** 2).sum(axis=1)
    if own is not None:
        ranks[np.arange(len(own)), own] = np.inf
    return ranks


def _best(ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Column of the least entry of each row, and how far the next is above it: (n,) both. Overwrites ``ranks``."""
    rows, best = np.arange(len(ranks)), ranks.argmin(axis=1)
    least = ranks[rows, best]
    ranks[rows, best] = np.inf
    return best, ranks.min(axis=1) - least


def _measure(found: Given) -> dict[str, Reading]:
    """Mean over samples of (distance to the nearest other centroid) / (distance to the own one), block by block.

    Grouped by prediction where one is known, as in the authors' code and Figure 3 of the paper. Empty groups are
    ignored. As in the paper the mean is over finite values: a sample exactly on its centroid is left out.
    """
    groups, means = found.centroids
    how = f"grouped by prediction ({found.predictions_from})" if found.predictions is not None else \
        "grouped by true label: no predictions given"
    present = ~np.isnan(means[:, 0])
    if present.sum() < 2:
        return {"separation_ratio": undefined(f"only one group; {how}")}
    index, centroids, n = np.cumsum(present) - 1, means[present], found.latents.n  # (K,), (G, d)
    total, used, blurred, buffer = 0.0, 0, 0, found.latents.buffer()
    errors = found.latents.error(lengths(centroids))  # (G,) of a sample near its centroid
    for part, block in found.latents.blocks():
        own = index[groups[part]]
        near = lengths(less(block, centroids, own, buffer))
        far = lengths(less(block, centroids, nearest(block, centroids, own), buffer))
        total += float((far / np.where(near > 0, near, np.inf)).sum())  # 0 where near is 0
        used += int((near > 0).sum())
        blurred += int((near <= errors[own]).sum())
    notes = "; ".join(filter(None, (
        how, f"{n - used:,} of {n:,} samples lie on their centroid and are left out" if used < n else "",
        f"{blurred:,} of {n:,} samples are nearer to their centroid than {found.latents.format} can tell: read it as a "
        "lower bound" if blurred else "")))
    return {"separation_ratio": Reading(total / used, reason=notes) if used else undefined(notes)}


METRICS = (
    Metric("separation_ratio", "Separation ratio 𝓡", "mean of (distance to nearest other centre / to own centre)",
           "How much nearer a sample is to its own class than to the next. Grouped by prediction. In the paper it "
           "goes along with robustness.", "Sbailò & Ghiringhelli, arXiv 2310.08224, Figure 3", "log", "𝓡"),
)
GROUP = Group(("separation_ratio",), _measure, needs_samples=True,
              beyond_moments="needs each sample's distance to the final centroids",
              live={"separation_ratio": lambda latents: separation(latents.by_prediction())})
