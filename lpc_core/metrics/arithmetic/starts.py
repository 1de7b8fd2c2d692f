"""Where the search for two peaks begins: values as bins, and the divisions of the bins in two that are tried."""

from __future__ import annotations

import itertools

import numpy as np

from lpc_core.metrics.arithmetic.em import FLOOR, TINY, Peaks, Values, climb, maximise

BINS = 256  # of each of the two kinds
_BOUNDS = 32  # of each of the two kinds, between which starting intervals are tried
_SHARES = (0.02, 0.1, 0.25, 0.5, 0.98)  # smaller peaks are not sought: in few samples chance makes them


def best_on_bins(values: Values, max_steps: int) -> Peaks:
    """The best of five starts, each climbed to its end."""
    starts, p = _starts(values), len(values.means)
    node = np.tile(np.arange(p), len(starts.weights) // p)
    found = climb(starts, values.pick(node), max_steps)
    best = found.likelihood.reshape(-1, p).argmax(axis=0)
    return found.peaks.pick(best * p + np.arange(p))


def _starts(values: Values) -> Peaks:
    """Components from five divisions of the bins, (5p, 2), start by start: the best 2-means cut, and the intervals that
    divide best into inside and outside, one for each of four ranges of their share.
    """
    edges, inside, score = _intervals(values)  # (p, intervals) but for the edges (p, intervals, 2)
    below, sums = values.shares.cumsum(axis=1), (values.shares * values.means).cumsum(axis=1)
    cut = (sums ** 2 / np.maximum(below * (1 - below), TINY))[:, :-1].argmax(axis=1)  # the mean of all is 0
    chosen = [np.stack([np.zeros_like(cut), cut + 1], axis=1)]
    for low, high in itertools.pairwise(_SHARES):
        best = np.where((inside > low) & (inside <= high), score, -np.inf).argmax(axis=1)
        chosen.append(edges[np.arange(len(best)), best])
    bins = np.arange(values.means.shape[1])
    made = [maximise(1.0 * ((bins >= pair[:, [0]]) & (bins < pair[:, [1]])), values) for pair in chosen]
    return Peaks(*(np.concatenate([getattr(m, name) for m in made]) for name in ("weights", "means", "variances")))


def _intervals(values: Values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
            _as_component(inside) + _as_component(outside))


def _as_component(moments: list[np.ndarray]) -> np.ndarray:
    share, sums, squares = moments
    share = np.maximum(share, TINY)
    variances = np.maximum(squares / share - (sums / share) ** 2, 1e-12) + FLOOR
    likelihood: np.ndarray = share * (np.log(share) - np.log(variances) / 2)
    return likelihood


def _bounds(values: Values) -> np.ndarray:
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


def binned(ordered: np.ndarray) -> Values:
    """Bins of the sorted values (p, n); a bin per sample where there are no more than bins."""
    n = ordered.shape[1]
    edges = np.tile(np.arange(n + 1), (len(ordered), 1)) if n <= 2 * BINS else _edges(ordered)
    counts = np.diff(edges, axis=1)
    begins = (edges[:, :-1] + n * np.arange(len(ordered))[:, None]).ravel()
    sums, squares = (np.add.reduceat(power.ravel(), begins).reshape(counts.shape) / np.maximum(counts, 1)
                     for power in (ordered, ordered * ordered))
    means = np.where(counts > 0, sums, 0)  # an empty bin counts for nothing; `reduceat` gives it a value
    return Values(means, counts / n, np.maximum(np.where(counts > 0, squares, 0) - means ** 2, 0))


def _edges(ordered: np.ndarray) -> np.ndarray:
    """Where bins begin and end in each row: (p, 2·BINS + 1) indices that never fall."""
    n = ordered.shape[1]
    quantiles = np.linspace(0, n, BINS + 1).astype(int)
    levels = np.linspace(ordered[:, 0], ordered[:, -1], BINS + 1, axis=1)[:, 1:-1]
    widths = [np.searchsorted(row, level) for row, level in zip(ordered, levels, strict=True)]
    return np.sort(np.concatenate([np.tile(quantiles, (len(ordered), 1)), widths], axis=1), axis=1)
