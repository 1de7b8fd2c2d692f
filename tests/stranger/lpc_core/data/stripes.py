"""Stripes: parallel bands of the plane, one class after the other."""

from __future__ import annotations

import numpy as np

from lpc_core.data._synthetic import in_plane


def _points(labels: np.ndarray, classes: int, rng: np.random.Generator) -> np.ndarray:
    return np.stack([labels + 0.6 * rng.uniform(size=len(labels)), rng.normal(size=len(labels))], axis=1)


SOURCE = in_plane("stripes", "Stripes", "Bands side by side.", _points)
