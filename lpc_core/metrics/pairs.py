"""Pairs of classes: how far apart they are, at what angle, and how much their clouds overlap (CDNV, Galanti 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from lpc_core.metrics.arithmetic.classes import ClassStatistics
from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.given import Given, given
from lpc_core.metrics.measuring.group import Group, undefined


@dataclass(frozen=True, eq=False)
class PerPair:
    """Every pair of K classes, in the order of ``classes``; empty classes are NaN rows and columns."""

    classes: tuple[Any, ...]  # K label values as the caller wrote them
    distances: np.ndarray  # (K, K) ‖μ_c − μ_c'‖
    cosines: np.ndarray  # (K, K) cos(μ_c − μ, μ_c' − μ), μ the mean of the class means
    cdnv: np.ndarray  # (K, K) (σ_c² + σ_c'²) / (2‖μ_c − μ_c'‖²), NaN on the diagonal and for classes of one sample


def per_pair(latents: Any, labels: Any) -> PerPair:
    """Distances, cosines and CDNV of all pairs of classes of ``latents`` (n, d) by ``labels`` (n,)."""
    found = given(latents, labels)
    groups, classes = found.by_label, len(found.classes)
    cosines = np.full((classes, classes), np.nan)
    cosines[np.ix_(groups.present, groups.present)] = cosine_matrix(groups.centred)
    distances = cdist(groups.means, groups.means)
    return PerPair(found.classes, distances, cosines, _cdnv(groups.traces, groups, distances))


def cosine_matrix(vectors: np.ndarray) -> np.ndarray:
    """Cosines between all rows of ``vectors`` (K, d): (K, K), NaN for a row of zeros."""
    norms = np.sqrt((vectors ** 2).sum(axis=1, keepdims=True))
    unit = vectors / np.where(norms > 0, norms, np.nan)
    return np.clip(unit @ unit.T, -1, 1)


def _cdnv(variances: np.ndarray, groups: ClassStatistics, distances: np.ndarray) -> np.ndarray:
    """(v_c + v_c') / (2·distance²) for all pairs (K, K) of classes of two samples or more, NaN elsewhere."""
    usable = np.where(groups.spreadable, variances, np.nan)
    found: np.ndarray = (usable[:, None] + usable) / (2 * np.where(distances > 0, distances, np.nan) ** 2)
    return found


def _measure(found: Given) -> dict[str, Reading]:
    groups = found.by_label
    usable = int(groups.spreadable.sum())
    if usable < 2:
        return {"nc1_cdnv": undefined(f"needs two classes of two samples or more, got {usable}")}
    distances = cdist(groups.means, groups.means)
    pairs = np.triu(np.outer(groups.spreadable, groups.spreadable), 1)  # (K, K) each pair once
    if not (distances[pairs] > 0).all():
        return {"nc1_cdnv": undefined(f"{int((distances[pairs] == 0).sum())} pairs of class means coincide")}
    left_out = len(groups.counts) - usable
    return {"nc1_cdnv": Reading(float(_cdnv(groups.traces, groups, distances)[pairs].mean()),
                                float(_cdnv(groups.errors, groups, distances)[pairs].mean()),
                                f"{left_out} classes of fewer than two samples left out" if left_out else "")}


METRICS = (
    Metric("nc1_cdnv", "NC1 as CDNV", "mean over pairs of (σ_c² + σ_c'²) / (2‖μ_c − μ_c'‖²)",
           "How large two classes' clouds are against the distance between them. Towards 0 the classes collapse. No "
           "matrix is inverted, so it is steadier than NC1.", "Galanti, György & Hutter 2021", "log"),
)
GROUP = Group(("nc1_cdnv",), _measure, needs_samples=True, moments=("nc1_cdnv",))
