"""Pearson's r of separation against robustness over runs, as in the paper's Figure 3, with its confidence interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from lpc_core.study._base import SweepRow

FEWEST = 3  # pairs: through two points there is always a line
LEVEL = 0.95


@dataclass(frozen=True)
class Correlation:
    """Pearson's r of n pairs, with the 95 % interval that Fisher's transform gives for pairs drawn from one Gaussian.

    Runs are no such draw: they differ in settings chosen by hand. Read the interval as what n alone leaves open.
    """

    r: float
    low: float
    high: float
    n: int  # pairs that were used
    reason: str = ""  # why a number is NaN, and how many pairs were left out


def pearson(rows: Sequence[SweepRow], attack: str = "smallest") -> dict[str, Correlation]:
    """``{"raw": …, "log": …}``: r of 𝓡 against the robustness ``attack`` found, of the values and of their logarithms;
    by default the smallest perturbation that any attack found.

    The paper reports r = 0.97 (CIFAR-10) and 0.985 (CIFAR-100) over its runs. Raw values weigh the few most robust
    runs most, logarithms all alike. Rows without both numbers are left out, and `Correlation.reason` counts them.
    """
    x = np.array([row.separation_ratio for row in rows], np.float64)
    y = np.array([row.robustness.get(attack, math.nan) for row in rows], np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(x), np.log10(y)
    return {"raw": correlation(x, y), "log": correlation(*logs)}


def correlation(x: np.ndarray, y: np.ndarray) -> Correlation:
    """Pearson's r of ``x`` (n,) and ``y`` (n,) over the pairs where both are finite.

    NaN with a reason below three pairs and where one of them never changes; the interval needs four pairs.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"expected x (n,) and y (n,), got {x.shape} and {y.shape}; pass one pair per run")
    usable = np.isfinite(x) & np.isfinite(y)
    n, without = int(usable.sum()), int((~usable).sum())
    x, y, note = x[usable], y[usable], f"; left out {without} without both numbers" if without else ""
    if n < FEWEST:
        return _nothing(n, f"expected at least {FEWEST} runs with both numbers, got {n}{note}")
    x, y = x - x.mean(), y - y.mean()
    sizes = math.sqrt(float(x @ x)), math.sqrt(float(y @ y))
    if min(sizes) == 0:
        return _nothing(n, f"one of the two is the same in all {n} runs{note}")
    r = min(max(float((x / sizes[0]) @ (y / sizes[1])), -1.0), 1.0)
    low, high = _interval(r, n)
    needs = "an interval needs 4 runs" if n == FEWEST else ""
    return Correlation(r, low, high, n, needs + note if needs else note.lstrip("; "))


def _interval(r: float, n: int) -> tuple[float, float]:
    """Fisher (1921): artanh r is about normal with variance 1/(n − 3)."""
    if n <= FEWEST:
        return math.nan, math.nan
    if abs(r) == 1:
        return r, r
    half = float(ndtri((1 + LEVEL) / 2)) / math.sqrt(n - 3)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def _nothing(n: int, reason: str) -> Correlation:
    return Correlation(math.nan, math.nan, math.nan, n, reason)
