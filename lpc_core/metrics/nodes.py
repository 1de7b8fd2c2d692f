"""Every node of the latent by itself: its mean, spread, range and the sizes it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lpc_core.metrics.arithmetic.moments import Spread
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


def per_node(latents: Any) -> PerNode:
    """Statistics of every node of ``latents`` (n, d), an array or tensor. `mixtures` has their two peaks."""
    return node_statistics(Rows(latents, "latents"))


def node_statistics(rows: Rows) -> PerNode:
    """The same of `Rows`: two passes in each block, the blocks joined exactly (Chan, Golub & LeVeque 1983)."""
    plain, sizes = Spread((rows.d,)), Spread((rows.d,))
    absolute, buffer = rows.buffer(), rows.buffer()
    least, largest = np.full(rows.d, np.inf), np.full(rows.d, -np.inf)
    for _, block in rows.blocks():
        least, largest = np.minimum(least, block.min(axis=0)), np.maximum(largest, block.max(axis=0))
        plain.join(len(block), *_moments(block, buffer))
        sizes.join(len(block), *_moments(np.abs(block, out=absolute[:len(block)]), buffer))
    return PerNode(plain.mean(), plain.std(), least, largest, sizes.mean(), sizes.std())


def _moments(block: np.ndarray, buffer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sum of squared deviations of every node of ``block`` (rows, d): (d,) both."""
    means = block.mean(axis=0)
    away = np.subtract(block, means, out=buffer[:len(block)])
    rest = away.mean(axis=0)  # zero but for the rounding of the first pass
    return means + rest, np.maximum(np.einsum("ij,ij->j", away, away) - len(block) * rest ** 2, 0)
