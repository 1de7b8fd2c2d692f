"""MNIST: every kind of row on all 70,000 pictures with an MLP, minutes each on one processor core."""

from __future__ import annotations

from lpc_core.experiments.rows._stand_ins import stand_ins

ROWS = stand_ins("mnist", {"samples": 60_000, "test_samples": 10_000, "model": "mlp", "hidden": (256, 128),
                           "batch_size": 128}, (8, 128, 4), 20, 2e-3, 100.0)
