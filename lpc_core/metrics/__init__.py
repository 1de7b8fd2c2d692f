"""Metrics of collapse: pure functions of arrays, and a table that says what each number means."""

from __future__ import annotations

from lpc_core.metrics.arithmetic.sampling import too_few
from lpc_core.metrics.binarity import node_peak_distance
from lpc_core.metrics.code import CodeReport, code_report
from lpc_core.metrics.entropy import entropy_kl
from lpc_core.metrics.geometry import Reference, reference
from lpc_core.metrics.head import weight_abs_cv
from lpc_core.metrics.live import live_metrics
from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.info import collect
from lpc_core.metrics.measuring.measure import measure, names, readings, slow_names
from lpc_core.metrics.mixture import Mixtures, mixtures
from lpc_core.metrics.nodes import PerNode, per_node

METRICS: dict[str, Metric] = collect()

__all__ = ["METRICS", "CodeReport", "Metric", "Mixtures", "PerNode", "Reading", "Reference", "code_report",
           "entropy_kl", "live_metrics", "measure", "mixtures", "names", "node_peak_distance", "per_node", "readings",
           "reference", "slow_names", "too_few", "weight_abs_cv"]
