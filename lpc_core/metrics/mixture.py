"""Binarity by the paper's definition: a two-component Gaussian mixture in every node, all nodes at once (Eqs. 25–27).

Expectation–maximisation as in scikit-learn's `GaussianMixture` (each variance gets ``variance_floor`` added, as
``reg_covar`` there), arranged so that most of it runs on a summary: each node's sorted values are cut into at most 512
bins (256 of equal counts, 256 of equal width, so that no bin bridges a wide gap), kept as count, mean and variance.
On the bins EM runs from five starts to convergence; the best goes on over all samples until it no longer gains.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpc_core.metrics._base import Metric, Reading
from lpc_core.metrics._given import Given
from lpc_core.metrics._group import Group, undefined
from lpc_core.metrics._rows import Rows

BINS = 256  # of each of the two kinds
_GROUP = 1 << 22  # values fitted together, 32 MB
_BOUNDS = 32  # of each of the two kinds, between which starting intervals are tried
_SHARES = (0.02, 0.1, 0.25, 0.5, 0.98)  # smaller peaks are not sought: in few samples chance makes them
_TINY = 1e-300  # keeps a component that nothing belongs to from dividing by 0
_LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, eq=False)
class Mixtures:
    """Two Gaussians in each of d nodes; NaN for a node that never changes. The component of the lower mean is first.

    In standardised units (node mean 0, standard deviation 1) where ``standardised``, else in latent units.
    """

    weights: np.ndarray  # (d, 2) summing to 1
    means: np.ndarray  # (d, 2)
    stds: np.ndarray  # (d, 2) at least √variance_floor
    log_likelihood: np.ndarray  # (d,) mean over samples, nats
    converged: np.ndarray  # (d,) bool: the last step over all samples gained less than ``tolerance``
    centre: np.ndarray  # (d,) mean of each node, latent units
    scale: np.ndarray  # (d,) standard deviation of each node, latent units
    variance_floor: float
    standardised: bool

    @property
    def peak_distance(self) -> np.ndarray:
        """|μ1 − μ2| / ((σ1 + σ2)/2), Eq. 27: (d,)."""
        return (self.means[:, 1] - self.means[:, 0]) / self.stds.mean(axis=1)

    @property
    def constant(self) -> np.ndarray:
        """Nodes that never change and have no mixture: (d,) bool."""
        return np.isnan(self.log_likelihood)


def mixtures(latents: Any, standardise: bool = True, variance_floor: float = 1e-6, tolerance: float = 1e-6,
             max_steps: int = 1_000) -> Mixtures:
    """Fit two Gaussians to every node of ``latents`` (n, d), an array or tensor of n ≥ 2 samples.

    ``standardise`` brings each node to mean 0 and standard deviation 1 first, as the paper's authors do.
    ``variance_floor`` is added to each variance, in the units of the fit: peaks narrower than its root (0.001 node
    standard deviations) read as that wide. ``tolerance`` is the least gain in mean log-likelihood (nats) for another
    step, ``max_steps`` bounds their number on the summary and, a tenth of it, on all samples.
    """
    if not (variance_floor > 0 and tolerance > 0 and max_steps >= 1):
        raise ValueError(f"expected variance_floor > 0, tolerance > 0 and max_steps >= 1, got {variance_floor}, "
                         f"{tolerance} and {max_steps}; the defaults are 1e-6, 1e-6 and 1000")
    rows = Rows(latents, "latents")
    if rows.n < 2:
        raise ValueError("expected at least two samples, got 1; a mixture of two needs as many")
    return _fit(rows, standardise, variance_floor, tolerance, max_steps)


def _fit(rows: Rows, standardise: bool, variance_floor: float, tolerance: float, max_steps: int) -> Mixtures:
    parts = [_fit_nodes(np.sort(rows.native_nodes(part), axis=1), standardise, variance_floor, tolerance, max_steps)
             for part in rows.node_slices(_GROUP)]
    return Mixtures(*(np.concatenate(field) for field in zip(*parts, strict=True)), variance_floor, standardise)


def _fit_nodes(ordered: np.ndarray, standardise: bool, variance_floor: float, tolerance: float, max_steps: int,
               ) -> tuple[np.ndarray, ...]:
    """The first seven fields of `Mixtures` for p nodes, from their sorted values (p, n).

    EM runs in standardised units in any case; a fit in latent units has its floor scaled there and its results back.
    """
    centre, scale, values = _standardised(ordered)
    varying, p = np.flatnonzero(~np.isnan(scale)), len(values)
    floors = np.full(p, variance_floor) if standardise else variance_floor / scale ** 2
    peaks, likelihood, converged = _Peaks(*np.full((3, p, 2), np.nan)), np.full(p, np.nan), np.zeros(p, bool)
    if varying.size:
        peaks.put(varying, _on_bins(_binned(values[varying]), floors[varying], tolerance, max_steps))
    for node in varying[:, None]:  # singly, so that a step's temporaries fit in the cache
        found = _climb(peaks.pick(node), _samples(values[node]), floors[node], tolerance, max_steps // 10 + 2)
        peaks.put(node, found.peaks)
        likelihood[node], converged[node] = found.likelihood, found.converged
    order = np.argsort(peaks.means, axis=1)
    weights, means, variances = (np.take_along_axis(field, order, axis=1)
                                 for field in (peaks.weights, peaks.means, peaks.variances))
    if standardise:
        return weights, means, np.sqrt(variances), likelihood, converged, centre, scale
    back = scale[:, None]
    return (weights, means * back + centre[:, None], np.sqrt(variances) * back, likelihood - np.log(scale), converged,
            centre, scale)


def _standardised(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and standard deviation (p,) of sorted nodes (p, n), NaN for a constant one, and (values − mean) / std."""
    values = ordered.astype(np.float64)
    constant = values[:, 0] == values[:, -1]
    centre = values.mean(axis=1)
    values -= centre[:, None]
    scale = np.sqrt(_sum(np.full((1, 1), 1 / values.shape[1]), values * values))
    scale[constant | (scale == 0)] = np.nan
    values /= scale[:, None]
    return centre, scale, values


