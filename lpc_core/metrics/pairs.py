"""Pairs of classes: how much their clouds overlap (CDNV, Galanti 2021)."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist

from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined


def _measure(found: Given) -> dict[str, Reading]:
    groups, usable = found.by_label, np.flatnonzero(found.by_label.spreadable)
    if len(usable) < 2:
        return {"nc1_cdnv": undefined(f"needs two classes of two samples or more, got {len(usable)}")}
    distances = pdist(groups.means[usable])  # (pairs,)
    one, other = (usable[row] for row in np.triu_indices(len(usable), 1))
    if not distances.all():
        return {"nc1_cdnv": undefined(f"{np.count_nonzero(distances == 0)} pairs of class means coincide")}
    overlap, floor = (float(((variances[one] + variances[other]) / (2 * distances ** 2)).mean())
                      for variances in (groups.traces, groups.errors))
    left_out = len(groups.counts) - len(usable)
    return {"nc1_cdnv": Reading(overlap, floor,
                                f"{left_out} classes of fewer than two samples left out" if left_out else "")}


METRICS = (
    Metric("nc1_cdnv", "NC1 as CDNV", "mean over pairs of (σ_c² + σ_c'²) / (2‖μ_c − μ_c'‖²)",
           "How large two classes' clouds are against the distance between them. Towards 0 the classes collapse. No "
           "matrix is inverted, so it is steadier than NC1.", "Galanti, György & Hutter 2021", "log"),
)
GROUP = Group(("nc1_cdnv",), _measure, needs_samples=True, moments=("nc1_cdnv",))
