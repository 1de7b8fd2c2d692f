"""Metrics of collapse: pure functions of arrays, and a table that says what each number means."""

from __future__ import annotations

from lpc_core.metrics._base import Metric, Reading
from lpc_core.metrics._info import METRICS
from lpc_core.metrics.accuracy import accuracy
from lpc_core.metrics.binarity import node_peak_distance, weight_abs_cv
from lpc_core.metrics.collapse import (
    ByClass,
    by_class,
    class_means,
    nc1_pinv,
    sigma_b_trace,
    sigma_w_trace,
    within_class_spread,
)
from lpc_core.metrics.live import live_metrics
from lpc_core.metrics.norms import abs_cv, norm_cv, norm_mean
from lpc_core.metrics.separation import separation_ratio

__all__ = ["METRICS", "ByClass", "Metric", "Reading", "abs_cv", "accuracy", "by_class", "class_means", "live_metrics",
           "nc1_pinv", "node_peak_distance", "norm_cv", "norm_mean", "separation_ratio", "sigma_b_trace",
           "sigma_w_trace", "weight_abs_cv", "within_class_spread"]
