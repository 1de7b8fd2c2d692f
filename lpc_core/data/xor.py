"""A checkerboard on [−1, 1]²: K × K fields, field (i, j) of class (i + j) mod K. With two classes it is XOR."""

from __future__ import annotations

import numpy as np

from lpc_core.data._synthetic import in_plane

MARGIN = 0.1  # of every field left empty on each side, as a share of its width


def _points(labels: np.ndarray, classes: int, rng: np.random.Generator) -> np.ndarray:
    column = rng.integers(classes, size=len(labels))
    field = np.stack([column, (labels - column) % classes], axis=1)  # (N, 2), 0…K−1
    inside = rng.uniform(MARGIN, 1 - MARGIN, field.shape)
    return 2 * (field + inside) / classes - 1


SOURCE = in_plane("xor", "XOR checkerboard",
                  "Fields of a board: neither coordinate alone tells anything about the class.", _points)
