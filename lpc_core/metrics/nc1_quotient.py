"""Neural collapse NC1 by the quotient tr Σ_W / tr Σ_B, beside NC1 by singular values of the class means (`scatter`).

The quotient weighs scatter in all directions alike, also those in which the class means do not differ at all; tr(Σ_W
Σ_B⁺) counts only what lies along the K − 1 directions between them, each in its own scale (the singular value
decomposition of the centred means gives both, see `lpc_core.metrics.scatter`).
"""

from __future__ import annotations

from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined


def _measure(found: Given) -> dict[str, Reading]:
    groups = found.by_label
    usable, between = groups.spreadable, float((groups.centred ** 2).sum(axis=1).mean())
    if len(groups.centred) < 2 or not usable.any() or between == 0:
        return {"nc1_quotient": undefined("needs two classes with different means, and one of two samples")}
    within, floor = (float(values[usable].mean()) for values in (groups.traces, groups.errors))
    return {"nc1_quotient": Reading(within / between, floor / between)}


METRICS = (
    Metric("nc1_quotient", "NC1, quotient", "tr Σ_W / tr Σ_B",
           "Scatter within classes over scatter of their means, all directions alike. Towards 0 the classes collapse.",
           "Tirer & Bruna 2022; as NC1 of rhubarbwu/neural-collapse", "log"),
)
GROUP = Group(("nc1_quotient",), _measure, needs_samples=True, moments=("nc1_quotient",))
