"""Mean and scatter of every class in two passes of float64 over blocks of rows: the ground of all collapse metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg.lapack import dgesdd

from lpc_core.metrics.arithmetic.rows import Rows, less


@dataclass(frozen=True, eq=False)
class ClassStatistics:
    """n latents of K classes. An empty class has count 0 and NaN elsewhere; a class of one sample has no scatter.

    Variances are those of the samples (divided by the count), as in Σ_W.
    """

    rows: Rows  # (n, d)
    labels: np.ndarray  # (n,) int64, 0…K−1
    counts: np.ndarray  # (K,) samples per class
    means: np.ndarray  # (K, d) μ_c
    traces: np.ndarray  # (K,) mean squared distance to μ_c, the trace of the class's covariance
    gaps: np.ndarray  # (n,) distance of each sample to the mean of its class
    sums: np.ndarray  # (K,) variance of the sum of a latent's nodes, the sum of all entries of its covariance

    @property
    def present(self) -> np.ndarray:
        """Which classes have samples: (K,) bool."""
        return self.counts > 0

    @property
    def spreadable(self) -> np.ndarray:
        """Which classes have two samples or more, without which there is no scatter: (K,) bool."""
        return self.counts > 1

    @cached_property
    def centred(self) -> np.ndarray:
        """μ_c − μ of the K' classes present, with μ the mean of the class means: (K', d)."""
        means = self.means[self.present]
        centred: np.ndarray = means - means.mean(axis=0)
        return centred

    @cached_property
    def squared_norms(self) -> np.ndarray:
        """Mean ‖z‖² of every class, about the origin: (K,)."""
        squares: np.ndarray = (self.means ** 2).sum(axis=1) + self.traces
        return squares

    @cached_property
    def errors(self) -> np.ndarray:
        """Expected squared error of a latent of every class through the rounding of its format, ‖δz‖²: (K,)."""
        errors: np.ndarray = self.rows.error(np.sqrt(self.squared_norms)) ** 2
        return errors

    @cached_property
    def node_errors(self) -> np.ndarray:
        """The same for each node, with the class's scatter shared out evenly: (K, d)."""
        sizes = np.sqrt(self.means ** 2 + self.traces[:, None] / self.rows.d)
        return self.rows.error(sizes) ** 2

    def deviations(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Each sample less the mean of its class, block by block like `Rows.blocks`: slices and (rows, d) float64."""
        buffer = self.rows.buffer()
        for part, block in self.rows.blocks():
            yield part, less(block, self.means, self.labels[part], buffer)


def class_statistics(rows: Rows, labels: np.ndarray, classes: int) -> ClassStatistics:
    """Statistics of ``rows`` (n, d) grouped by ``labels`` (n,) in 0…K−1.

    First pass: means. Second: squares of the deviations from them. The deviations' own sums, zero but for rounding,
    then correct both (the corrected two-pass formula of Chan, Golub & LeVeque 1983), so neither the number of
    samples nor a mean far from the origin costs digits.
    """
    counts, means = class_means(rows, labels, classes)
    shares = 1 / np.where(counts > 0, counts, np.nan)
    shifts = np.zeros_like(means)
    squares, totals, buffer = np.empty(rows.n), np.zeros(classes), rows.buffer()
    for part, block in rows.blocks():
        own = labels[part]
        away = less(block, means, own, buffer)
        shifts += summing(own, classes) @ away
        squares[part] = np.einsum("ij,ij->i", away, away)
        totals += np.bincount(own, away.sum(axis=1) ** 2, classes)
    shifts = shifts * shares[:, None]
    traces = np.maximum(np.bincount(labels, squares, classes) * shares - (shifts ** 2).sum(axis=1), 0)
    sums = np.maximum(totals * shares - shifts.sum(axis=1) ** 2, 0)
    return ClassStatistics(rows, labels, counts, means + shifts, traces, np.sqrt(squares), sums)


def class_means(rows: Rows, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples (K,) and mean (K, d) of every class; NaN rows for empty ones."""
    counts = np.bincount(labels, minlength=classes)
    sums = sum(summing(labels[part], classes) @ block for part, block in rows.blocks())
    return counts, sums / np.where(counts > 0, counts, np.nan)[:, None]


def summing(labels: np.ndarray, classes: int) -> sparse.csc_array:
    """Matrix (K, rows) that sums the rows of a block class by class."""
    return sparse.csc_array((np.ones(len(labels)), labels, np.arange(len(labels) + 1)), shape=(classes, len(labels)))


def between_directions(centred: np.ndarray, rounding: float) -> tuple[np.ndarray, np.ndarray]:
    """Singular values (r,) above ``rounding`` and right singular vectors (d, r) of the centred class means (K', d)."""
    _, sizes, directions, failed = dgesdd(centred, full_matrices=0)  # `np.linalg.svd`, in half the time
    if failed:
        raise np.linalg.LinAlgError("SVD did not converge")
    kept = sizes > rounding
    kept[len(centred) - 1:] = False  # K centred means span K − 1 directions
    return sizes[kept], directions[kept].T


def class_weights(counts: np.ndarray) -> np.ndarray:
    """Weight of a sample of each class (K,) that turns a sum over samples into a mean over classes of class means; 0
    for a class of one sample, which has no scatter.
    """
    usable = counts > 1
    weights: np.ndarray = np.where(usable, 1 / np.maximum(counts * usable.sum(), 1), 0.0)
    return weights
