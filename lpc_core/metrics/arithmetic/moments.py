"""Counts, means and scatters, gathered batch by batch and exact: what most collapse metrics need of the samples.

Two sets of samples are merged by the rule of Chan, Golub & LeVeque (1979): with δ the difference of their means,
``S = S_a + S_b + δδᵀ n_a n_b / (n_a + n_b)``. Class means are kept as offsets from one sample of their class, so that
classes which collapsed to the last bits of float32 keep all digits of their scatter. All in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lpc_core.metrics.arithmetic.classes import ClassStatistics, summing
from lpc_core.metrics.arithmetic.rows import Rows


class Spread:
    """Count, mean and sum of squared deviations of numbers, or of each column of rows of numbers."""

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        self.count, self.average, self.scatter = 0, np.zeros(shape), np.zeros(shape)

    def add(self, values: np.ndarray) -> None:
        """Add ``values`` (n, …), n ≥ 1."""
        average = values.mean(axis=0)
        self.join(len(values), average, ((values - average) ** 2).sum(axis=0))

    def merge(self, other: Spread) -> None:
        """Add all that ``other`` was given."""
        self.join(other.count, other.average, other.scatter)

    def join(self, count: int, average: np.ndarray, scatter: np.ndarray) -> None:
        """Add ``count`` values with this mean and sum of squared deviations."""
        total = self.count + count
        if count:
            gap = average - self.average
            self.scatter = self.scatter + (scatter + gap**2 * (self.count * count / total))
            self.average = self.average + gap * (count / total)
            self.count = total

    def mean(self) -> np.ndarray:
        """The mean: a number, or one per column."""
        return self.average

    def std(self) -> np.ndarray:
        """The standard deviation (divided by the count)."""
        return np.sqrt(self.scatter / self.count)


@dataclass(eq=False)
class Moments:
    """What is known of the samples of P classes; ``classes`` says which of the K they are."""

    classes: np.ndarray  # (P,) class numbers
    counts: np.ndarray  # (P,) samples, float64
    origins: np.ndarray  # (P, d) one sample of each class
    shifts: np.ndarray  # (P, d) mean − origin
    squares: np.ndarray  # (P,) sum of ‖z − μ_c‖²
    totals: np.ndarray  # (P,) sum of (Σ_j (z_j − μ_cj))², the sum of all entries of the scatter matrix
    scatters: np.ndarray | None  # (P, d, d) sum of (z − μ_c)(z − μ_c)ᵀ, where it is wanted

    @classmethod
    def none(cls, classes: int, nodes: int, full: bool) -> Moments:
        """Of no samples, for all K classes; ``full`` keeps the scatter matrices."""
        return cls(np.arange(classes), np.zeros(classes), np.zeros((classes, nodes)), np.zeros((classes, nodes)),
                   np.zeros(classes), np.zeros(classes), np.zeros((classes, nodes, nodes)) if full else None)

    def add(self, latents: np.ndarray, labels: np.ndarray) -> None:
        """Add a batch (n, d), n ≥ 1, with labels 0…K−1; this one has all K classes, in order."""
        classes, first, own = np.unique(labels, return_index=True, return_inverse=True)
        seen = self.counts[classes, None] > 0
        origins = np.where(seen, self.origins[classes], latents[first])
        members = summing(own, len(classes))  # (P, n)
        counts = np.bincount(own).astype(np.float64)
        away = latents - origins[own]
        shifts = members @ away / counts[:, None]
        away -= shifts[own]
        rest = members @ away / counts[:, None]  # zero but for the rounding of the first pass
        away -= rest[own]
        scatters = None if self.scatters is None else _scatters(away, own, counts)
        self.merge(Moments(classes, counts, origins, shifts + rest, members @ (away**2).sum(axis=1),
                           members @ away.sum(axis=1) ** 2, scatters))

    def merge(self, other: Moments) -> None:
        """Add the samples of ``other``, whose classes are among these; this one has all K, in order."""
        rows, n = other.classes, self.counts[other.classes]
        self.origins[rows[n == 0]] = other.origins[n == 0]
        gap = (other.origins - self.origins[rows]) + (other.shifts - self.shifts[rows])  # (P, d) between the means
        total = np.maximum(n + other.counts, 1)
        weight = n * other.counts / total
        self.shifts[rows] += gap * (other.counts / total)[:, None]
        self.squares[rows] += other.squares + weight * (gap**2).sum(axis=1)
        self.totals[rows] += other.totals + weight * gap.sum(axis=1) ** 2
        if self.scatters is not None and other.scatters is not None:
            self.scatters[rows] += other.scatters + weight[:, None, None] * gap[:, :, None] * gap[:, None, :]
        self.counts[rows] += other.counts

    def statistics(self, rows: Rows) -> GatheredStatistics:
        """The same in the form that the metrics read; ``rows`` says how exactly the samples were known."""
        shares = 1 / np.where(self.counts > 0, self.counts, np.nan)
        k, d = self.shifts.shape
        return GatheredStatistics(
            rows, labels=np.repeat(np.arange(k), d), counts=self.counts.astype(np.int64),
            means=np.where(np.isnan(shares)[:, None], np.nan, self.origins + self.shifts), traces=self.squares * shares,
            gaps=np.empty(0), sums=self.totals * shares, scatters=self.scatters)


def _scatters(away: np.ndarray, own: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Σ away awayᵀ of every class: (P, d, d)."""
    ordered = away[np.argsort(own, kind="stable")]
    parts = np.split(ordered, counts.cumsum()[:-1].astype(np.int64))
    return np.stack([part.T @ part for part in parts])


@dataclass(frozen=True, eq=False)
class GatheredStatistics(ClassStatistics):
    """Class statistics whose samples are gone: in their place are d rows per class that have the same scatter."""

    scatters: np.ndarray | None = None  # (K, d, d)

    def deviations(self) -> Iterator[tuple[slice, np.ndarray]]:
        """For every class a (d, d) matrix R with RᵀR its scatter matrix: all that a quadratic measure can tell.

        Without the matrices there are none, and what is computed from them (NC1) must not be shown. Every node is
        first scaled to the same width: the root of a matrix is exact only relative to its largest direction.
        """
        for c, scatter in enumerate(() if self.scatters is None else self.scatters):
            widths = np.sqrt(np.diag(scatter))
            scale = np.where(widths > 0, widths, 1.0)
            values, vectors = np.linalg.eigh(scatter / scale / scale[:, None])
            root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
            yield slice(c * len(scatter), (c + 1) * len(scatter)), root * scale


class Forgotten(Rows):
    """What is still known of rows that were read and let go: how many, how wide, and how exact."""

    def __init__(self, d: int) -> None:
        self.name, self.n, self.d = "latents", 0, d
        self.format, self.eps, self.smallest = "float64", 0.0, 0.0

    def note(self, rows: Rows | Forgotten) -> None:
        """Count ``rows`` in; the coarsest format of all decides."""
        self.n += rows.n
        if rows.eps >= self.eps:
            self.format, self.eps, self.smallest = rows.format, rows.eps, rows.smallest
