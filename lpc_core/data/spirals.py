"""Arms of a spiral in the plane, one per class, turned evenly around the origin; the tips have radius 1."""

from __future__ import annotations

import numpy as np

from lpc_core.data._synthetic import in_plane

TURNS = 1.25  # of every arm, from the middle to its tip
INNER = 0.1  # radius where the arms begin, so that they do not meet


def _points(labels: np.ndarray, classes: int, rng: np.random.Generator) -> np.ndarray:
    along = rng.uniform(0, 1, len(labels))
    radius, angle = INNER + (1 - INNER) * along, 2 * np.pi * (TURNS * along + labels / classes)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


SOURCE = in_plane("spirals", "Spirals", "Arms wound around one another: a hard shape for a small network.", _points)