# ---- a summary of the values -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Values:
    """p nodes as bins: share of the samples, mean and variance of each, (p, bins) all; rising in the mean."""

    means: np.ndarray
    shares: np.ndarray  # sums to 1 over bins
    variances: np.ndarray | None  # None: the bins are single samples

    def pick(self, index: Any) -> _Values:
        """Some of the nodes."""
        return _Values(self.means[index], self.shares[index], None if self.variances is None else self.variances[index])


def _samples(values: np.ndarray) -> _Values:
    """The values (1, n) of one node themselves as bins."""
    return _Values(values, np.full((1, 1), 1 / values.shape[1]), None)


def _binned(ordered: np.ndarray) -> _Values:
    """Bins of the sorted values (p, n); a bin per sample where there are no more than bins."""
    n = ordered.shape[1]
    edges = np.tile(np.arange(n + 1), (len(ordered), 1)) if n <= 2 * BINS else _edges(ordered)
    counts = np.diff(edges, axis=1)
    begins = (edges[:, :-1] + n * np.arange(len(ordered))[:, None]).ravel()
    sums, squares = (np.add.reduceat(power.ravel(), begins).reshape(counts.shape) / np.maximum(counts, 1)
                     for power in (ordered, ordered * ordered))
    means = np.where(counts > 0, sums, 0)  # an empty bin counts for nothing; `reduceat` gives it a value
    return _Values(means, counts / n, np.maximum(np.where(counts > 0, squares, 0) - means ** 2, 0))


def _edges(ordered: np.ndarray) -> np.ndarray:
    """Where bins begin and end in each row: (p, 2·BINS + 1) indices that never fall."""
    n = ordered.shape[1]
    quantiles = np.linspace(0, n, BINS + 1).astype(int)
    levels = np.linspace(ordered[:, 0], ordered[:, -1], BINS + 1, axis=1)[:, 1:-1]
    widths = [np.searchsorted(row, level) for row, level in zip(ordered, levels, strict=True)]
    return np.sort(np.concatenate([np.tile(quantiles, (len(ordered), 1)), widths], axis=1), axis=1)


