"""Stripes: parallel bands of the plane, one class after the other."""

from __future__ import annotations

import numpy as np

from lpc_core.config import DataConfig
from lpc_core.data._base import Dataset, Progress, Source
from lpc_core.data._synthetic import plane, synthetic


def _load(config: DataConfig, seed: int, progress: Progress) -> Dataset:
    def shape(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.stack([labels + 0.6 * rng.uniform(size=len(labels)), rng.normal(size=len(labels))], axis=1)

    return synthetic("stripes", config, seed, shape)


SOURCE = Source("Stripes", "Bands side by side.", ("classes", "noise"), _load, plane)
