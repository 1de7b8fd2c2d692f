"""Entropy as the tables of 2024 have it: k-nearest-neighbour estimate with the max norm's ball, raw latents, k = 100.

Kozachenko & Leonenko 1987 in the max norm: ψ(N) − ψ(k) + d·log 2 + d·mean log ε_k, in nats, not divided by d. Later
code of the same authors takes the Euclidean ball on standardised latents, which is `entropy_kl`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma

from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.group import undefined

NEIGHBOUR = 100


def entropy_max(latents: Any, k: int = NEIGHBOUR) -> Reading:
    """The estimate for ``latents`` (n, d); NaN with a reason for n ≤ k, and where k others lie on a sample's place."""
    points = np.asarray(latents, np.float64)
    if points.ndim != 2 or k < 1:
        raise ValueError(f"expected latents (n, d) and k of at least 1, got {points.shape} and {k}; pass one row each")
    n, d = points.shape
    if n <= k:
        return undefined(f"needs more than k = {k} samples, got {n}")
    radii = cKDTree(points).query(points, k=[k + 1], p=np.inf)[0][:, 0]  # the nearest is the sample itself
    if not radii.all():
        return undefined(f"{int((radii == 0).sum()):,} samples have {k} others in the very same place")
    return Reading(float(digamma(n) - digamma(k) + d * np.log(2) + d * np.log(radii).mean()))


METRICS = (
    Metric("entropy_max", "Entropy, max norm", "ψ(N) − ψ(k) + d log 2 + d · mean log ε_k, k = 100",
           "How much room the latents take, in nats over all nodes together. It falls as they shrink.",
           "Sbailò & Ghiringhelli 2024, after Kozachenko & Leonenko 1987", "linear", unit="nats"),
)
