"""Digits: every kind of row on scikit-learn's 1,797 pictures of 8 × 8 pixels, seconds each on one processor core."""

from __future__ import annotations

from lpc_core.experiments.rows._stand_ins import stand_ins

ROWS = stand_ins("digits", {"samples": 1_437, "test_samples": 360, "model": "mlp", "hidden": (64, 64),
                            "batch_size": 128}, (8, 64, 4), epochs=400, lr=5e-3, end=100.0)
