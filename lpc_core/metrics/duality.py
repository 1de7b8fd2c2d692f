"""Neural collapse NC3 and NC4: whether the head mirrors the class means, and decides like them (Papyan 2020)."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import cdist

from lpc_core.metrics.arithmetic.rows import STEPS
from lpc_core.metrics.measuring.base import PAPYAN, Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined
from lpc_core.metrics.separation import nearest


def _measure(found: Given) -> dict[str, Reading]:
    return {**({"nc3_self_duality": _self_duality(found, found.weight)} if found.weight is not None else {}),
            **({"nc4_ncc_agreement": _agreement(found)} if found.predictions is not None else {})}


def _self_duality(found: Given, head: np.ndarray) -> Reading:
    """‖W/‖W‖_F − M/‖M‖_F‖_F over the classes present; 0 parallel, √2 unrelated, 2 opposite.

    Noise floor: M is off by √Σ e_c (see `geometry`), hence M/‖M‖_F by that over ‖M‖_F; the head adds its own format's
    2·eps.
    """
    groups = found.by_label
    means, weight = groups.centred, head[groups.present]  # (K', d) both
    sizes = np.linalg.norm(means), np.linalg.norm(weight)
    if not all(sizes):
        return undefined("the class means coincide" if not sizes[0] else "the head's weights are all 0")
    floor = math.hypot(math.sqrt(np.nansum(groups.errors)) / sizes[0], STEPS * found.weight_eps)
    empty = int((~groups.present).sum())
    return Reading(float(np.linalg.norm(weight / sizes[1] - means / sizes[0])), floor,
                   f"{empty} empty classes and their rows of W left out" if empty else "")


def _agreement(found: Given) -> Reading:
    """Share of samples whose prediction is the class with the nearest mean (grouped by true label).

    A sample nearer to its own class's mean than half of that mean's distance to the next has no nearer one.
    """
    groups = found.by_label
    gaps = cdist(groups.means, groups.means)
    gaps[np.isnan(gaps) | np.eye(len(gaps), dtype=bool)] = np.inf
    safe = gaps.min(axis=1) / 2 * (1 - 1e-9)  # (K,)
    centroids, numbers = groups.means[groups.present], np.flatnonzero(groups.present)
    closest = found.labels.copy()
    for part, rows in found.latents.picked(np.flatnonzero(groups.gaps >= safe[found.labels])):
        closest[part] = numbers[nearest(rows, centroids)]
    return Reading(float((closest == found.predictions).mean()), reason=f"predictions {found.predictions_from}")


METRICS = (
    Metric("nc3_self_duality", "NC3, self-duality", "‖W/‖W‖_F − M/‖M‖_F‖_F, M the centred class means",
           "How far the head's rows are from pointing along the class means. 0: parallel; √2: unrelated.",
           PAPYAN, "log"),
    Metric("nc4_ncc_agreement", "NC4, nearest-mean agreement", "share of argmax_c (Wz + b)_c = argmin_c ‖z − μ_c‖",
           "How often the network decides as the nearest class mean would. 1 is complete agreement, right or wrong.",
           PAPYAN, "percent"),
)
GROUP = Group(("nc3_self_duality", "nc4_ncc_agreement"), _measure,
              {"nc3_self_duality": "weight", "nc4_ncc_agreement": "predictions"}, needs_samples=True,
              moments=("nc3_self_duality",), beyond_moments="needs each sample's distance to the final class means")
