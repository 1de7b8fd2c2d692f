"""Arms of a spiral in the plane, one per class, turned evenly around the origin; the tips have radius 1."""

from __future__ import annotations

import numpy as np

from lpc_core.config import DataConfig
from lpc_core.data._base import Dataset, Source
from lpc_core.data._synthetic import plane, synthetic
from lpc_core.progress import Progress

TURNS = 1.25  # of every arm, from the middle to its tip
INNER = 0.1  # radius where the arms begin, so that they do not meet


def _load(config: DataConfig, seed: int, progress: Progress) -> Dataset:
    def shape(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        along = rng.uniform(0, 1, len(labels))
        radius, angle = INNER + (1 - INNER) * along, 2 * np.pi * (TURNS * along + labels / config.classes)
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)

    return synthetic("spirals", config, seed, shape)


SOURCE = Source("Spirals", "Arms wound around one another: a hard shape for a small network.",
                ("classes", "noise"), _load, plane)
