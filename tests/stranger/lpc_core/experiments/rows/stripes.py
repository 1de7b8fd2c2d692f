"""Stripes: one row on the stranger's data set."""

from __future__ import annotations

from lpc_core.experiments._courses import GammaCourse, Regime
from lpc_core.experiments._row import Row

ROWS = (Row("stripes", "lpc", "", "LPC on stripes", "a stranger", {
    "dataset": "stripes", "classes": 3, "samples": 60, "test_samples": 20, "hidden": (8,), "latent_dim": 2,
    "batch_size": 16}, 3, GammaCourse(1e-2, (Regime(2.0, 1, 1.0),)), lrs=(1e-2,)),)
