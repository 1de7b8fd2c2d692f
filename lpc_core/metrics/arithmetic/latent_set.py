"""The latents of a run at one moment: what the live form of every metric reads, with what several of them share."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from lpc_core.metrics.arithmetic.together import Grouped, Labels, squares

Part = TypeVar("Part")


class LatentSet:
    """The latents of a run at one moment, on n samples, with its head and what is predicted for it.

    ``latents`` (d, n), node by node, are finite numbers of any real format; ``predictions`` (n,) in 0…K−1; the head is
    ``weight`` (K, d); ``collapse_points`` (K, d) are predicted, None where the theory does not apply. It
    lives in ``memory`` (3, d, n) float64 where that is given: until the next set is made there.
    """

    def __init__(self, latents: np.ndarray, labels: Labels, predictions: np.ndarray, weight: np.ndarray,  # noqa: PLR0917
                 collapse_points: np.ndarray | None, memory: np.ndarray | None = None) -> None:
        self.latents, self.labels, self.predictions = latents, labels, predictions
        self.weight, self.collapse_points = weight, collapse_points
        memory = np.empty((3, *latents.shape)) if memory is None else memory
        self.nodes, self._deviations, self.scratch = memory  # (d, n) each; the last for whoever needs it, while it runs
        self.nodes[...] = latents
        self.by_node = labels.means(self.nodes)  # (d, K) class means
        self._made: dict[Callable[[LatentSet], Any], Any] = {}

    def once(self, part: Callable[[LatentSet], Part]) -> Part:
        """What ``part`` finds out about this set, found out once."""
        if part not in self._made:
            self._made[part] = part(self)
        found: Part = self._made[part]
        return found

    @property
    def means(self) -> np.ndarray:
        """Class means (K, d); NaN for absent classes."""
        return self.by_node.T

    @cached_property
    def squared_norms(self) -> np.ndarray:
        """‖z‖² of every sample: (n,)."""
        return squares(self.nodes)

    @cached_property
    def radius(self) -> float:
        """Mean ‖z‖; NaN without samples."""
        return float(np.sqrt(self.squared_norms).sum()) / (len(self.squared_norms) or math.nan)

    @cached_property
    def by_label(self) -> Grouped:
        """The samples by their true classes."""
        return Grouped(self.nodes, self.labels, self.by_node, self._deviations)

    def by_prediction(self) -> Grouped:
        """The samples by predicted class, in ``scratch`` where that is another."""
        if np.array_equal(self.predictions, self.labels.numbers):
            return self.by_label
        labels = Labels(self.predictions, max(self.labels.classes, int(self.predictions.max()) + 1))
        return Grouped(self.nodes, labels, labels.means(self.nodes), self.scratch)
