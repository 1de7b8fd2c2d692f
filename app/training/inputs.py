"""The input side of a run: where its drawn samples lie before the network, and what the network says of the plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.training.projection import StableBasis
from lpc_core.engine.lockstep import Member

CELLS = 48  # the plane is asked at so many places each way
MARGIN = 1.1  # how much wider the plane is than what its samples need


class InputSide:
    """Two numbers are a point in the plane; more are seen through their two directions of largest spread, found once.

    Pictures have no place: the page shows them as they are. ``kind`` is "plane", "projection" or "pictures".
    """

    def __init__(self, trainer: Member) -> None:
        self._trainer, inputs = trainer, trainer.probe_inputs
        self.kind = "pictures" if inputs is None else "plane" if inputs.shape[1] == 2 else "projection"
        self.points: np.ndarray | None = None  # (n, 2)
        self.share = 1.0  # of all spread that the two directions hold
        if inputs is not None:
            self.points = inputs if self.kind == "plane" else self._projected(inputs)

    def _projected(self, inputs: np.ndarray) -> np.ndarray:
        centred = inputs - inputs.mean(axis=0, dtype=np.float64)  # (n, D)
        points: np.ndarray = centred @ StableBasis(centred.shape[1], 2).update(centred)
        total = float(np.square(centred).sum())
        self.share = float(np.square(points).sum()) / total if total > 0 else 1.0
        return points

    def words(self) -> dict[str, Any]:
        """What a setup says: ``window`` is the square that is drawn, its middle and half its side."""
        if self.points is None:
            return {"kind": self.kind}
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        half = max(float((high - low).max()) / 2 * MARGIN, 1e-6)
        x, y = ((low + high) / 2).tolist()
        return {"kind": self.kind, "share": self.share, "window": [x, y, half]}

    def regions(self) -> np.ndarray | None:
        """uint8 (CELLS, CELLS): the class the network gives the middle of each cell, the top row first; else None."""
        if self.kind != "plane":
            return None
        x, y, half = self.words()["window"]
        steps = (np.arange(CELLS) + 0.5) / CELLS * 2 - 1
        right, up = np.meshgrid(x + half * steps, y - half * steps)
        places = np.stack([right.ravel(), up.ravel()], axis=1).astype(np.float32)  # (CELLS², 2)
        return self._trainer.decide(places).reshape(CELLS, CELLS).astype(np.uint8)
