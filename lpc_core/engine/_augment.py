"""Random flips, shifts and a little noise on batches of pictures, where the pictures are (CPU or CUDA)."""

from __future__ import annotations

import torch
from torch import Tensor

PADDING = 4  # pixels a picture is shifted by at most; what comes in at the border is its reflection
SMALL_PADDING = 2  # the same where flips alternate
NOISE = 0.01  # standard deviation, on model inputs (standardised per channel)
_OFFSETS = 2 * PADDING + 1


class FlipCrop:
    """Flips half of the pictures left to right, crops them from a reflected border of 4 pixels, adds Gaussian noise.

    It has a random stream of its own on the device, so that a run is the same whatever else draws numbers there.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.stream, self.noise = torch.Generator(device).manual_seed(seed), NOISE

    def __call__(self, pictures: Tensor, rows: Tensor | None = None, epochs: Tensor | None = None) -> Tensor:
        """Changed copies of ``pictures`` (B, C, H, W), channels last in memory; H and W above 4."""
        device, stream = pictures.device, self.stream
        variants = torch.randint(2 * _OFFSETS * _OFFSETS, (len(pictures),), generator=stream, device=device)
        crops = flip_crop(pictures, variants)
        last = crops.permute(0, 2, 3, 1)  # (B, H, W, C), contiguous
        return torch.randn(last.shape, generator=stream, device=device).mul_(self.noise).add_(last).permute(0, 3, 1, 2)


class AlternateFlip:
    """Flips every picture in every other epoch (K. Jordan 2024, arXiv 2404.00498) and crops from a border of 2 pixels.

    Which pictures are flipped first is drawn once, on the CPU; the crops' stream is on the device.
    """

    def __init__(self, seed: int, device: torch.device, samples: int) -> None:
        self.stream = torch.Generator(device).manual_seed(seed)
        first = torch.randint(2, (samples,), generator=torch.Generator().manual_seed(seed))
        self._first = first.to(device)

    def __call__(self, pictures: Tensor, rows: Tensor, epochs: Tensor) -> Tensor:
        """Changed copies of ``pictures`` (B, C, H, W), the samples ``rows`` (B,) in their ``epochs`` (B,)."""
        places = (2 * SMALL_PADDING + 1) ** 2
        shifts = torch.randint(places, (len(pictures),), generator=self.stream, device=pictures.device)
        return flip_crop(pictures, (self._first[rows] + epochs) % 2 + 2 * shifts, SMALL_PADDING)


def flip_crop(pictures: Tensor, variants: Tensor, padding: int = PADDING) -> Tensor:
    """Crop, then flip, each of ``pictures`` (B, C, H, W); its variant is flip + 2 · (row shift + n · column shift).

    Shifts 0…n − 1 with n = 2 ``padding`` + 1; ``padding`` leaves the picture where it is.
    """
    flip, shifts, offsets = variants % 2, variants // 2, 2 * padding + 1
    rows = _reflected(shifts % offsets, pictures.shape[2], padding)  # (B, H)
    columns = _reflected(shifts // offsets, pictures.shape[3], padding)  # (B, W)
    columns = torch.where(flip.bool()[:, None], columns.flip(1), columns)
    which = torch.arange(len(pictures), device=pictures.device)[:, None, None]
    return pictures.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _reflected(shift: Tensor, size: int, padding: int) -> Tensor:
    """(B, size) indices of a picture's rows through a window moved by ``shift`` − ``padding``, mirrored at borders."""
    index = (torch.arange(-padding, size - padding, device=shift.device) + shift[:, None]).abs()
    return size - 1 - (size - 1 - index).abs()
