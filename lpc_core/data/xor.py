"""A checkerboard on [−1, 1]²: K × K fields, field (i, j) of class (i + j) mod K. With two classes it is XOR."""

from __future__ import annotations

import numpy as np

from lpc_core.config import DataConfig
from lpc_core.data._base import Dataset, Source
from lpc_core.data._synthetic import plane, synthetic
from lpc_core.progress import Progress

MARGIN = 0.1  # of every field left empty on each side, as a share of its width


def _load(config: DataConfig, seed: int, progress: Progress) -> Dataset:
    def shape(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        column = rng.integers(config.classes, size=len(labels))
        field = np.stack([column, (labels - column) % config.classes], axis=1)  # (N, 2), 0…K−1
        inside = rng.uniform(MARGIN, 1 - MARGIN, field.shape)
        return 2 * (field + inside) / config.classes - 1

    return synthetic("xor", config, seed, shape)


SOURCE = Source("XOR checkerboard", "Fields of a board: neither coordinate alone tells anything about the class.",
                ("classes", "noise"), _load, plane)
