"""Share of predictions that are right."""

from __future__ import annotations

from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group


def _measure(found: Given) -> dict[str, Reading]:
    assert found.predictions is not None, "the group needs them"
    return {"accuracy": Reading(float((found.predictions == found.labels).mean()),
                                reason=f"predictions {found.predictions_from}")}


METRICS = (Metric("accuracy", "Accuracy", "share of ŷ = y, the samples measured",
                  "How many of these samples are classified right. Collapse and robustness mean nothing without it.",
                  "standard", "percent"),)
GROUP = Group(("accuracy",), _measure, {"accuracy": "predictions"}, moments=("accuracy",))
