"""Concentric circles in the plane, one per class; the outermost has radius 1."""

from __future__ import annotations

import numpy as np

from lpc_core.config import DataConfig
from lpc_core.data._base import Dataset, Source
from lpc_core.data._synthetic import plane, synthetic
from lpc_core.progress import Progress


def _load(config: DataConfig, seed: int, progress: Progress) -> Dataset:
    def shape(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        angle, radius = rng.uniform(0, 2 * np.pi, len(labels)), (labels + 1) / config.classes
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)

    return synthetic("circles", config, seed, shape)


SOURCE = Source("Circles", "Rings around one centre: the class is the distance from the middle.",
                ("classes", "noise"), _load, plane)
