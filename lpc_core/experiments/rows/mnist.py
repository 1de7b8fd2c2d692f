"""MNIST: every kind of row on 10,000 of its pictures with an MLP, about a minute each on one processor core."""

from __future__ import annotations

from lpc_core.experiments.rows._stand_ins import stand_ins

ROWS = stand_ins("mnist", {"samples": 10_000, "test_samples": 10_000, "model": "mlp", "hidden": (256, 128),
                           "batch_size": 128}, (8, 128, 4), epochs=100, lr=2e-3, end=10.0)
