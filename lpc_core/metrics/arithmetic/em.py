"""Two Gaussians in each of many one-dimensional sets of values, by expectation–maximisation on all sets at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

FLOOR = 1e-6  # added to each variance of standardised values: peaks narrower than its root read as that wide
TOLERANCE = 1e-6  # nats, the least gain in mean log-likelihood for another step
TINY = 1e-300  # keeps a component that nothing belongs to from dividing by 0
_LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, eq=False)
class Values:
    """p nodes as bins: share of the samples, mean and variance of each, (p, bins) all; rising in the mean."""

    means: np.ndarray
    shares: np.ndarray  # sums to 1 over bins
    variances: np.ndarray | None  # None: the bins are single samples

    def pick(self, index: Any) -> Values:
        """Some of the nodes."""
        return Values(self.means[index], self.shares[index], None if self.variances is None else self.variances[index])


def samples(values: np.ndarray) -> Values:
    """The values (1, n) of one node themselves as bins."""
    return Values(values, np.full((1, 1), 1 / values.shape[1]), None)


@dataclass(frozen=True, eq=False)
class Peaks:
    """Two components of p nodes, (p, 2) all."""

    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def pick(self, index: Any) -> Peaks:
        """Those of some nodes."""
        return Peaks(self.weights[index], self.means[index], self.variances[index])

    def put(self, index: Any, others: Peaks) -> None:
        """Replace those of some nodes."""
        self.weights[index], self.means[index] = others.weights, others.means
        self.variances[index] = others.variances

    def free(self) -> np.ndarray:
        """The five free numbers of each node without bounds: (p, 5)."""
        odds = np.log(self.weights[:, [0]]) - np.log(self.weights[:, [1]])
        return np.concatenate([odds, self.means, np.log(self.variances)], axis=1)

    @staticmethod
    def bound(free: np.ndarray) -> Peaks:
        """Peaks from their free numbers, variances at least `FLOOR`."""
        odds = np.clip(free[:, [0]], -500, 500)
        weights = np.concatenate([1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(odds))], axis=1)
        return Peaks(weights, free[:, 1:3], np.maximum(np.exp(np.minimum(free[:, 3:], 500)), FLOOR))


@dataclass(frozen=True, eq=False)
class Climbed:
    """Where p nodes are after a climb."""

    peaks: Peaks
    likelihood: np.ndarray  # (p,) mean over samples, of these peaks
    converged: np.ndarray  # (p,) bool


def climb(peaks: Peaks, values: Values, max_steps: int) -> Climbed:
    """EM on p nodes from ``peaks``, each until a step gains less than `TOLERANCE`.

    After every two steps the node jumps ahead along them (SQUAREM, Varadhan & Roland 2008); a jump that loses
    likelihood is taken back. Overlapping peaks settle in tens of steps that way instead of a thousand.
    """
    p = len(peaks.means)
    done, active = Climbed(peaks.pick(np.arange(p)), np.full(p, -np.inf), np.zeros(p, bool)), np.arange(p)
    start, safe, reached, longest = peaks, peaks, np.full(p, -np.inf), np.ones(p)
    for _ in range(max(1, max_steps // 2)):
        one, before, lost = _step_or_back(start, safe, reached, values)
        longest = np.where(lost, np.maximum(longest / 16, 1), 4 * longest)
        two, reached = step(one, values)
        going = reached - before >= TOLERANCE
        done.peaks.put(active, one)
        done.likelihood[active], done.converged[active] = reached, ~going
        if not going.any():
            break
        if not going.all():
            start, one, two = (peaks.pick(going) for peaks in (start, one, two))
            values = values.pick(going)
            active, longest, reached = active[going], longest[going], reached[going]
        start, safe = _ahead((start, one, two), longest), two
    return done


def _step_or_back(start: Peaks, safe: Peaks, reached: np.ndarray,
                  values: Values) -> tuple[Peaks, np.ndarray, np.ndarray]:
    """A step from ``start``; from ``safe`` where ``start`` lies below the likelihood ``reached`` before. Also that of
    where it began, and which nodes went back: (p,) both.
    """
    after, before = step(start, values)
    lost = before < reached
    if lost.any():
        start.put(lost, safe.pick(lost))
        again, before[lost] = step(start.pick(lost), values.pick(lost))
        after.put(lost, again)
    return after, before, lost


def _ahead(points: tuple[Peaks, Peaks, Peaks], longest: np.ndarray) -> Peaks:
    """The jump from three points in a row, at most ``longest`` (p,) times as far as the steps between them would go."""
    a, b, c = (peaks.free() for peaks in points)  # (p, 5)
    first, change = b - a, c - 2 * b + a
    size = np.sqrt((first ** 2).sum(axis=1) / np.maximum((change ** 2).sum(axis=1), TINY))[:, None]
    size = np.clip(size, 1, longest[:, None])
    return Peaks.bound(a + 2 * size * first + size ** 2 * change)


def step(peaks: Peaks, values: Values) -> tuple[Peaks, np.ndarray]:
    """One step of EM, and the mean log-likelihood (p,) of the peaks it began with.

    A bin is divided as its mean and variance ask; with variance 0 (a sample) this is ordinary EM, and with bins each
    step still cannot lose likelihood. Deviations are taken from the old means, so that narrow peaks keep their digits.
    """
    away = [values.means - peaks.means[:, [i]] for i in (0, 1)]  # (p, bins)
    squares = [gap * gap for gap in away]
    if values.variances is not None:
        squares = [square + values.variances for square in squares]
    logs = np.log(peaks.weights) - (_LOG_2PI + np.log(peaks.variances)) / 2  # (p, 2) weight times density at the mean
    rates = -0.5 / peaks.variances
    odds = squares[0] * rates[:, [0]]
    odds -= squares[1] * rates[:, [1]]
    odds += logs[:, [0]] - logs[:, [1]]
    np.maximum(odds, -500, out=odds)  # so that the exponential stays finite, and its inverse no denormal
    over = np.negative(odds)
    np.exp(over, out=over)
    over += 1  # 1 / probability of the first component
    alone = logs[:, 1] + rates[:, 1] * weighted_sum(values.shares, squares[1])  # log-likelihood of the second
    likelihood = alone + weighted_sum(values.shares, odds) + weighted_sum(values.shares, np.log(over))
    taken = values.shares / over  # share of all samples in the first
    new = [moments(part, gap, square) for part, gap, square in zip((taken, values.shares - taken), away, squares,
                                                                    strict=True)]
    weights, moved, variances = (np.stack(field, axis=1) for field in zip(*new, strict=True))  # (p, 2)
    return Peaks(weights / weights.sum(axis=1, keepdims=True), peaks.means + moved, variances + FLOOR), likelihood


def weighted_sum(shares: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum over bins of share times value: (p,)."""
    sums: np.ndarray = np.vecdot(shares, values) if shares.shape == values.shape else shares[:, 0] * values.sum(axis=1)
    return sums


def moments(shares: np.ndarray, away: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight of a component, its mean less the old one, and its variance: (p,) each."""
    weight = shares.sum(axis=1) + TINY
    moved = weighted_sum(shares, away) / weight
    return weight, moved, np.maximum(weighted_sum(shares, squares) / weight - moved ** 2, 0)


def maximise(firsts: np.ndarray, values: Values) -> Peaks:
    """Components from a division in which the first has the part ``firsts`` (p, bins), 0…1, of each bin."""
    new = [moments(part * values.shares, values.means, values.means ** 2 + values.variances)
           for part in (firsts, 1 - firsts)]
    weights, means, variances = (np.stack(field, axis=1) for field in zip(*new, strict=True))
    return Peaks(weights, means, variances + FLOOR)
