"""Two inspections on the same quantities, and how far one's latents are the other's turned and scaled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lpc_core.inspection._base import Inspection, blocks
from lpc_core.inspection.inspecting import class_centres


def compare(first: Inspection, second: Inspection) -> dict[str, Any]:
    """Differences of two inspections, as plain values.

    ``readings``: {name: {first, second, difference (second − first), reason}}, NaN where one of them is.
    ``alignment`` when both have the same K ≥ 2 classes in the same order: class means laid over each other by the best
    shift, rotation (or reflection) and scale (orthogonal Procrustes, Schönemann 1966): ``residuals`` {class name: what
    is left of its mean, as a share of the root-mean-square distance of the first's means from their centre}, ``scale``,
    and ``disparity`` (their mean square).
    ``cka`` when both hold the same samples: linear centred kernel alignment (Kornblith et al. 2019), 1 for latents that
    are the same up to rotation and scale.
    Each of the two is None where it is undefined, and ``notes`` say why.
    """
    notes: list[str] = []
    return {"readings": _differences(first, second), "alignment": _alignment(first, second, notes),
            "cka": _cka(first, second, notes), "notes": notes}


def _differences(first: Inspection, second: Inspection) -> dict[str, dict[str, Any]]:
    pairs = {name: (one, second.readings[name]) for name, one in first.readings.items() if name in second.readings}
    return {name: {"first": one.value, "second": two.value, "difference": two.value - one.value,
                   "reason": "; ".join(filter(None, (one.reason, two.reason)))} for name, (one, two) in pairs.items()}


def _alignment(first: Inspection, second: Inspection, notes: list[str]) -> dict[str, Any] | None:
    names = first.embeddings.class_names
    if names != second.embeddings.class_names:
        notes.append(f"class means are not laid over each other: {len(names)} and {len(second.embeddings.class_names)} "
                     "classes, or other names")
        return None
    one, two = class_centres(first.embeddings), class_centres(second.embeddings)
    present = np.isfinite(one).all(axis=1) & np.isfinite(two).all(axis=1)
    if present.sum() < 2:
        notes.append("class means are not laid over each other: fewer than two classes have samples in both")
        return None
    left, scale = procrustes(one[present], two[present])
    if left is None:
        notes.append("class means are not laid over each other: those of one file coincide")
        return None
    residuals = dict(zip((name for name, here in zip(names, present, strict=True) if here), left.tolist(), strict=True))
    return {"residuals": residuals, "scale": scale, "disparity": float((left ** 2).mean())}


def procrustes(one: np.ndarray, two: np.ndarray) -> tuple[np.ndarray | None, float]:
    """What is left of each row of ``one`` (K, d) after ``two`` (K, d') is laid over it, (K,), and the scale used.

    Both are centred; the narrower one gets nodes of zeros. The rest is in units of the root-mean-square norm of the
    centred ``one``. (None, NaN) when all rows of one of them coincide.
    """
    width = max(one.shape[1], two.shape[1])
    a, b = (np.pad(m - m.mean(axis=0), ((0, 0), (0, width - m.shape[1]))) for m in (one, two))
    sizes = np.linalg.norm(a), np.linalg.norm(b)
    if min(sizes) == 0:
        return None, math.nan
    left, values, right = np.linalg.svd((b / sizes[1]).T @ (a / sizes[0]))
    scale = float(values.sum() * sizes[0] / sizes[1])
    rest = a - scale * b @ (left @ right)
    return np.linalg.norm(rest, axis=1) / (sizes[0] / math.sqrt(len(one))), scale


def _cka(first: Inspection, second: Inspection, notes: list[str]) -> float | None:
    one, two = first.embeddings, second.embeddings
    if not np.array_equal(one.labels, two.labels):
        notes.append(f"latents are not compared sample by sample: {len(one.labels):,} and {len(two.labels):,} samples, "
                     "or other labels")
        return None
    value = linear_cka(one.latents, two.latents)
    if math.isnan(value):
        notes.append("latents are not compared sample by sample: those of one file are all equal")
        return None
    return value


def linear_cka(one: np.ndarray, two: np.ndarray) -> float:
    """‖XᵀY‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F) of centred X (n, d) and Y (n, d'); NaN when one has no spread. Block by block."""
    means = [m.mean(axis=0, dtype=np.float64) for m in (one, two)]
    sizes = [max(float(np.abs(block - mean).max()) for _, block in blocks(m))
             for m, mean in zip((one, two), means, strict=True)]
    if min(sizes) == 0:
        return math.nan
    cross, own, other = (np.zeros((a.shape[1], b.shape[1])) for a, b in ((one, two), (one, one), (two, two)))
    for (_, a), (_, b) in zip(blocks(one), blocks(two), strict=True):
        x, y = (a - means[0]) / sizes[0], (b - means[1]) / sizes[1]
        cross += x.T @ y
        own += x.T @ x
        other += y.T @ y
    return float(np.linalg.norm(cross) ** 2 / (np.linalg.norm(own) * np.linalg.norm(other)))
