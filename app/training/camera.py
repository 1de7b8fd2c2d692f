"""Camera: from the view a reader asked for to the plane, the nodes and the histogram range a frame is drawn with."""

from __future__ import annotations

import math

import numpy as np

from app.live.frames import Projection, finite
from app.live.messages import View
from app.training.projection import StableBasis


class RangeKeeper:
    """The histograms' half-width in steps of √2: grows at once, shrinks only when a step and a half too wide."""

    def __init__(self) -> None:
        self._k: int | None = None  # range = 2^(k/2)

    def update(self, top: float) -> float:
        """The range to draw for the present max |z|."""
        if math.isfinite(top) and top > 0:
            exact = 2 * math.log2(top)
            if self._k is None or exact > self._k or exact < self._k - 1.5:
                self._k = math.ceil(exact)
        return 1.0 if self._k is None else 2.0 ** (self._k / 2)


class Camera:
    """Keeps what has to move smoothly from frame to frame: the PCA plane and the histogram range."""

    def __init__(self, d: int) -> None:
        self._d = d
        self._range = RangeKeeper()
        self._pca: StableBasis | None = None

    def look(self, view: View, latents: np.ndarray) -> Projection:
        """How to draw ``latents`` (n, d) in the next frame. Nodes that do not exist are replaced by ones that do."""
        shown = finite(latents)
        large = tuple(dict.fromkeys(node for node in view.large if node < self._d)) or (0,)
        nodes: tuple[int, ...] = ()
        if view.projection == "pca":
            if self._pca is None or self._pca.p != view.dims:
                self._pca = StableBasis(self._d, view.dims)
            basis = self._pca.update(shown)
        else:
            wanted = dict.fromkeys([node for node in view.nodes if node < self._d] + list(range(self._d)))
            nodes = tuple(wanted)[: view.dims]  # those asked for first, then the lowest others
            basis = np.zeros((self._d, view.dims))
            basis[list(nodes), range(len(nodes))] = 1.0
        hist_range = self._range.update(float(max(shown.max(initial=0.0), -shown.min(initial=0.0))))
        return Projection(view.projection, nodes, large, basis, hist_range)
