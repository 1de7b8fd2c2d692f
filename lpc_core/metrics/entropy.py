"""Entropy of the latents from the distances to their k-th neighbours (Kozachenko & Leonenko 1987).

In the Euclidean norm on standardised latents, and, as the tables of 2024 have it, in the max norm on latents as they
are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from scipy.spatial import KDTree
from scipy.special import gammaln, psi

from lpc_core.metrics.arithmetic.neighbours import TREE_NODES, kth_distances
from lpc_core.metrics.arithmetic.rows import Rows
from lpc_core.metrics.measuring.base import PAPER, Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined
from lpc_core.metrics.nodes import PerNode, node_statistics

NEIGHBOUR = 100  # k of those tables
_TREE_VALUES = 1 << 26  # largest float64 copy made for a tree, half a gigabyte


def entropy_kl(latents: Any, k: int = 20, standardise: bool = True, queries: int | None = None,
               seed: int = 0) -> Reading:
    """Kozachenko–Leonenko estimate for ``latents`` (n, d), n > k: ψ(n) − ψ(k) + log V_d + d·mean log ε_k, over d.

    ε_k is the distance of a sample to its k-th neighbour, V_d the volume of the unit ball. ``standardise`` divides each
    node by its standard deviation first. The paper's tables use k = 100 on the training set as it is; its authors'
    later code k = 20 on the standardised test set, as here.

    The mean runs over all samples; with ``queries`` over at most as many, drawn without replacement (``seed``), whose
    neighbours are looked for among all: quicker, an estimate of the same mean, and said in ``reason``. A squared
    distance is known to a relative 1e-6 or better. Nodes that never change have no density and are left out of d.

    After collapse distances fall below what the number format can tell, down to 0 for equal latents, whose logarithm
    does not exist. Distances below ρ, the root mean square error of a difference of two latents (`Rows.error`), are set
    to ρ and counted in ``reason``, the zeros too; the value is then an upper bound. ``floor`` is the value if all were.
    """
    rows = Rows(latents, "latents")
    if not (isinstance(k, Integral) and 1 <= k < rows.n) or (queries is not None and queries < 1):
        raise ValueError(f"expected 1 <= k < n and queries >= 1, got k={k}, n={rows.n}, queries={queries}; "
                         "take a smaller k or more samples")
    return _entropy(rows, node_statistics(rows), k, standardise, queries or rows.n, seed)


def _entropy(rows: Rows, nodes: PerNode, k: int, standardise: bool, queries: int, seed: int) -> Reading:  # noqa: PLR0917
    kept = np.flatnonzero(~nodes.constant & (nodes.stds > 0))
    if not kept.size:
        return undefined("no node ever changes")
    centre, scale = nodes.means[kept], nodes.stds[kept] if standardise else np.ones(len(kept))
    chosen = np.arange(rows.n) if rows.n <= queries else np.sort(
        np.random.default_rng(seed).choice(rows.n, queries, replace=False))
    distances, d = _kth_distances(rows, lambda block: (block[:, kept] - centre) / scale, chosen, k), len(kept)
    sizes = np.hypot(nodes.means, nodes.stds)[kept]
    rounding = math.sqrt(2 * ((rows.error(sizes) / scale) ** 2).sum())  # of the difference of two points
    constant = psi(rows.n) - psi(k) + d / 2 * math.log(math.pi) - gammaln(d / 2 + 1)
    floor = float(constant + d * math.log(rounding))
    total = floor + d * float(np.log(np.maximum(distances / rounding, 1)).mean())
    raised, ties = np.count_nonzero(distances < rounding), np.count_nonzero(distances == 0)
    return Reading(total / d, floor / d, "; ".join(filter(None, (
        f"k = {k}, {'standardised nodes' if standardise else 'latents as they are'}",
        f"{len(chosen):,} of {rows.n:,} samples looked up, drawn with seed {seed}" if len(chosen) < rows.n else "",
        f"{rows.d - d} of {rows.d} nodes never change and are left out" if d < rows.d else "",
        f"an upper bound: {raised:,} of {len(chosen):,} distances lay below the rounding of the latents and "
        f"were set to it, {ties:,} of them 0 (ties)" if raised else ""))))


def _kth_distances(rows: Rows, place: Callable[[np.ndarray], np.ndarray], chosen: np.ndarray, k: int) -> np.ndarray:
    """Distance of each of the ``chosen`` samples (q,) to its k-th nearest other, by where ``place`` puts them: (q,)."""
    asked = place(rows.some(chosen))  # (q, d')
    if asked.shape[1] <= TREE_NODES and rows.n * asked.shape[1] <= _TREE_VALUES:
        points = np.concatenate([place(block) for _, block in rows.blocks()])
        distances: np.ndarray = KDTree(points, balanced_tree=False).query(asked, [k + 1])[0]  # first: itself
        return distances[:, 0]
    return kth_distances(asked, lambda: (place(block) for _, block in rows.blocks()), k + 1)


def _measure(found: Given) -> dict[str, Reading]:
    k, n = 20, found.latents.n
    if n <= k:
        return {"entropy_kl": undefined(f"needs more than k = {k} samples, got {n}")}
    return {"entropy_kl": _entropy(found.latents, found.by_node, k, standardise=True, queries=n, seed=0)}


def entropy_max(latents: Any, k: int = NEIGHBOUR) -> Reading:
    """The max norm's estimate for ``latents`` (n, d), not divided by d: ψ(n) − ψ(k) + d·log 2 + d·mean log ε_k, nats.

    NaN with a reason for n ≤ k, and where k others lie on a sample's place.
    """
    rows = Rows(latents, "latents")
    if k < 1:
        raise ValueError(f"expected k of at least 1, got {k}; it is how many neighbours are counted")
    points, n, d = rows.some(slice(None)), rows.n, rows.d
    if n <= k:
        return undefined(f"needs more than k = {k} samples, got {n}")
    radii = KDTree(points).query(points, k=[k + 1], p=np.inf)[0][:, 0]  # the nearest is the sample itself
    if not radii.all():
        return undefined(f"{int((radii == 0).sum()):,} samples have {k} others in the very same place")
    return Reading(float(psi(n) - psi(k) + d * np.log(2) + d * np.log(radii).mean()))


METRICS = (
    Metric("entropy_kl", "Entropy per node", "(ψ(N) − ψ(k) + log V_d + d · mean log ε_k) / d",
           "How much of the space the latents fill, in nats per node; standardised nodes, k = 20. 1.42 is a round "
           "bell curve; the deeper below, the more they have gathered in points.",
           f"Kozachenko & Leonenko 1987, as in {PAPER}", "linear", unit="nats"),
    Metric("entropy_max", "Entropy, max norm", "ψ(N) − ψ(k) + d log 2 + d · mean log ε_k, k = 100",
           "How much room the latents take, in nats over all nodes together. It falls as they shrink.",
           "Sbailò & Ghiringhelli 2024, after Kozachenko & Leonenko 1987", "linear", unit="nats"),
)
GROUP = Group(("entropy_kl",), _measure, needs_samples=True, slow=True,
              beyond_moments="needs each sample's nearest neighbours")
