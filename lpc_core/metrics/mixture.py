"""Binarity by the paper's definition: a two-component Gaussian mixture in every node, all nodes at once (Eqs. 25–27).

Expectation–maximisation as in scikit-learn's `GaussianMixture` (each variance gets `FLOOR` added, as ``reg_covar``
there), arranged so that most of it runs on a summary: each node's sorted values are cut into at most 512
bins (256 of equal counts, 256 of equal width, so that no bin bridges a wide gap), kept as count, mean and variance.
On the bins EM runs from five starts to convergence; the best goes on over all samples until it no longer gains.

The fit kept is the likeliest found. For a node of several collapsed values that are not two, that is often a peak of
the least width on one of them and a wide one over the rest, where scikit-learn's single start may stay at two wide
ones of lower likelihood. For two clear peaks both agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpc_core.metrics.arithmetic.em import FLOOR, Peaks, climb, samples, weighted_sum
from lpc_core.metrics.arithmetic.rows import Rows
from lpc_core.metrics.arithmetic.starts import best_on_bins, binned
from lpc_core.metrics.measuring.base import PAPER, Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined

MAX_STEPS = 1_000  # of EM on the summary, and a tenth as many on all samples
_GROUP = 1 << 22  # values fitted together, 32 MB
NARROW = 1.1  # times the narrowest width a fit can give: as narrow as can be seen


@dataclass(frozen=True, eq=False)
class Mixtures:
    """Two Gaussians in each of d nodes, the lower mean first; NaN for a node that never changes.

    In standardised units (node mean 0, standard deviation 1), as the paper's authors have them.
    """

    weights: np.ndarray  # (d, 2) summing to 1
    means: np.ndarray  # (d, 2)
    stds: np.ndarray  # (d, 2) at least √FLOOR
    log_likelihood: np.ndarray  # (d,) mean over samples, nats
    converged: np.ndarray  # (d,) bool: the last step over all samples gained less than `TOLERANCE`
    scale: np.ndarray  # (d,) standard deviation of each node, latent units

    @property
    def peak_distance(self) -> np.ndarray:
        """|μ1 − μ2| / ((σ1 + σ2)/2), Eq. 27: (d,)."""
        distance: np.ndarray = (self.means[:, 1] - self.means[:, 0]) / self.stds.mean(axis=1)
        return distance

    @property
    def constant(self) -> np.ndarray:
        """Nodes that never change and have no mixture: (d,) bool."""
        constant: np.ndarray = np.isnan(self.log_likelihood)
        return constant


def mixtures(latents: Any) -> Mixtures:
    """Fit two Gaussians to every node of ``latents`` (n, d), an array or tensor of n ≥ 2 samples."""
    rows = Rows(latents, "latents")
    if rows.n < 2:
        raise ValueError("expected at least two samples, got 1; a mixture of two needs as many")
    return _fit(rows)


def _fit(rows: Rows) -> Mixtures:
    parts = [_fit_nodes(np.sort(rows.native_nodes(part), axis=1)) for part in rows.node_slices(_GROUP)]
    return Mixtures(*map(np.concatenate, zip(*parts, strict=True)))


def _fit_nodes(ordered: np.ndarray) -> tuple[np.ndarray, ...]:
    """The fields of `Mixtures` for p nodes, from their sorted values (p, n)."""
    scale, values = _standardised(ordered)
    varying, p = np.flatnonzero(~np.isnan(scale)), len(values)
    peaks, likelihood, converged = Peaks(*np.full((3, p, 2), np.nan)), np.full(p, np.nan), np.zeros(p, bool)
    if varying.size:
        peaks.put(varying, best_on_bins(binned(values if varying.size == p else values[varying]), MAX_STEPS))
    for node in varying[:, None]:  # singly, so that a step's temporaries fit in the cache
        found = climb(peaks.pick(node), samples(values[node]), MAX_STEPS // 10 + 2)
        peaks.put(node, found.peaks)
        likelihood[node], converged[node] = found.likelihood, found.converged
    order = np.argsort(peaks.means, axis=1)
    weights, means, variances = (np.take_along_axis(field, order, axis=1)
                                 for field in (peaks.weights, peaks.means, peaks.variances))
    return weights, means, np.sqrt(variances), likelihood, converged, scale


def _standardised(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation (p,) of sorted nodes (p, n), NaN for a constant one, and (values − mean) / std."""
    values = ordered.astype(np.float64)
    constant = values[:, 0] == values[:, -1]
    values -= values.mean(axis=1)[:, None]
    scale = np.sqrt(weighted_sum(np.full((1, 1), 1 / values.shape[1]), values * values))
    scale[constant | (scale == 0)] = np.nan
    values /= scale[:, None]
    return scale, values


def _measure(found: Given) -> dict[str, Reading]:
    """Averages over nodes. Floor of the mean width: that of the fit, or the rounding of the latents if it is wider."""
    if found.latents.n < 2:
        return dict.fromkeys(_NAMES, undefined("needs two samples or more"))
    nodes = found.by_node
    fit = _fit(found.latents)
    known = ~fit.constant
    if not known.any():
        return dict.fromkeys(_NAMES, undefined("no node ever changes"))
    error = found.latents.error(np.hypot(nodes.means, nodes.stds)[known]) / fit.scale[known]
    widths = np.maximum(error, math.sqrt(FLOOR))  # (d',) narrowest that can be seen
    blurred = int((fit.stds[known] <= NARROW * widths[:, None]).any(axis=1).sum())
    unsettled, constant, d = int((~fit.converged[known]).sum()), int((~known).sum()), found.latents.d
    note = "; ".join(filter(None, (
        "standardised nodes",
        f"{constant} of {d} nodes never change and are left out" if constant else "",
        f"{unsettled} of {d} fits still improved when stopped" if unsettled else "",
        f"{blurred} of {d} nodes have a peak as narrow as can be seen" if blurred else "")))
    return {"gmm_log_likelihood": Reading(float(fit.log_likelihood[known].mean()), reason=note),
            "gmm_std": Reading(float(fit.stds[known].mean()), NARROW * float(widths.mean()), note),
            "gmm_peak_distance": Reading(float(fit.peak_distance[known].mean()), reason=note)}


_NAMES = ("gmm_log_likelihood", "gmm_std", "gmm_peak_distance")
METRICS = (
    Metric("gmm_log_likelihood", "Mixture log-likelihood",
           "mean over samples and nodes of log (π₁N(z; μ₁, σ₁) + π₂N(z; μ₂, σ₂))",
           "How well two bell curves describe a standardised node. −1.42 is a single bell curve; it grows without "
           "bound as two peaks sharpen.", PAPER + ", Eq. 25", "linear", unit="nats"),
    Metric("gmm_std", "Mixture peak width", "mean over nodes of (σ₁ + σ₂)/2",
           "How wide a node's two peaks are, in standard deviations of the node. Towards 0 the node takes two values.",
           PAPER + ", Eq. 26", "log"),
    Metric("gmm_peak_distance", "Mixture peak distance", "mean over nodes of |μ₁ − μ₂| / ((σ₁ + σ₂)/2)",
           "How many peak widths lie between a node's two values. The larger, the more binary.",
           PAPER + ", Eq. 27", "log"),
)
GROUP = Group(_NAMES, _measure, slow=True, beyond_moments="needs the distribution of each node")
