"""Stored samples as a model takes them: shape, and pictures standardised per channel."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lpc_core.data._base import Dataset, torch_shape


class Normaliser:
    """Turns stored samples into model inputs: pictures to (N, C, H, W), standardised per channel; vectors unchanged."""

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self.mean: Tensor | None = None
        self.std: Tensor | None = None
        if dataset.is_image:
            self.mean, self.std = (torch.tensor(each, dtype=torch.float32, device=device)[:, None, None]
                                   for each in _channel_statistics(dataset.train_inputs))

    def __call__(self, stored: Tensor) -> Tensor:
        """Model inputs for ``stored`` (N, D) float32 or (N, H, W, C) uint8."""
        if self.mean is None or self.std is None:
            return stored
        return (stored.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std


def _channel_statistics(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation per channel of (N, H, W, C) uint8, on the scale 0…1, from the 256-bin histogram."""
    values = np.arange(256) / 255
    counts = [np.bincount(pictures[..., c].ravel(), minlength=256) for c in range(pictures.shape[3])]
    means = np.array([count @ values / count.sum() for count in counts])
    variances = [count @ (values - m) ** 2 / count.sum() for count, m in zip(counts, means, strict=True)]
    return means, np.sqrt(variances).clip(1e-3)


def input_shape(dataset: Dataset) -> tuple[int, ...]:
    """The shape of one model input: (D,) or (C, H, W)."""
    return torch_shape(dataset.train_inputs.shape[1:])
