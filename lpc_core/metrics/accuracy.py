"""Share of predictions that are right."""

from __future__ import annotations

import math

import numpy as np


def accuracy(predictions: np.ndarray, labels: np.ndarray) -> float:
    """Share of ``predictions`` (n,) equal to ``labels`` (n,), 0…1. NaN without samples."""
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    if predictions.shape != labels.shape:
        raise ValueError(f"expected one prediction per label, got {predictions.shape} and {labels.shape}; "
                         "pass the argmax of the logits")
    return float((predictions == labels).mean()) if labels.size else math.nan
