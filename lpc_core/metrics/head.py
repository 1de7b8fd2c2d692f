"""The head by itself: how large its weights are, and whether it reads every node with one strength, as ±1."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.metrics.arithmetic.together import mean
from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined


def weight_abs_cv(weight: np.ndarray) -> np.ndarray:
    """Standard deviation over mean of |W_kj| over the K classes, for every node j of ``weight`` (…, K, d): (…, d).

    0 when the head reads the node with one strength, ±a for every class. NaN for a node it does not read.
    """
    sizes = np.abs(np.asarray(weight, np.float64))
    means = sizes.sum(axis=-2, keepdims=True) / sizes.shape[-2]
    sizes -= means
    spread: np.ndarray = np.sqrt(np.einsum("...kd,...kd->...d", sizes, sizes) / sizes.shape[-2])
    means = means[..., 0, :]
    spread /= means if means.all() else np.where(means > 0, means, np.nan)
    return spread


def _measure(found: Given) -> dict[str, Reading]:
    """Floor of the variation: a weight is stored to eps/2 of its size."""
    assert found.weight is not None, "the group needs it"
    norm, variations = float(np.linalg.norm(found.weight)), weight_abs_cv(found.weight)
    if not norm:
        return {"weight_norm": Reading(0.0), "weight_abs_cv": undefined("the head's weights are all 0")}
    return {"weight_norm": Reading(norm), "weight_abs_cv": Reading(float(np.nanmean(variations)), found.weight_eps / 2)}


METRICS = (
    Metric("weight_norm", "Head norm", "‖W‖_F",
           "The size of the head's weights. Under a growing γ it must grow, or the classes are lost.",
           "this project", "log"),
    Metric("weight_abs_cv", "Head weight variation", "mean over nodes of std / mean of |W_kj| over classes k",
           "How unequal the strengths are with which the head reads a node. Towards 0 its weights are ±a, and the "
           "code is binary.", "this project", "linear", "head weight variation"),
)
_NAMES = tuple(metric.name for metric in METRICS)
GROUP = Group(_NAMES, _measure, dict.fromkeys(_NAMES, "weight"), moments=_NAMES, live={
    "weight_norm": lambda latents: math.sqrt(np.vdot(latents.weight, latents.weight)),
    "weight_abs_cv": lambda latents: mean(weight_abs_cv(latents.weight))})
