"""Share of predictions that are right."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group


def accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Share of ``predictions`` (n,) equal to ``labels`` (n,), 0…1. NaN without samples."""
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    if predictions.shape != labels.shape:
        raise ValueError(f"expected one prediction per label, got {predictions.shape} and {labels.shape}; "
                         "pass the argmax of the logits")
    return float((predictions == labels).mean()) if labels.size else math.nan


def _measure(found: Given) -> dict[str, Reading]:
    assert found.predictions is not None, "the group needs them"
    return {"accuracy": Reading(accuracy(found.predictions, found.labels),
                                reason=f"predictions {found.predictions_from}")}


METRICS = (Metric("accuracy", "Accuracy", "share of ŷ = y, the samples measured",
                  "How many of these samples are classified right. Collapse and robustness mean nothing without it.",
                  "standard", "percent"),)
GROUP = Group(("accuracy",), _measure, {"accuracy": "predictions"}, moments=("accuracy",))
