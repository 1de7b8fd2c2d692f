"""How equal the sizes of the latents are: the radius of the shell, its thickness, and the size of single nodes."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.metrics.arithmetic.latent_set import LatentSet
from lpc_core.metrics.arithmetic.together import spread
from lpc_core.metrics.measuring.base import PAPER, Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined


def _measure(found: Given) -> dict[str, Reading]:
    """Floors: ‖z‖ is off by 2·eps·‖z‖ and |z_ij| by 2·eps·|z_ij| (`Rows.error`)."""
    error, radii, nodes = found.latents.error, found.radii, found.by_node
    mean, abs_mean = float(radii.mean()), float(nodes.abs_means.mean())
    radius = Reading(mean, float(error(0.0)) * math.sqrt(found.latents.d))
    if not mean:
        return {"norm_mean": radius} | dict.fromkeys(("norm_cv", "abs_cv"), undefined("all latents are 0"))
    variance = float((nodes.abs_stds ** 2).mean() + nodes.abs_means.var())  # within nodes and between them
    return {"norm_mean": radius,
            "norm_cv": Reading(float(radii.std()) / mean, float(error(math.hypot(mean, radii.std()))) / mean),
            "abs_cv": Reading(math.sqrt(variance) / abs_mean,
                              float(error(math.hypot(abs_mean, math.sqrt(variance)))) / abs_mean)}


def _live_abs_cv(latents: LatentSet) -> float:
    sizes = np.abs(latents.nodes, out=latents.scratch)
    return spread(sizes, float(sizes.sum()) / (sizes.size or math.nan))


METRICS = (
    Metric("norm_mean", "Mean radius R", "mean of ‖z‖",
           "How far the latents lie from the origin. It shrinks as γ grows.", PAPER + ", Lemma 2", "log", "radius R",
           "latent units"),
    Metric("norm_cv", "Radius variation", "std / mean of ‖z‖",
           "How thick the shell is that the latents lie on. 0: all have the same radius.", PAPER, "log"),
    Metric("abs_cv", "Node size variation", "std / mean of |z_ij|",
           "How unequal the values of single nodes are in size. Towards 0 every node is +a or −a: a binary code.",
           PAPER, "linear"),
)
_NAMES = tuple(metric.name for metric in METRICS)
GROUP = Group(_NAMES, _measure, moments=_NAMES, live={
    "norm_mean": lambda latents: latents.radius,
    "norm_cv": lambda latents: spread(np.sqrt(latents.squared_norms), latents.radius),
    "abs_cv": _live_abs_cv})
