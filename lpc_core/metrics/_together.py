"""Sets of latents of the same n samples, measured at once: G runs at one moment, or one run (G = 1).

The values lie node by node, (G, d, n), so that everything runs along the samples. As in `collapse`, whose functions
measure a single set, variances take two passes in float64: subtract the mean, then square.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lpc_core.metrics.collapse import between_directions


@dataclass(frozen=True, eq=False)
class Grouped:
    """The samples of every set by class. An absent class has count 0 and a mean of NaN."""

    labels: np.ndarray  # (G | 1, n) class of each sample, 0…K−1
    counts: np.ndarray  # (G | 1, K)
    means: np.ndarray  # (G, d, K)
    cells: np.ndarray  # (G, d, n) where the mean of a sample's own class is in the flattened means
    nodes: np.ndarray  # (G, d, n) float64

    @cached_property
    def deviations(self) -> np.ndarray:
        """Z − μ_c of the sample's own class: (G, d, n)."""
        away: np.ndarray = self.nodes - self.means.take(self.cells)
        return away

    @cached_property
    def gaps(self) -> np.ndarray:
        """Squared distance of each sample to the mean of its own class: (G, n)."""
        return squares(self.deviations)


def grouped(nodes: np.ndarray, labels: np.ndarray, classes: int) -> Grouped:
    """Group ``nodes`` (G, d, n) by ``labels`` (G, n), or (1, n) where all sets share them, into K = ``classes``."""
    sets, d, _ = nodes.shape
    own = labels + classes * np.arange(len(labels))[:, None]
    counts = np.bincount(own.ravel(), minlength=len(labels) * classes).reshape(-1, classes)
    cells = labels[:, None] + classes * np.arange(sets * d).reshape(sets, d, 1)
    sums = np.bincount(cells.ravel(), nodes.ravel(), sets * d * classes).reshape(sets, d, classes)
    return Grouped(labels, counts, sums / np.where(counts > 0, counts, np.nan)[:, None], cells, nodes)


def squares(nodes: np.ndarray) -> np.ndarray:
    """Squared norm of every sample of (G, d, n): (G, n)."""
    return np.einsum("gdn,gdn->gn", nodes, nodes)


def scatter(groups: Grouped) -> tuple[np.ndarray, np.ndarray]:
    """Tr Σ_W and NC1 of every set, (G,) each, for groups that all sets share: as `sigma_w_trace` and `nc1_pinv`."""
    counts, sets = groups.counts[0], len(groups.nodes)
    usable, present = counts > 1, counts > 0
    if not usable.any():
        return np.full(sets, np.nan), np.full(sets, np.nan)
    weights = np.where(usable, 1 / np.maximum(counts * usable.sum(), 1), 0.0)[groups.labels[0]]  # (n,)
    means = groups.means[:, :, present].swapaxes(1, 2)  # (G, K', d)
    nc1 = np.full(sets, np.nan)
    for g in range(sets if means.shape[1] > 1 else 0):
        centred = means[g] - means[g].mean(axis=0)
        rounding = np.finfo(np.float64).eps * max(centred.shape) * np.linalg.norm(means[g])
        sizes, directions = between_directions(centred, rounding)  # (r,), (d, r)
        if sizes.size:
            along = directions.T @ groups.deviations[g]  # (r, n)
            nc1[g] = ((along * along) @ weights / sizes ** 2).sum()
    return groups.gaps @ weights, nc1


def separation(groups: Grouped) -> np.ndarray:
    """`separation_ratio` of every set: (G,)."""
    nodes, present = groups.nodes, groups.counts > 0  # (G | 1, K)
    middle = np.where(present[:, None], groups.means, 0).sum(axis=2) / np.maximum(present.sum(axis=1), 1)[:, None]
    shifted = np.where(present[:, None], groups.means - middle[:, :, None], 0)  # (G, d, K)
    lengths = np.where(present, np.einsum("gdk,gdk->gk", shifted, shifted), np.inf)
    ranks = (nodes - middle[:, :, None]).swapaxes(1, 2) @ (-2 * shifted) + lengths[:, None]  # (G, n, K): ‖z−μ‖² − ‖z‖²
    ranks[np.arange(len(nodes))[:, None], np.arange(nodes.shape[2]), groups.labels] = np.inf
    other = ranks.argmin(axis=2) - groups.labels  # (G, n) how many classes further
    far = squares(nodes - groups.means.take(groups.cells + other[:, None]))
    usable = (groups.gaps > 0) & (present.sum(axis=1) > 1)[:, None]
    ratios = np.sqrt(np.divide(far, groups.gaps, out=np.zeros_like(far), where=usable))
    return mean(ratios, usable)


def mean(values: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
    """Mean over the last axis of those values that are ``known``, by default not NaN; NaN where none is."""
    known = ~np.isnan(values) if known is None else known
    counts = known.sum(axis=-1)
    return np.where(known, values, 0).sum(axis=-1) / np.where(counts > 0, counts, np.nan)


def variation(sizes: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Standard deviation of ``sizes`` (G, m) over their ``means`` (G,); NaN where that is not above 0."""
    away = sizes - means[:, None]
    spread = np.sqrt(np.einsum("gm,gm->g", away, away) / max(sizes.shape[1], 1))
    return spread / np.where(means > 0, means, np.nan)
