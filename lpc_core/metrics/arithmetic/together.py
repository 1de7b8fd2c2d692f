"""One set of latents of n samples, node by node, (d, n), so that everything runs along the samples.

Once for each moment of a run, so in as few passes as it takes, over memory that is used again. As in `classes`,
variances take two passes in float64: subtract the mean, then square.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from lpc_core.metrics.arithmetic.classes import between_directions, class_weights

_EPS = float(np.finfo(np.float64).eps)


class Labels:
    """What follows from the classes of n samples alone, once for all moments at which they are looked at."""

    def __init__(self, numbers: np.ndarray, classes: int) -> None:
        self.numbers, self.classes = numbers, classes  # (n,) in 0…K−1, and K
        self.counts = np.bincount(numbers, minlength=classes)  # (K,)
        self.present = self.counts > 0
        self.complete = bool(self.present.all())
        self.divisors = np.where(self.present, self.counts, np.nan)

    @cached_property
    def shares(self) -> np.ndarray:
        """The part of the samples that is of each class: (K,)."""
        return self.counts / max(len(self.numbers), 1)

    @cached_property
    def own(self) -> np.ndarray:
        """Where the entry of each sample's own class is in a flattened (K, n): (n,)."""
        return self.numbers * len(self.numbers) + np.arange(len(self.numbers))

    @cached_property
    def scatter_weights(self) -> np.ndarray | None:
        """Weight of each sample (n,) that turns a sum into a mean over classes of class means; None without scatter."""
        weights = class_weights(self.counts)
        return weights[self.numbers] if weights.any() else None

    def means(self, nodes: np.ndarray) -> np.ndarray:
        """Class means (d, K) of ``nodes`` (d, n) float64; NaN for absent classes."""
        found: np.ndarray = np.array([np.bincount(self.numbers, row, self.classes) for row in nodes]) / self.divisors
        return found


class Grouped:
    """The samples of one set by class; ``deviations`` (d, n) is the memory for them."""

    def __init__(self, nodes: np.ndarray, labels: Labels, means: np.ndarray, deviations: np.ndarray) -> None:
        self.labels, self.means = labels, means  # (d, K)
        np.take(means, labels.numbers, axis=1, out=deviations, mode="clip")
        self.deviations = np.subtract(nodes, deviations, out=deviations)  # z − μ_c of the sample's own class
        self.gaps = squares(deviations)  # (n,)

    @cached_property
    def centred(self) -> np.ndarray:
        """μ_c − μ, with μ the mean of the means of the classes present: (d, K); NaN for absent classes."""
        present = self.means if self.labels.complete else self.means[:, self.labels.present]
        centred: np.ndarray = self.means - present.sum(axis=1, keepdims=True) / max(present.shape[1], 1)
        return centred


def squares(nodes: np.ndarray) -> np.ndarray:
    """Squared norm of every sample of (d, n): (n,)."""
    found: np.ndarray = np.einsum("dn,dn->n", nodes, nodes)
    return found


def scatter(groups: Grouped) -> tuple[float, float]:
    """Tr Σ_W and NC1 (see `metrics.scatter`); directions no wider than the means' rounding are absent from Σ_B."""
    labels, weights = groups.labels, groups.labels.scatter_weights
    if weights is None:
        return math.nan, math.nan
    trace = float(groups.gaps @ weights)
    centred, means = groups.centred.T, groups.means
    if not labels.complete:
        centred, means = centred[labels.present], means[:, labels.present]
    if len(centred) < 2:
        return trace, math.nan
    rounding = _EPS * max(centred.shape) * math.sqrt(np.einsum("dk,dk->", means, means))
    sizes, directions = between_directions(centred, rounding)  # (r,), (d, r)
    if not sizes.size:
        return trace, math.nan
    along = (directions / sizes).T @ groups.deviations  # (r, n)
    return trace, float((np.square(along, out=along) @ weights).sum())


def separation(groups: Grouped) -> float:
    """𝓡: mean over samples of the distance to the nearest other class mean over that to the own one.

    From the own mean μ_y, a sample at μ_y + v is ‖v‖² − 2 v·(μ_c − μ_y) + ‖μ_c − μ_y‖² from another: with the means
    centred, one product of (K, d) and (d, n) has all of these.
    """
    labels, means = groups.labels, groups.centred  # (d, K)
    if np.count_nonzero(labels.present) < 2:
        return math.nan
    if not labels.complete:
        means = np.where(labels.present, means, 0)
    between = _between(means)
    if not labels.complete:
        between[~labels.present] = math.inf
    along = (-2 * means).T @ groups.deviations  # (K, n)
    own = along.take(labels.own)
    along += between.take(labels.numbers, axis=1)
    far = along.min(axis=0)
    far += groups.gaps - own
    return _mean_ratio(far, groups.gaps)


def mean(values: np.ndarray) -> float:
    """Mean of those values (m,) that are not NaN; NaN where none is."""
    total = float(values.sum())
    if math.isnan(total):
        values = values[~np.isnan(values)]
        total = float(values.sum())
    return total / len(values) if len(values) else math.nan


def spread(sizes: np.ndarray, middle: float) -> float:
    """Standard deviation of ``sizes`` over their mean; NaN where that is not above 0. Overwrites ``sizes``."""
    sizes -= middle
    flat = sizes.ravel()
    return math.sqrt(np.einsum("m,m->", flat, flat) / flat.size) / middle if middle > 0 else math.nan


def _between(means: np.ndarray) -> np.ndarray:
    """Squared distances of the means (d, K) to each other, infinite to themselves: (K, K)."""
    away = means[:, :, None] - means[:, None]
    found: np.ndarray = np.einsum("dkc,dkc->kc", away, away)
    np.fill_diagonal(found, math.inf)
    return found


def _mean_ratio(far: np.ndarray, gaps: np.ndarray) -> float:
    """Mean of √(far/gap) over the samples that are not at their own mean."""
    usable = gaps > 0
    if not usable.all():
        far, gaps = far[usable], gaps[usable]
    ratios = np.sqrt(np.maximum(far, 0, out=far) / gaps)
    return float(ratios.sum()) / len(ratios) if len(ratios) else math.nan