# ---- expectation and maximisation ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Peaks:
    """Two components of p nodes, (p, 2) all."""

    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def pick(self, index: Any) -> _Peaks:
        """Those of some nodes."""
        return _Peaks(self.weights[index], self.means[index], self.variances[index])

    def put(self, index: Any, others: _Peaks) -> None:
        """Replace those of some nodes."""
        self.weights[index], self.means[index] = others.weights, others.means
        self.variances[index] = others.variances

    def free(self) -> np.ndarray:
        """The five free numbers of each node without bounds: (p, 5)."""
        odds = np.log(self.weights[:, [0]]) - np.log(self.weights[:, [1]])
        return np.concatenate([odds, self.means, np.log(self.variances)], axis=1)

    @staticmethod
    def bound(free: np.ndarray, floors: np.ndarray) -> _Peaks:
        """Peaks from their free numbers, variances at least ``floors``."""
        odds = np.clip(free[:, [0]], -500, 500)
        weights = np.concatenate([1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(odds))], axis=1)
        return _Peaks(weights, free[:, 1:3], np.maximum(np.exp(np.minimum(free[:, 3:], 500)), floors[:, None]))


@dataclass(frozen=True, eq=False)
class _Climbed:
    peaks: _Peaks
    likelihood: np.ndarray  # (p,) mean over samples, of these peaks
    converged: np.ndarray  # (p,) bool

    def put(self, index: np.ndarray, peaks: _Peaks, likelihood: np.ndarray, converged: np.ndarray) -> None:
        """Note where some nodes are."""
        self.peaks.put(index, peaks)
        self.likelihood[index], self.converged[index] = likelihood, converged


