"""Retrieval by the binary code: what the signs of the d nodes alone find, beside the latents as numbers.

Every query ranks a database, by Hamming distance between codes or by Euclidean distance between latents; what has its
label is relevant. A code has few distances, so most of a ranking is ties: their order is chance, and what is reported
is the mean over all orders (McSherry & Najork 2008), not that of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from lpc_core.metrics._base import Metric

BYTES_OF_FLOAT = 4
BLOCK = 200  # queries at once


@dataclass(frozen=True)
class Retrieval:
    """What was found by codes and by numbers."""

    map_code: float  # mean average precision by Hamming distance, expected over ties
    map_float: float  # by Euclidean distance
    recall_code: float  # share of the R relevant ones among the first R, expected over ties
    recall_float: float
    bytes_code: int  # of one sample: d bits in whole bytes
    bytes_float: int  # of one sample: d float32
    queries: int  # with at least one relevant sample in the database

    def named(self) -> dict[str, float]:
        """All of it by the names in `METRICS`."""
        return {f"retrieval_{name}": float(value) for name, value in vars(self).items() if name != "queries"}


def retrieval(database: Any, database_labels: Any, queries: Any, labels: Any) -> Retrieval:
    """How well ``queries`` (m, d) with ``labels`` (m,) find their like in ``database`` (n, d).

    The code of a latent is the sign of its nodes, 0 counting as positive. NaN where no query has anything to find.
    """
    stored, asked = np.asarray(database, np.float64), np.asarray(queries, np.float64)
    own, wanted = np.asarray(database_labels), np.asarray(labels)
    if (stored.ndim != 2 or asked.ndim != 2 or stored.shape[1] != asked.shape[1] or own.shape != stored.shape[:1]
            or wanted.shape != asked.shape[:1] or not len(stored) or not len(asked)):
        raise ValueError(f"expected database (n, d) and queries (m, d) with a label each, got {stored.shape}, "
                         f"{own.shape}, {asked.shape} and {wanted.shape}; pass latents of one layer")
    found: list[np.ndarray] = []
    for start in range(0, len(asked), BLOCK):
        part = slice(start, start + BLOCK)
        relevant = wanted[part, None] == own  # (b, n)
        code = _hamming(asked[part] >= 0, stored >= 0)
        found.append(np.stack([*_precision(code, relevant), *_precision(cdist(asked[part], stored), relevant)]))
    scores = np.concatenate(found, axis=1)  # (4, m): AP and recall by code, by number
    useful = ~np.isnan(scores[0])
    means = scores[:, useful].mean(axis=1) if useful.any() else np.full(4, np.nan)
    d = stored.shape[1]
    return Retrieval(means[0], means[2], means[1], means[3], -(-d // 8), BYTES_OF_FLOAT * d, int(useful.sum()))


def _hamming(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Nodes in which codes (b, d) and (n, d) differ: (b, n)."""
    x, y = (np.where(code, 1.0, -1.0) for code in (a, b))
    differ: np.ndarray = np.rint((x.shape[1] - x @ y.T) / 2)
    return differ


def _precision(distances: np.ndarray, relevant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and recall at R of every query (b,), expected over the order of ties; NaN without relevant."""
    n = relevant.shape[1]
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])  # (n + 1,)
    return tuple(np.array(pairs) for pairs in zip(  # type: ignore[return-value]
        *(_one(row, mark, harmonic) for row, mark in zip(distances, relevant, strict=True)), strict=True))


def _one(distances: np.ndarray, relevant: np.ndarray, harmonic: np.ndarray) -> tuple[float, float]:
    """The two of one query, group of ties by group.

    The i-th of a group of g with r relevant, after s samples with b relevant, is relevant with probability r/g, and
    then has b + 1 + (i − 1)(r − 1)/(g − 1) relevant ones up to it; summed over i by harmonic numbers.
    """
    total = int(relevant.sum())
    if not total:
        return np.nan, np.nan
    _, place, sizes = np.unique(distances, return_inverse=True, return_counts=True)
    hits = np.bincount(place, relevant, len(sizes))  # r of every group
    after = np.cumsum(sizes) - sizes  # s
    before = np.cumsum(hits) - hits  # b
    inverse = harmonic[after + sizes] - harmonic[after]  # Σ 1/(s + i)
    more = np.divide(hits - 1, sizes - 1, out=np.zeros(len(sizes)), where=sizes > 1)
    precision = hits / sizes * ((before + 1) * inverse + more * (sizes - (after + 1) * inverse))
    within = np.clip((total - after) / sizes, 0, 1)  # share of every group among the first R
    return float(precision.sum() / total), float((hits * within).sum() / total)


_SOURCE = "this project; ties after McSherry & Najork 2008"
METRICS = (
    Metric("retrieval_map_code", "Retrieval by code", "mAP by Hamming distance of sign(z)",
           "How well a sample's signs alone find others of its class: 1, all before any other.", _SOURCE, "percent"),
    Metric("retrieval_map_float", "Retrieval by latents", "mAP by Euclidean distance of z",
           "The same with the latents as numbers, which take 32 times the memory.", "standard", "percent"),
    Metric("retrieval_recall_code", "Recall by code", "share of R relevant among the first R, by sign(z)",
           "How many of a class are found in as many places as it has members, by signs alone.", _SOURCE, "percent"),
    Metric("retrieval_recall_float", "Recall by latents", "share of R relevant among the first R, by z",
           "The same with the latents as numbers.", "standard", "percent"),
    Metric("retrieval_bytes_code", "Memory of a code", "⌈d / 8⌉", "What one sample's signs take.", _SOURCE, "log",
           unit="bytes"),
    Metric("retrieval_bytes_float", "Memory of a latent", "4 d", "What one sample's latents take.", _SOURCE, "log",
           unit="bytes"),
)
