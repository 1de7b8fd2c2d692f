"""The fixed, stratified samples a run is measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lpc_core.data import Dataset, spread
from lpc_core.data.inputs import Normaliser


@dataclass(frozen=True, eq=False)
class Probe:
    """Training samples that are drawn and measured, and held-out samples for the test accuracy."""

    everything: Tensor  # (n + m, …) model inputs on the device, both kinds, to be looked at in one pass
    labels: np.ndarray  # (n,) int64
    images: np.ndarray | None  # (n, H, W, C) uint8, for thumbnails
    test_labels: np.ndarray  # (m,)

    @property
    def inputs(self) -> Tensor:
        """(n, …) of the training samples."""
        return self.everything[: len(self.labels)]


def make_probe(dataset: Dataset, normalise: Normaliser, most: int, seed: int, device: torch.device) -> Probe:
    """At most ``most`` training and ``most`` test samples, by class shares, every class present if there is room."""
    rows = spread(dataset.train_labels, most, seed)
    test_rows = spread(dataset.test_labels, most, seed)
    labels = dataset.train_labels[rows]
    both = np.concatenate([dataset.train_inputs[rows], dataset.test_inputs[test_rows]])
    images = dataset.train_inputs[rows] if dataset.is_image else None
    return Probe(normalise(torch.from_numpy(both).to(device)), labels, images, dataset.test_labels[test_rows])