def _climb(peaks: _Peaks, values: _Values, floors: np.ndarray, tolerance: float, max_steps: int) -> _Climbed:
    """EM on p nodes from ``peaks``, each until a step gains less than ``tolerance``.

    After every two steps the node jumps ahead along them (SQUAREM, Varadhan & Roland 2008); a jump that loses
    likelihood is taken back. Overlapping peaks settle in tens of steps that way instead of a thousand.
    """
    p = len(floors)
    done, active = _Climbed(peaks.pick(np.arange(p)), np.full(p, -np.inf), np.zeros(p, bool)), np.arange(p)
    start, safe, reached, longest = peaks, peaks, np.full(p, -np.inf), np.ones(p)
    for _ in range(max(1, max_steps // 2)):
        one, before, lost = _step_or_back(start, safe, reached, values, floors)
        longest = np.where(lost, np.maximum(longest / 16, 1), 4 * longest)
        two, reached = _step(one, values, floors)
        going = reached - before >= tolerance
        done.put(active, one, reached, ~going)
        if not going.any():
            break
        if not going.all():
            start, one, two, values = (field.pick(going) for field in (start, one, two, values))
            active, longest, floors, reached = active[going], longest[going], floors[going], reached[going]
        start, safe = _ahead((start, one, two), longest, floors), two
    return done


def _step_or_back(start: _Peaks, safe: _Peaks, reached: np.ndarray, values: _Values, floors: np.ndarray,
                  ) -> tuple[_Peaks, np.ndarray, np.ndarray]:
    """A step from ``start``; from ``safe`` where ``start`` lies below the likelihood ``reached`` before. Also that of
    where it began, and which nodes went back: (p,) both.
    """
    after, before = _step(start, values, floors)
    lost = before < reached
    if lost.any():
        start.put(lost, safe.pick(lost))
        again, before[lost] = _step(start.pick(lost), values.pick(lost), floors[lost])
        after.put(lost, again)
    return after, before, lost


def _ahead(points: tuple[_Peaks, _Peaks, _Peaks], longest: np.ndarray, floors: np.ndarray) -> _Peaks:
    """The jump from three points in a row, at most ``longest`` (p,) times as far as the steps between them would go."""
    a, b, c = (peaks.free() for peaks in points)  # (p, 5)
    first, change = b - a, c - 2 * b + a
    size = np.sqrt((first ** 2).sum(axis=1) / np.maximum((change ** 2).sum(axis=1), _TINY))[:, None]
    size = np.clip(size, 1, longest[:, None])
    return _Peaks.bound(a + 2 * size * first + size ** 2 * change, floors)


def _step(peaks: _Peaks, values: _Values, floors: np.ndarray) -> tuple[_Peaks, np.ndarray]:
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
    np.maximum(odds, -700, out=odds)  # so that the exponential stays finite
    over = np.exp(-odds) + 1  # 1 / probability of the first component
    likelihood = (logs[:, 1] + rates[:, 1] * _sum(values.shares, squares[1])  # of the second alone …
                  + _sum(values.shares, odds) + _sum(values.shares, np.log(over)))  # … and what the first adds
    taken = values.shares / over  # share of all samples in the first
    new = [_moments(part, gap, square) for part, gap, square in zip((taken, values.shares - taken), away, squares,
                                                                    strict=True)]
    weights, moved, variances = (np.stack(field, axis=1) for field in zip(*new, strict=True))  # (p, 2)
    return (_Peaks(weights / weights.sum(axis=1, keepdims=True), peaks.means + moved, variances + floors[:, None]),
            likelihood)


def _sum(shares: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum over bins of share times value: (p,)."""
    return np.einsum("pb,pb->p", shares, values)


def _moments(shares: np.ndarray, away: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight of a component, its mean less the old one, and its variance: (p,) each."""
    weight = shares.sum(axis=1) + _TINY
    moved = _sum(shares, away) / weight
    return weight, moved, np.maximum(_sum(shares, squares) / weight - moved ** 2, 0)


def _on_bins(values: _Values, floors: np.ndarray, tolerance: float, max_steps: int) -> _Peaks:
    """The best of five starts, each run until it gains less than ``tolerance``."""
    starts, p = _starts(values, floors), len(floors)
    node = np.tile(np.arange(p), len(starts.weights) // p)
    found = _climb(starts, values.pick(node), floors[node], tolerance, max_steps)
    best = found.likelihood.reshape(-1, p).argmax(axis=0)
    return found.peaks.pick(best * p + np.arange(p))


def _starts(values: _Values, floors: np.ndarray) -> _Peaks:
    """Components from five divisions of the bins, (5p, 2), start by start: the best 2-means cut, and the intervals that
    divide best into inside and outside, one for each of four ranges of their share.
    """
    edges, inside, score = _intervals(values, floors)  # (p, intervals) but for the edges (p, intervals, 2)
    below, sums = values.shares.cumsum(axis=1), (values.shares * values.means).cumsum(axis=1)
    cut = (sums ** 2 / np.maximum(below * (1 - below), _TINY))[:, :-1].argmax(axis=1)  # the mean of all is 0
    chosen = [np.stack([np.zeros_like(cut), cut + 1], axis=1)]
    for low, high in itertools.pairwise(_SHARES):
        best = np.where((inside > low) & (inside <= high), score, -np.inf).argmax(axis=1)
        chosen.append(edges[np.arange(len(best)), best])
    bins = np.arange(values.means.shape[1])
    made = [_maximise(1.0 * ((bins >= pair[:, [0]]) & (bins < pair[:, [1]])), values, floors)
            for pair in chosen]
    return _Peaks(*(np.concatenate([getattr(m, name) for m in made]) for name in ("weights", "means", "variances")))


def _intervals(values: _Values, floors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All intervals between some bounds: first bin and bin behind the last (p, m, 2), share of the samples (p, m), and
    the mean log-likelihood up to a constant if inside and outside are one component each (p, m).
    """
    bounds = _bounds(values)
    first, last = np.triu_indices(bounds.shape[1], 1)
    moments = [np.concatenate([np.zeros((len(bounds), 1)), (values.shares * power).cumsum(axis=1)], axis=1)
               for power in (1, values.means, values.means ** 2 + values.variances)]
    taken = [np.take_along_axis(moment, bounds, axis=1) for moment in moments]
    inside = [moment[:, last] - moment[:, first] for moment in taken]
    outside = [moment[:, [-1]] - part for moment, part in zip(moments, inside, strict=True)]
    return (np.stack([bounds[:, first], bounds[:, last]], axis=2), inside[0],
            _as_component(*inside, floors) + _as_component(*outside, floors))


def _as_component(share: np.ndarray, sums: np.ndarray, squares: np.ndarray, floors: np.ndarray) -> np.ndarray:
    share = np.maximum(share, _TINY)
    variances = np.maximum(squares / share - (sums / share) ** 2, 1e-12) + floors[:, None]
    return share * (np.log(share) - np.log(variances) / 2)


def _bounds(values: _Values) -> np.ndarray:
    """Bounds between bins, rising: both ends, before the widest gaps, at even shares of the samples: (p, 2·_BOUNDS).

    Gaps part peaks that have collapsed, shares those that overlap.
    """
    p, bins = values.means.shape
    few = min(_BOUNDS, bins) - 1
    reached = np.maximum.accumulate(np.where(values.shares > 0, values.means, -np.inf), axis=1)  # over empty bins
    gaps = 1 + np.argpartition(np.diff(reached, axis=1), bins - 1 - few, axis=1)[:, bins - 1 - few:]
    below = values.shares.cumsum(axis=1)
    shares = [np.searchsorted(row, np.arange(1, few + 1) / (few + 1)) for row in below]
    ends = np.tile([0, bins], (p, 1))
    return np.sort(np.concatenate([ends, gaps, shares], axis=1), axis=1)


def _maximise(firsts: np.ndarray, values: _Values, floors: np.ndarray) -> _Peaks:
    """Components from a division in which the first has the part ``firsts`` (p, bins), 0…1, of each bin."""
    new = [_moments(part * values.shares, values.means, values.means ** 2 + values.variances)
           for part in (firsts, 1 - firsts)]
    weights, means, variances = (np.stack(field, axis=1) for field in zip(*new, strict=True))
    return _Peaks(weights, means, variances + floors[:, None])


def _measure(found: Given) -> dict[str, Reading]:
    """Averages over nodes. Floor of the mean width: that of the fit, or the rounding of the latents if it is wider."""
    if found.latents.n < 2:
        return dict.fromkeys(_NAMES, undefined("needs two samples or more"))
    nodes = found.by_node
    fit = _fit(found.latents, standardise=True, variance_floor=1e-6, tolerance=1e-6, max_steps=1_000)
    known = ~fit.constant
    if not known.any():
        return dict.fromkeys(_NAMES, undefined("no node ever changes"))
    error = found.latents.error(np.hypot(nodes.means, nodes.stds)[known]) / fit.scale[known]
    widths = np.maximum(error, math.sqrt(fit.variance_floor))  # (d',) narrowest that can be seen
    blurred = int((fit.stds[known] <= 1.1 * widths[:, None]).any(axis=1).sum())
    unsettled, constant, d = int((~fit.converged[known]).sum()), int((~known).sum()), found.latents.d
    note = "; ".join(filter(None, (
        "standardised nodes",
        f"{constant} of {d} nodes never change and are left out" if constant else "",
        f"{unsettled} of {d} fits still improved when stopped" if unsettled else "",
        f"{blurred} of {d} nodes have a peak as narrow as can be seen" if blurred else "")))
    return {"gmm_log_likelihood": Reading(float(fit.log_likelihood[known].mean()), reason=note),
            "gmm_std": Reading(float(fit.stds[known].mean()), float(widths.mean()), note),
            "gmm_peak_distance": Reading(float(fit.peak_distance[known].mean()), reason=note)}


_NAMES = ("gmm_log_likelihood", "gmm_std", "gmm_peak_distance")
_PAPER = "Sbailò & Ghiringhelli, arXiv 2310.08224"
METRICS = (
    Metric("gmm_log_likelihood", "Mixture log-likelihood",
           "mean over samples and nodes of log (π₁N(z; μ₁, σ₁) + π₂N(z; μ₂, σ₂))",
           "How well two bell curves describe a standardised node. −1.42 is a single bell curve; it grows without "
           "bound as two peaks sharpen.", _PAPER + ", Eq. 25", False),
    Metric("gmm_std", "Mixture peak width", "mean over nodes of (σ₁ + σ₂)/2",
           "How wide a node's two peaks are, in standard deviations of the node. Towards 0 the node takes two values.",
           _PAPER + ", Eq. 26", True),
    Metric("gmm_peak_distance", "Mixture peak distance", "mean over nodes of |μ₁ − μ₂| / ((σ₁ + σ₂)/2)",
           "How many peak widths lie between a node's two values. The larger, the more binary.",
           _PAPER + ", Eq. 27", True),
)
GROUP = Group(_NAMES, _measure)
