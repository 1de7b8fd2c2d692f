"""How binary the code is: whether each node of the latent takes two values."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from lpc_core.metrics.arithmetic.latent_set import LatentSet
from lpc_core.metrics.arithmetic.rows import precision
from lpc_core.metrics.arithmetic.together import mean
from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined

BLOCK = 1 << 15  # values of nodes that are split together: in float64 a quarter of what lies near a processor
_SIDES = np.array([1, -1])


def node_peak_distance(latents: np.ndarray) -> np.ndarray:
    """Distance of each node's two peaks in peak widths, |μ1 − μ2| / ((σ1 + σ2)/2): (d,) float64.

    The values of each node of ``latents`` (n, d) are split in two at the cut with the least sum of squares: the exact
    optimum of 2-means in one dimension, found from prefix sums of the sorted values. It stands in for the paper's
    ``gmm_peak_distance`` (Eq. 27: a two-component Gaussian mixture), is a thousand times cheaper, needs no start and
    agrees with it once the peaks are apart. Where they are not, it does not fall to 0 as a mixture may: one Gaussian
    cut in the middle reads 2.6, a flat distribution 3.5. Read values above 5 as two peaks.

    Peaks narrower than the number format can show (float32 after collapse) get the width of its rounding, step/√12,
    so the value is a lower bound there. NaN for a node that never changes, and for all nodes below four samples.
    """
    latents = np.asarray(latents)
    if latents.ndim != 2:
        raise ValueError(f"expected latents (n, d), got {latents.shape}; pass one row per sample")
    return peak_distances(np.ascontiguousarray(latents.T))


def peak_distances(nodes: np.ndarray) -> np.ndarray:
    """`node_peak_distance` of values that lie node by node, (d, n): (d,)."""
    if nodes.shape[1] < 4:
        return np.full(len(nodes), np.nan)
    eps, smallest = precision(nodes.dtype)[1:]
    size = max(1, BLOCK // nodes.shape[1])
    found = [_peaks(np.sort(nodes[at:at + size], axis=1), eps, smallest) for at in range(0, len(nodes), size)]
    return found[0] if len(found) == 1 else np.concatenate(found)


def live_peaks(latents: LatentSet) -> np.ndarray:
    """`node_peak_distance` of a run at one moment: (d,)."""
    return peak_distances(latents.latents)


def _peaks(ordered: np.ndarray, eps: float, smallest: float) -> np.ndarray:
    """`node_peak_distance` of sorted nodes (d, n) whose number format has spacing ``eps`` at 1: (d,) float64."""
    values = ordered.astype(np.float64)
    low, high = values[:, 0].copy(), values[:, -1].copy()
    step = np.maximum(np.ldexp(eps, np.frexp(np.maximum(-low, high))[1] - 1), smallest)  # of the format at that size
    values -= values.sum(axis=1, keepdims=True) / values.shape[1]
    gap, width = _split(values)
    width = np.maximum(width, step * 12**-0.5)
    return gap / (width if (low < high).all() else np.where(low < high, width, np.nan))


def _split(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gap between the means of the two sides of the best cut, and the mean of their standard deviations: (d,), (d,).

    ``ordered`` (d, n) is sorted and centred. Cutting after i values leaves the least scatter where S_i² / (i(n − i))
    is largest, S_i the sum of the first i: the part of the scatter that lies between the two sides, up to a factor n.
    """
    d, n = ordered.shape
    many = ordered.size > BLOCK // 4  # torch takes a quarter of the time then, but longer to begin
    sums = (torch.from_numpy(ordered).cumsum(1).numpy() if many else ordered.cumsum(axis=1))[:, :-1]  # (d, n−1)
    scores = sums * sums
    scores *= _cut_weights(n)
    left = scores.argmax(axis=1) + 1  # values on the left of the cut
    counts, starts = np.empty((2, d, 2), np.int64)
    counts[:, 0], counts[:, 1] = left, n - left
    starts[:, 0] = np.arange(0, n * d, n)
    starts[:, 1] = starts[:, 0] + left  # of both sides, flattened
    means = sums[np.arange(d), left - 1, None] * _SIDES / counts
    away = ordered.ravel() - means.ravel().repeat(counts.ravel())
    away *= away
    widths = np.sqrt(np.add.reduceat(away, starts.ravel()).reshape(d, 2) / counts)
    return means[:, 1] - means[:, 0], (widths[:, 0] + widths[:, 1]) / 2


@lru_cache(maxsize=8)
def _cut_weights(n: int) -> np.ndarray:
    """1 / (i(n − i)) for every number i of values on the left of a cut: (n−1,)."""
    sizes = np.arange(1, n)
    weights: np.ndarray = 1.0 / (sizes * (n - sizes))
    return weights


def _measure(found: Given) -> dict[str, Reading]:
    rows = found.latents
    peaks = np.concatenate([_peaks(np.sort(rows.native_nodes(part), axis=1), rows.eps, rows.smallest)
                            for part in rows.node_slices(1 << 17)]) if rows.n >= 4 else np.full(rows.d, np.nan)  # (d,)
    known = peaks[~np.isnan(peaks)]
    if not known.size:
        no = undefined("needs four samples or more" if rows.n < 4 else "no node ever changes")
        return {"node_peak_distance_mean": no, "node_peak_distance_min": no}
    note = f"{rows.d - known.size} of {rows.d} nodes never change and are left out" if known.size < rows.d else ""
    return {"node_peak_distance_mean": Reading(float(known.mean()), reason=note),
            "node_peak_distance_min": Reading(float(known.min()), reason=note)}


_GAP = "Sbailò & Ghiringhelli, arXiv 2310.08224, Eq. 27, with 2-means for the mixture"
METRICS = (
    Metric("node_peak_distance_mean", "Peak distance, mean node", "|μ₁ − μ₂| / ((σ₁ + σ₂)/2), mean over nodes",
           "How many peak widths lie between the two values a node takes. A single bell curve reads 2.6; above 5 "
           "there are two peaks.", _GAP, "log", "peak distance"),
    Metric("node_peak_distance_min", "Peak distance, worst node", "|μ₁ − μ₂| / ((σ₁ + σ₂)/2), smallest over nodes",
           "The node that is least binary. Above 5 every node takes two values.", _GAP, "log"),
)
GROUP = Group(tuple(metric.name for metric in METRICS), _measure, slow=True,
              beyond_moments="needs the sorted values of each node", live={
                  "node_peak_distance_mean": lambda latents: mean(latents.once(live_peaks)),
                  "node_peak_distance_min": lambda latents: float(np.fmin.reduce(latents.once(live_peaks)))})
