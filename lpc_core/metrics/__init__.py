"""Metrics of collapse: pure functions of arrays, and a table that says what each number means."""

from __future__ import annotations

from lpc_core.metrics.accuracy import accuracy
from lpc_core.metrics.arithmetic.sampling import too_few
from lpc_core.metrics.binarity import node_peak_distance
from lpc_core.metrics.code import CodeReport, code_report
from lpc_core.metrics.collapse import (
    ByClass,
    by_class,
    class_means,
    nc1_pinv,
    sigma_b_trace,
    sigma_w_trace,
    within_class_spread,
)
from lpc_core.metrics.entropy import Entropy, entropy_kl
from lpc_core.metrics.geometry import Reference, reference
from lpc_core.metrics.head import weight_abs_cv
from lpc_core.metrics.live import live_metrics
from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.info import collect
from lpc_core.metrics.measuring.measure import measure, names, readings, slow_names
from lpc_core.metrics.mixture import Mixtures, mixtures
from lpc_core.metrics.nodes import PerNode, per_node
from lpc_core.metrics.norms import abs_cv, norm_cv, norm_mean
from lpc_core.metrics.separation import separation_ratio

METRICS: dict[str, Metric] = collect()

__all__ = ["METRICS", "ByClass", "CodeReport", "Entropy", "Metric", "Mixtures", "PerNode",
           "Reading", "Reference", "abs_cv", "accuracy", "by_class", "class_means", "code_report", "entropy_kl",
           "live_metrics", "measure", "mixtures", "names", "nc1_pinv", "node_peak_distance", "norm_cv", "norm_mean",
           "per_node", "readings", "reference", "separation_ratio", "sigma_b_trace",
           "sigma_w_trace", "slow_names", "too_few", "weight_abs_cv", "within_class_spread"]
