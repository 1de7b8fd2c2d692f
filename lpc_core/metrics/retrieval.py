"""Retrieval by the binary code: what the signs of the d nodes alone find, beside the latents as numbers.

Every query ranks a database, by Hamming distance between codes or by Euclidean distance between latents; what has its
label is relevant. A code has few distances, so most of a ranking is ties: their order is chance, and what is reported
is the mean over all orders (McSherry & Najork 2008), not that of one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from lpc_core.metrics.arithmetic.rows import Rows
from lpc_core.metrics.measuring.base import Metric
from lpc_core.metrics.measuring.given import as_names

BYTES_OF_FLOAT = 4
BLOCK = 2**16  # distances at once: they stay in the processor's cache


def retrieval(database: Any, database_labels: Any, queries: Any, labels: Any) -> dict[str, float]:
    """How well ``queries`` (m, d) with ``labels`` (m,) find their like in ``database`` (n, d).

    By the names in `METRICS`. A latent's code is the signs of its nodes, 0 counting as positive. NaN where no query has
    anything to find.
    """
    given = Rows(database, "database"), Rows(queries, "queries")
    if given[0].d != given[1].d:
        raise ValueError(f"expected database and queries of one width, got {given[0].d} and {given[1].d} nodes; pass "
                         "latents of one layer")
    stored, asked = (rows.some(slice(None)) for rows in given)  # (n, d), (m, d)
    own, wanted = as_names(database_labels, "database_labels", len(stored)), as_names(labels, "labels", len(asked))
    found: list[np.ndarray] = []
    signs, step = _signs(stored), max(1, BLOCK // len(stored))
    for start in range(0, len(asked), step):
        part = slice(start, start + step)
        relevant = wanted[part, None] == own  # (b, n)
        by_code = _code_ties(_signs(asked[part]) @ signs.T, relevant)
        found.append(np.stack([*_precision(*by_code, relevant),
                               *_precision(*_ties(cdist(asked[part], stored), relevant), relevant)]))
    scores = np.concatenate(found, axis=1)  # (4, m): AP and recall by code, by number
    useful = ~np.isnan(scores[0])
    map_code, recall_code, map_float, recall_float = (
        scores[:, useful].mean(axis=1) if useful.any() else np.full(4, np.nan)).tolist()
    d = stored.shape[1]
    return {"retrieval_map_code": map_code, "retrieval_map_float": map_float, "retrieval_recall_code": recall_code,
            "retrieval_recall_float": recall_float, "retrieval_bytes_code": float(-(-d // 8)),  # d bits in whole bytes
            "retrieval_bytes_float": float(BYTES_OF_FLOAT * d)}


def _signs(latents: np.ndarray) -> np.ndarray:
    """The code of each latent as ±1."""
    return np.where(latents >= 0, 1.0, -1.0)


def _code_ties(products: np.ndarray, relevant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `_ties`, by Hamming distance; ``products`` (b, n) of codes of ±1 fall by 2 with every node that differs."""
    differ = np.rint((products.max() - products) / 2).astype(np.int64)
    groups = int(differ.max()) + 1
    place = differ + groups * np.arange(len(differ))[:, None]
    many = groups * len(differ)
    return np.bincount(place.ravel(), minlength=many), np.bincount(place[relevant], minlength=many)


def _ties(distances: np.ndarray, relevant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The groups of ties of all queries (b, n), query by query and by growing distance: samples, and relevant ones."""
    order = np.argsort(distances, axis=1)
    near = np.take_along_axis(distances, order, axis=1)
    begins = np.ones(near.shape, bool)
    begins[:, 1:] = near[:, 1:] != near[:, :-1]
    starts = np.flatnonzero(begins)
    hits = np.take_along_axis(relevant, order, axis=1).ravel()
    return np.diff(starts, append=near.size), np.add.reduceat(hits, starts, dtype=np.int64)


def _precision(sizes: np.ndarray, hits: np.ndarray, relevant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and recall at R of every query (b,), expected over the order of ties; NaN without relevant.

    The i-th of a group of g with r relevant, after s samples with b relevant, is relevant with probability r/g, and
    then has b + 1 + (i − 1)(r − 1)/(g − 1) relevant ones up to it; summed over i by harmonic numbers.
    """
    rows, n = relevant.shape
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])  # (n + 1,)
    found = np.flatnonzero(hits)  # a group without relevant ones adds nothing
    (row, after), before = np.divmod((np.cumsum(sizes) - sizes)[found], n), (np.cumsum(hits) - hits)[found]
    sizes, hits, total = sizes[found], hits[found], relevant.sum(axis=1)
    before -= (np.cumsum(total) - total)[row]  # s is `after`, b is `before`, both of one query
    inverse = harmonic[after + sizes] - harmonic[after]  # Σ 1/(s + i)
    more = (hits - 1) / np.maximum(sizes - 1, 1)
    precision = hits / sizes * ((before + 1) * inverse + more * (sizes - (after + 1) * inverse))
    first = hits * np.clip((total[row] - after) / sizes, 0, 1)  # of every group among the first R
    many = np.where(total, total, np.nan)
    return np.bincount(row, precision, rows) / many, np.bincount(row, first, rows) / many


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
