"""Random flips, shifts and a little noise on batches of pictures, where the pictures are (CPU or CUDA)."""

from __future__ import annotations

import torch
from torch import Tensor

PADDING = 4  # pixels a picture is shifted by at most; what comes in at the border is its reflection
NOISE = 0.01  # standard deviation, on model inputs (standardised per channel)
_OFFSETS = 2 * PADDING + 1


class FlipCrop:
    """Flips half of the pictures left to right, crops them from a reflected border of 4 pixels, adds Gaussian noise.

    It has a random stream of its own on the device, so that a run is the same whatever else draws numbers there.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.stream = torch.Generator(device).manual_seed(seed)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Changed copies of ``pictures`` (B, C, H, W), channels last in memory; H and W above 4."""
        device, stream = pictures.device, self.stream
        variants = torch.randint(2 * _OFFSETS * _OFFSETS, (len(pictures),), generator=stream, device=device)
        crops = flip_crop(pictures, variants)
        last = crops.permute(0, 2, 3, 1)  # (B, H, W, C), contiguous
        return torch.randn(last.shape, generator=stream, device=device).mul_(NOISE).add_(last).permute(0, 3, 1, 2)


def flip_crop(pictures: Tensor, variants: Tensor) -> Tensor:
    """Crop, then flip, each of ``pictures`` (B, C, H, W); its variant is flip + 2 · (row shift + 9 · column shift).

    Shifts 0…8; 4 leaves the picture where it is.
    """
    flip, shifts = variants % 2, variants // 2
    rows = _reflected(shifts % _OFFSETS, pictures.shape[2])  # (B, H)
    columns = _reflected(shifts // _OFFSETS, pictures.shape[3])  # (B, W)
    columns = torch.where(flip.bool()[:, None], columns.flip(1), columns)
    which = torch.arange(len(pictures), device=pictures.device)[:, None, None]
    return pictures.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _reflected(shift: Tensor, size: int) -> Tensor:
    """(B, size) indices of a picture's rows seen through a window moved by ``shift`` − 4, mirrored at both borders."""
    index = (torch.arange(-PADDING, size - PADDING, device=shift.device) + shift[:, None]).abs()
    return size - 1 - (size - 1 - index).abs()
