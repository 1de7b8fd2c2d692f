"""Latent point collapse: losses, theory, metrics and trainers. Needs torch, NumPy, SciPy, scikit-learn, safetensors.

The public names load on first use, so that ``import lpc_core`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "RunConfig": "config", "DataConfig": "config", "ModelConfig": "config", "LossConfig": "config",
    "OptimConfig": "config", "ScheduleConfig": "config", "ConfigError": "config",
    "default_run": "presets", "named_presets": "presets", "Preset": "presets",
    "Snapshot": "snapshot", "Dataset": "data", "DataError": "data",
    "Trainer": "engine.trainer", "train": "engine.trainer",
    "collapse_points": "theory", "predicted_radius": "theory", "forces": "theory", "critical_gamma": "theory",
    "latent_l2": "losses", "LatentPenalty": "penalty", "GammaSchedule": "schedules", "PaperGammaSchedule": "schedules",
    "CollapseMetrics": "metrics.accumulator",
}
__all__ = [*_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lpc_core' has no attribute {name!r}")
    return getattr(importlib.import_module(f"lpc_core.{_HOMES[name]}"), name)
