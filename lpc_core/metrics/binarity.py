"""How binary the code is: whether each node of the latent takes two values, and whether the head reads it as ±1."""

from __future__ import annotations

import numpy as np


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
    if len(latents) < 4:
        return np.full(latents.shape[1], np.nan)
    ordered = np.sort(np.ascontiguousarray(latents.T), axis=1)  # (d, n)
    values = ordered.astype(np.float64)
    gap, width = _split(values - values.mean(axis=1, keepdims=True))
    return gap / np.where(values[:, 0] < values[:, -1], np.maximum(width, _rounding(ordered)), np.nan)


def weight_abs_cv(weight: np.ndarray) -> np.ndarray:
    """Standard deviation over mean of |W_kj| over the K classes, for every node j of ``weight`` (K, d): (d,).

    0 when the head reads the node with one strength, ±a for every class. NaN for a node it does not read.
    """
    sizes = np.abs(np.asarray(weight, np.float64))
    means = sizes.mean(axis=0)
    return sizes.std(axis=0) / np.where(means > 0, means, np.nan)


def _rounding(ordered: np.ndarray) -> np.ndarray:
    """Standard deviation of rounding to the array's own format at each node's largest value: (d,) float64."""
    largest = np.maximum(np.abs(ordered[:, 0]), np.abs(ordered[:, -1]))
    return np.spacing(largest).astype(np.float64) / np.sqrt(12)


def _split(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gap between the means of the two sides of the best cut, and the mean of their standard deviations: (d,), (d,).

    ``ordered`` (d, n) is sorted and centred. Cutting after i values leaves the least scatter where S_i² / (i(n − i))
    is largest, S_i the sum of the first i: the part of the scatter that lies between the two sides, up to a factor n.
    """
    n = ordered.shape[1]
    sizes = np.arange(1, n)
    sums = ordered.cumsum(axis=1)[:, :-1]  # (d, n−1)
    cut = (sums ** 2 / (sizes * (n - sizes))).argmax(axis=1)[:, None]
    left_sum, left_size = np.take_along_axis(sums, cut, axis=1), cut + 1  # (d, 1)
    low, high = left_sum / left_size, -left_sum / (n - left_size)
    is_left = np.arange(n) < left_size
    squares = (ordered - np.where(is_left, low, high)) ** 2
    left = np.sqrt(np.where(is_left, squares, 0).sum(axis=1) / left_size[:, 0])
    right = np.sqrt(np.where(is_left, 0, squares).sum(axis=1) / (n - left_size[:, 0]))
    return (high - low)[:, 0], (left + right) / 2
