"""Concentric circles in the plane, one per class; the outermost has radius 1."""

from __future__ import annotations

import numpy as np

from lpc_core.data._synthetic import in_plane


def _points(labels: np.ndarray, classes: int, rng: np.random.Generator) -> np.ndarray:
    angle, radius = rng.uniform(0, 2 * np.pi, len(labels)), (labels + 1) / classes
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


SOURCE = in_plane("circles", "Circles", "Rings around one centre: the class is the distance from the middle.", _points)
