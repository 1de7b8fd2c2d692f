"""Every node of the latent by itself: its mean, spread, range and the sizes it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lpc_core.metrics.arithmetic.rows import Rows


@dataclass(frozen=True, eq=False)
class PerNode:
    """Statistics of d nodes over n samples, float64. Standard deviations are those of the samples (divided by n)."""

    means: np.ndarray  # (d,)
    stds: np.ndarray  # (d,)
    least: np.ndarray  # (d,) smallest value
    largest: np.ndarray  # (d,) largest value
    abs_means: np.ndarray  # (d,) mean of |z_ij|
    abs_stds: np.ndarray  # (d,) standard deviation of |z_ij|

    @property
    def constant(self) -> np.ndarray:
        """Which nodes take one value only: (d,) bool."""
        constant: np.ndarray = self.least == self.largest
        return constant

    @property
    def abs_cv(self) -> np.ndarray:
        """Standard deviation over mean of |z_ij| of every node: (d,), NaN for a node that is always 0."""
        return self.abs_stds / np.where(self.abs_means > 0, self.abs_means, np.nan)


def per_node(latents: Any) -> PerNode:
    """Statistics of every node of ``latents`` (n, d), an array or tensor. `mixtures` has their two peaks."""
    return node_statistics(Rows(latents, "latents"))


def node_statistics(rows: Rows) -> PerNode:
    """The same of `Rows`: two passes in each block, the blocks joined exactly (Chan, Golub & LeVeque 1983)."""
    count, plain, sizes = 0, _Moments(rows), _Moments(rows)
    absolute = rows.buffer()
    least, largest = np.full(rows.d, np.inf), np.full(rows.d, -np.inf)
    for _, block in rows.blocks():
        least, largest = np.minimum(least, block.min(axis=0)), np.maximum(largest, block.max(axis=0))
        plain.join(count, block)
        sizes.join(count, np.abs(block, out=absolute[:len(block)]))
        count += len(block)
    return PerNode(plain.means, plain.stds(count), least, largest, sizes.means, sizes.stds(count))


class _Moments:
    """Mean and squared deviations of nodes, block after block."""

    def __init__(self, rows: Rows) -> None:
        self.means, self.squares, self._buffer = np.zeros(rows.d), np.zeros(rows.d), rows.buffer()

    def join(self, count: int, block: np.ndarray) -> None:
        """Add ``block`` (rows, d) to what ``count`` rows have given."""
        means = block.mean(axis=0)
        away = np.subtract(block, means, out=self._buffer[:len(block)])
        rest = away.mean(axis=0)  # zero but for the rounding of the first pass
        means += rest
        gap, total = means - self.means, count + len(block)
        own = np.maximum(np.einsum("ij,ij->j", away, away) - len(block) * rest ** 2, 0)
        self.squares += own + gap ** 2 * (count * len(block) / total)
        self.means += gap * (len(block) / total)

    def stds(self, count: int) -> np.ndarray:
        return np.sqrt(self.squares / count)
