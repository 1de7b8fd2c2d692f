"""Binarity by the paper's definition: a two-component Gaussian mixture in every node, all nodes at once (Eqs. 25–27).

Expectation–maximisation as in scikit-learn's `GaussianMixture` (each variance gets ``variance_floor`` added, as
``reg_covar`` there), arranged so that most of it runs on a summary: each node's sorted values are cut into at most 512
bins (256 of equal counts, 256 of equal width, so that no bin bridges a wide gap), kept as count, mean and variance.
On the bins EM runs from four starts to convergence; the best goes on over all samples until it no longer gains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpc_core.metrics._base import Metric, Reading
from lpc_core.metrics._given import Given
from lpc_core.metrics._group import Group, undefined
from lpc_core.metrics._rows import Rows
from lpc_core.metrics.nodes import PerNode, node_statistics

BINS = 256  # of each of the two kinds
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
    return _fit(rows, node_statistics(rows), standardise, variance_floor, tolerance, max_steps)


def _fit(rows: Rows, nodes: PerNode, standardise: bool, variance_floor: float, tolerance: float,  # noqa: PLR0917
         max_steps: int) -> Mixtures:
    """EM in standardised units throughout; a fit in latent units has its floor scaled there and its results back."""
    scale = np.where(nodes.stds > 0, nodes.stds, np.nan)
    scale[nodes.constant] = np.nan
    floors = np.full(rows.d, variance_floor) if standardise else variance_floor / scale ** 2
    peaks, likelihood = _Peaks(*(np.full((rows.d, 2), np.nan) for _ in range(3))), np.full(rows.d, np.nan)
    converged = np.zeros(rows.d, bool)
    for part in rows.node_slices():
        chosen = np.arange(part.start, part.stop)[~np.isnan(scale[part])]
        values = _standardised(rows, part, nodes.means, scale)[chosen - part.start]  # (p, n)
        start = _on_bins(_binned(np.sort(values, axis=1)), floors[chosen], tolerance, max_steps)
        for row, node in enumerate(chosen):  # one by one: a node's values and all temporaries fit in the cache
            found = _climb(start.pick([row]), _samples(values[[row]]), floors[[node]], tolerance, max_steps // 10 + 1)
            peaks.put([node], found.peaks)
            likelihood[node], converged[node] = found.likelihood[0], found.converged[0]
    order = np.argsort(peaks.means, axis=1)
    weights, means, variances = (np.take_along_axis(part, order, axis=1)
                                 for part in (peaks.weights, peaks.means, peaks.variances))
    stds = np.sqrt(variances)
    if not standardise:
        means, stds = means * scale[:, None] + nodes.means[:, None], stds * scale[:, None]
        likelihood = likelihood - np.log(scale)
    return Mixtures(weights, means, stds, likelihood, converged, nodes.means, scale, variance_floor, standardise)


def _standardised(rows: Rows, part: slice, means: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Values of some nodes with mean 0 and standard deviation 1: (p, n); NaN for a constant node."""
    values = rows.nodes(part)
    values -= means[part, None]
    values /= scale[part, None]
    return values


# ---- a summary of the values -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Values:
    """p nodes as bins: share of the samples, mean and variance of each, (p, bins) all; rising in the mean."""

    means: np.ndarray
    shares: np.ndarray  # sums to 1 over bins
    variances: np.ndarray

    def pick(self, index: Any) -> _Values:
        """Some of the nodes."""
        return _Values(self.means[index], self.shares[index], self.variances[index])


def _samples(values: np.ndarray) -> _Values:
    """The values (1, n) of one node themselves as bins."""
    return _Values(values, np.full((1, 1), 1 / values.shape[1]), np.zeros((1, 1)))


def _binned(ordered: np.ndarray) -> _Values:
    """Bins of the sorted values (p, n); a bin per sample where there are no more than bins."""
    n = ordered.shape[1]
    edges = np.tile(np.arange(n + 1), (len(ordered), 1)) if n <= 2 * BINS else _edges(ordered)
    counts = np.diff(edges, axis=1)
    sums, squares = (np.diff(np.take_along_axis(_running(power), edges, axis=1), axis=1)
                     for power in (ordered, ordered * ordered))
    means = sums / np.maximum(counts, 1)  # 0 in an empty bin, which counts for nothing
    return _Values(means, counts / n, np.maximum(squares / np.maximum(counts, 1) - means ** 2, 0))


def _edges(ordered: np.ndarray) -> np.ndarray:
    """Where bins begin and end in each row: (p, 2·BINS + 1) indices that never fall."""
    n = ordered.shape[1]
    quantiles = np.linspace(0, n, BINS + 1).astype(int)
    levels = np.linspace(ordered[:, 0], ordered[:, -1], BINS + 1, axis=1)[:, 1:-1]
    widths = [np.searchsorted(row, level) for row, level in zip(ordered, levels, strict=True)]
    return np.sort(np.concatenate([np.tile(quantiles, (len(ordered), 1)), widths], axis=1), axis=1)


