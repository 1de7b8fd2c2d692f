"""Interleaved half-moons in the plane: a chain of half circles, opening down and up in turn."""

from __future__ import annotations

import numpy as np

from lpc_core.data._synthetic import in_plane

SPACING = 1.25  # between neighbouring centres, in radii; above 1 so that moons k and k + 2 do not touch
LIFT = 0.5  # how far the moons that open up reach into the others, in radii
HALF_WIDTH = 1.5  # of the whole chain


def _points(labels: np.ndarray, classes: int, rng: np.random.Generator) -> np.ndarray:
    angle, odd = rng.uniform(0, np.pi, len(labels)), labels % 2
    along = SPACING * (labels - (classes - 1) / 2) + np.cos(angle)
    across = np.where(odd, LIFT - np.sin(angle), np.sin(angle)) - LIFT / 2
    return np.stack([along, across], axis=1) * HALF_WIDTH / (1 + SPACING * (classes - 1) / 2)


SOURCE = in_plane("moons", "Moons", "Half-moons that reach into one another: no straight line parts them.", _points)
