"""The authors' notebook of 2025-11-23: four Gaussian classes in two nodes (Figure 1), MNIST in eight (Figure 2)."""

from __future__ import annotations

from lpc_core.experiments._courses import GammaCourse, Regime
from lpc_core.experiments._row import Row

_SHARED = {"model": "mlp", "activation": "silu", "penultimate": "linear", "optimizer": "adamw", "weight_decay": 1e-4}
_SOURCE = "authors' notebook of 2025-11-23"
_UPDATE = "γ is taken to be multiplied after an epoch"

ROWS = (
    Row("hypercube", "figure-1", "demo", "Four Gaussian classes in two nodes", _SOURCE,
        {**_SHARED, "dataset": "hypercube", "classes": 4, "samples": 10_000, "dim": 20, "noise": 0.8,
         "hidden": (32, 32), "latent_dim": 2, "batch_size": 8}, 21,
        GammaCourse(1e-4, (Regime(2.0, 1, 1e2),), update="after", decades=True), lrs=(5e-4,), repeats=1,
        notes=(_UPDATE, "γ is rounded down to a power of ten from 1e-3 up, as in the notebook")),
    Row("mnist", "figure-2", "demo", "MNIST in eight nodes", _SOURCE,
        {**_SHARED, "samples": 60_000, "test_samples": 10_000, "hidden": (4_096, 4_096), "latent_dim": 8,
         "batch_size": 32}, 195,
        GammaCourse(1e-4, (Regime(2.0, 1, 1e3), Regime(1.25, 5, 1e6)), update="after", clipped=False, hold=25),
        lrs=(5e-4,), repeats=1, notes=(_UPDATE, "pictures are standardised; the notebook's only lie in 0…1")),
)