def _running(values: np.ndarray) -> np.ndarray:
    """Sums of the first 0…n entries of each row: (p, n + 1)."""
    return np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)


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


@dataclass(frozen=True, eq=False)
class _Climbed:
    peaks: _Peaks
    likelihood: np.ndarray  # (p,) mean over samples, of these peaks
    converged: np.ndarray  # (p,) bool


def _climb(peaks: _Peaks, values: _Values, floors: np.ndarray, tolerance: float, max_steps: int) -> _Climbed:
    """EM on p nodes from ``peaks``, each until a step gains less than ``tolerance``."""
    peaks, active = _Peaks(peaks.weights.copy(), peaks.means.copy(), peaks.variances.copy()), np.arange(len(floors))
    likelihood, after = np.full(len(floors), -np.inf), peaks
    for _ in range(max_steps):
        peaks.put(active, after)
        after, reached = _step(after, values, floors)
        going = reached - likelihood[active] >= tolerance
        likelihood[active] = reached
        if not going.all():
            active, after, values, floors = active[going], after.pick(going), values.pick(going), floors[going]
        if not active.size:
            break
    converged = np.ones(len(likelihood), bool)
    converged[active] = False
    return _Climbed(peaks, likelihood, converged)


def _step(peaks: _Peaks, values: _Values, floors: np.ndarray) -> tuple[_Peaks, np.ndarray]:
    """One step of EM, and the mean log-likelihood (p,) of the peaks it began with.

    A bin is divided as its mean and variance ask; with variance 0 (a sample) this is ordinary EM, and with bins each
    step still cannot lose likelihood. Deviations are taken from the old means, so that narrow peaks keep their digits.
    """
    away = [values.means - peaks.means[:, [i]] for i in (0, 1)]  # (p, bins)
    squares = [gap * gap + values.variances for gap in away]
    logs = np.log(peaks.weights) - (_LOG_2PI + np.log(peaks.variances)) / 2  # (p, 2)
    second = logs[:, [1]] - squares[1] * (0.5 / peaks.variances[:, [1]])  # log of weight times density
    odds = logs[:, [0]] - squares[0] * (0.5 / peaks.variances[:, [0]]) - second
    small = np.exp(-np.abs(odds))
    likelihood = values.shares * (second + np.maximum(odds, 0) + np.log1p(small))
    taken = values.shares * (np.where(odds > 0, 1, small) / (1 + small))  # share of all samples in the first
    new = [_moments(part, gap, square) for part, gap, square in zip((taken, values.shares - taken), away, squares,
                                                                    strict=True)]
    weights, moved, variances = (np.stack(field, axis=1) for field in zip(*new, strict=True))  # (p, 2)
    return (_Peaks(weights / weights.sum(axis=1, keepdims=True), peaks.means + moved, variances + floors[:, None]),
            likelihood.sum(axis=1))


def _moments(shares: np.ndarray, away: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight of a component, its mean less the old one, and its variance: (p,) each."""
    weight = shares.sum(axis=1) + _TINY
    moved = np.einsum("pb,pb->p", shares, away) / weight
    return weight, moved, np.maximum(np.einsum("pb,pb->p", shares, squares) / weight - moved ** 2, 0)


def _on_bins(values: _Values, floors: np.ndarray, tolerance: float, max_steps: int) -> _Peaks:
    """The best of four starts, each run until it gains less than ``tolerance``."""
    starts, p = _starts(values, floors), len(floors)
    node = np.tile(np.arange(p), len(starts.weights) // p)
    found = _climb(starts, values.pick(node), floors[node], tolerance, max_steps)
    best = found.likelihood.reshape(-1, p).argmax(axis=0)
    return found.peaks.pick(best * p + np.arange(p))


def _starts(values: _Values, floors: np.ndarray) -> _Peaks:
    """Components from four divisions of the bins, (4p, 2): the best 2-means cut; the lowest and the highest tenth; the
    middle half against all. The last finds a narrow peak inside a wide one, where cuts do not lead.
    """
    below = values.shares.cumsum(axis=1)  # (p, bins) share up to and with the bin
    sums = (values.shares * values.means).cumsum(axis=1)  # ends at 0, the mean of all
    cut = (sums ** 2 / np.maximum(below * (1 - below), _TINY))[:, :-1].argmax(axis=1)[:, None]
    two_means = np.arange(below.shape[1]) <= cut
    divisions = (two_means, below <= 0.1, below > 0.9, (below > 0.25) & (below <= 0.75))
    made = [_maximise(0.01 + 0.98 * side, values, floors) for side in divisions]
    return _Peaks(*(np.concatenate([getattr(m, name) for m in made]) for name in ("weights", "means", "variances")))


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
    fit = _fit(found.latents, nodes, standardise=True, variance_floor=1e-6, tolerance=1e-6, max_steps=1_000)
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
