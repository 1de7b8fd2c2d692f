"""CIFAR-10 in small: every kind of row on 5,000 of its pictures with a convnet, tens of minutes each on a CPU."""

from __future__ import annotations

from lpc_core.experiments.rows._stand_ins import stand_ins

ROWS = stand_ins("cifar10-small", {"dataset": "cifar10", "samples": 5_000, "test_samples": 2_000, "model": "convnet",
                                   "width": 16, "augment": "flip-crop", "batch_size": 128}, (8, 128, 4), epochs=100,
                 lr=2e-3, end=10.0)
