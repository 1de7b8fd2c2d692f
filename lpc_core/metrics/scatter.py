"""Scatter within classes and NC1 (Papyan 2020), of any number of samples and with their noise floor.

Noise floor. Each latent is known to within δz with ‖δz‖² = e_c = (2·eps)²·mean‖z‖² in class c (`Rows.error`), node by
node q_cj. Independent errors add to Σ_W as diag(q), q the mean over classes, and everything else follows by inserting
that for Σ_W: tr Σ_W gets mean e_c, the mean entry gets that over d², NC1 gets tr(diag(q)·Σ_B⁺)/K.
"""

from __future__ import annotations

import math

import numpy as np

from lpc_core.metrics.arithmetic.classes import ClassStatistics, between_directions, class_weights
from lpc_core.metrics.arithmetic.latent_set import LatentSet
from lpc_core.metrics.arithmetic.together import scatter
from lpc_core.metrics.measuring.base import PAPER, PAPYAN, Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined


def _measure(found: Given) -> dict[str, Reading]:
    groups, d = found.by_label, found.latents.d
    nc1, usable = _nc1(groups), groups.spreadable
    per_node = Reading(nc1.value / d, None if nc1.floor is None else nc1.floor / d, nc1.reason)
    if not usable.any():
        alone = undefined("no class has two samples")
        return dict.fromkeys(("sigma_w_trace", "sigma_w_entry_mean", "within_class_spread"), alone) | {
            "nc1_pinv": nc1, "nc1_pinv_per_node": per_node}
    trace, floor, note = groups.traces[usable].mean(), groups.errors[usable].mean(), _left_out(groups)
    radius = found.radii.mean()
    return {
        "nc1_pinv": nc1,
        "nc1_pinv_per_node": per_node,
        "sigma_w_trace": Reading(float(trace), float(floor), note),
        "sigma_w_entry_mean": Reading(float(groups.sums[usable].mean()) / d ** 2, float(floor) / d ** 2, note),
        "within_class_spread": Reading(float(math.sqrt(trace) / radius), float(math.sqrt(floor) / radius), note)
        if radius > 0 else undefined("all latents are 0"),
    }


def _nc1(groups: ClassStatistics) -> Reading:
    """NC1, tr(Σ_W Σ_B⁺)/K over the K classes present; 0 is perfect collapse.

    Σ_B = MᵀM/K with M the centred class means, so with M = USVᵀ this is Σ_k mean_c var_c(z·v_k) / s_k²: neither
    d × d matrix is formed. A direction no wider than the rounding of the latents is absent from Σ_B.
    """
    usable, note = groups.spreadable, _left_out(groups)
    if len(groups.centred) < 2 or not usable.any():
        return undefined("fewer than two classes" if usable.any() else "no class has two samples")
    sizes, directions = between_directions(groups.centred, math.sqrt(np.nansum(groups.errors)))  # (r,), (d, r)
    if not sizes.size:
        return undefined(f"the class means coincide within the rounding of {groups.rows.format}")
    weights = class_weights(groups.counts)
    along = sum(weights[groups.labels[part]] @ (away @ directions) ** 2 for part, away in groups.deviations())  # (r,)
    noise = groups.node_errors[usable].mean(axis=0) @ directions ** 2
    return Reading(float((along / sizes ** 2).sum()), float((noise / sizes ** 2).sum()), note)


def _left_out(groups: ClassStatistics) -> str:
    """A note on classes that a mean over classes does not count."""
    empty, single = int((groups.counts == 0).sum()), int((groups.counts == 1).sum())
    notes = [f"{empty} empty"] * (empty > 0) + [f"{single} of one sample"] * (single > 0)
    return f"classes left out: {' and '.join(notes)}" if notes else ""


def _live(latents: LatentSet) -> tuple[float, float]:
    """Tr Σ_W and NC1."""
    return scatter(latents.by_label)


def _live_spread(latents: LatentSet) -> float:
    return math.sqrt(latents.once(_live)[0]) / latents.radius if latents.radius > 0 else math.nan


METRICS = (
    Metric("within_class_spread", "Spread within a class", "√(tr Σ_W) / mean ‖z‖",
           "The size of a class's cloud as a share of its distance from the origin. Towards 0 the class is a point.",
           "this project", "log", "spread"),
    Metric("sigma_w_trace", "Within-class scatter", "tr Σ_W, Σ_W the mean over classes of the covariance",
           "The squared size of a class's cloud.", PAPER, "log", unit="squared latent units"),
    Metric("sigma_w_entry_mean", "Mean entry of Σ_W", "mean over i, j of (Σ_W)_ij",
           "What the paper's tables call Σ_W. Opposite correlations cancel in it, so read it beside the trace.",
           PAPER, "log", unit="squared latent units"),
    Metric("nc1_pinv", "NC1", "tr(Σ_W Σ_B⁺) / K",
           "Scatter within classes measured against the distances between them. Towards 0 the classes collapse.",
           PAPYAN, "log"),
    Metric("nc1_pinv_per_node", "NC1 per node", "tr(Σ_W Σ_B⁺) / (K d)",
           "NC1 shared out over the d nodes, to compare networks of different width. Towards 0 the classes collapse.",
           PAPYAN + "; over d as in the paper's authors' code", "log"),
)
GROUP = Group(tuple(metric.name for metric in METRICS), _measure, needs_samples=True,
              moments=("within_class_spread", "sigma_w_trace", "sigma_w_entry_mean"),
              scatters=("nc1_pinv", "nc1_pinv_per_node"),
              live={"within_class_spread": _live_spread, "nc1_pinv": lambda latents: latents.once(_live)[1]})
