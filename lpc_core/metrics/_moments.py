"""Counts, means and scatters of classes, gathered batch by batch and exact: what collapse metrics need of the samples.

Two sets of samples are merged by the rule of Chan, Golub & LeVeque (1979): with δ the difference of their means,
``S = S_a + S_b + δδᵀ n_a n_b / (n_a + n_b)``. Means are kept as offsets from one sample of their class, so that classes
that collapsed to the last bits of float32 keep all digits of their scatter. All in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lpc_core.metrics.collapse import by_class


@dataclass
class Spread:
    """How many numbers there were, their mean, and the sum of their squared deviations from it."""

    count: int = 0
    mean: float = 0.0
    scatter: float = 0.0

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        """That of ``values``, of any shape."""
        if not values.size:
            return cls()
        mean = float(values.mean())
        return cls(values.size, mean, float(((values - mean) ** 2).sum()))

    def merge(self, other: Spread) -> None:
        """Add the numbers of ``other``."""
        count = self.count + other.count
        if not count:
            return
        gap, weight = other.mean - self.mean, other.count / count
        self.mean += gap * weight
        self.scatter += other.scatter + gap * gap * self.count * weight
        self.count = count


@dataclass(eq=False)
class Moments:
    """What is known of P classes of d-dimensional samples; ``classes`` says which of K they are."""

    classes: np.ndarray  # (P,) class numbers
    counts: np.ndarray  # (P,) samples
    origins: np.ndarray  # (P, d) one sample of each class
    shifts: np.ndarray  # (P, d) mean − origin
    traces: np.ndarray  # (P,) sum of ‖z − μ_c‖²
    sums: np.ndarray  # (P,) sum of (Σ_j (z_j − μ_cj))²: the sum of all entries of the scatter matrix
    scatters: np.ndarray | None  # (P, d, d) sum of (z − μ_c)(z − μ_c)ᵀ, where it is wanted

    @classmethod
    def none(cls, classes: int, nodes: int, full: bool) -> Moments:
        """Of no samples at all, for all K classes."""
        return cls(np.arange(classes), np.zeros(classes), np.zeros((classes, nodes)), np.zeros((classes, nodes)),
                   np.zeros(classes), np.zeros(classes), np.zeros((classes, nodes, nodes)) if full else None)

    @property
    def means(self) -> np.ndarray:
        """(P, d) class means; NaN for classes without samples."""
        return np.where(self.counts[:, None] > 0, self.origins + self.shifts, np.nan)

    def of_batch(self, latents: np.ndarray, labels: np.ndarray) -> Moments:
        """The moments of a batch (n, d), n ≥ 1, with its classes' origins where this has seen them already."""
        classes, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
        seen = self.counts[classes, None] > 0
        origins = np.where(seen, self.origins[classes], latents[first])
        groups = by_class(latents - origins[inverse], inverse, len(classes))
        order = np.argsort(inverse, kind="stable")
        ordered = groups.deviations[order]  # (n, d) class after class
        starts = np.append(0, groups.counts.cumsum()[:-1])
        traces = np.add.reduceat((ordered**2).sum(axis=1), starts)
        sums = np.add.reduceat(ordered.sum(axis=1) ** 2, starts)
        scatters = None
        if self.scatters is not None:
            scatters = np.stack([part.T @ part for part in np.split(ordered, starts[1:])])
        return Moments(classes, groups.counts.astype(np.float64), origins, groups.means, traces, sums, scatters)

    def merge(self, other: Moments) -> None:
        """Add the samples of ``other``, whose classes are among these; this one has all K, in order."""
        rows, n = other.classes, self.counts[other.classes]
        unseen = rows[n == 0]
        self.origins[unseen] = other.origins[n == 0]
        gap = (other.origins - self.origins[rows]) + (other.shifts - self.shifts[rows])  # (P, d) between the means
        total = np.maximum(n + other.counts, 1)
        weight = n * other.counts / total  # (P,)
        self.shifts[rows] += gap * (other.counts / total)[:, None]
        self.traces[rows] += other.traces + weight * (gap**2).sum(axis=1)
        self.sums[rows] += other.sums + weight * gap.sum(axis=1) ** 2
        if self.scatters is not None and other.scatters is not None:
            self.scatters[rows] += other.scatters + weight[:, None, None] * gap[:, :, None] * gap[:, None, :]
        self.counts[rows] += other.counts
