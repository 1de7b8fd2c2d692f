"""A network for CIFAR in seconds, in the style of cifar10-airbench (K. Jordan 2024, arXiv 2404.00498).

A fixed stem of 2 × 2 filters that whiten the training pictures, then blocks of convolution, pooling, batch norm and
activation, each with further convolutions, then the largest value of each channel. Widths, number of blocks and
convolutions per block are settings.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lpc_core.config import ConfigError, ModelConfig
from lpc_core.models._base import Backbone, channels_last, check_pictures
from lpc_core.models._classifier import ACTIVATIONS

PATCH = 2  # pixels, the side of the stem's filters
NOISE = 5e-4  # added to the variances of patches, so that directions in which nothing varies are not blown up
CHUNK = 500  # pictures looked at together


class Whitening(nn.Module):
    """2 C k² fixed filters of k × k pixels: the pictures' principal patches, of unit variance, and their negatives.

    They are part of the state, not of the parameters. Before `fit` they are the patches' pixels themselves.
    """

    weight: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        own = torch.eye(channels * PATCH**2).view(-1, channels, PATCH, PATCH)
        self.register_buffer("weight", torch.cat([own, -own]))

    @torch.no_grad()
    def fit(self, pictures: Tensor) -> None:
        """Compute the filters from ``pictures`` (N, C, H, W), standardised as the network gets them."""
        moments = torch.zeros(len(self.weight) // 2, len(self.weight) // 2, dtype=torch.float64)
        for part in torch.split(pictures, CHUNK):
            rows = F.unfold(part.float(), PATCH).double()  # (n, C k², places)
            moments += torch.einsum("nip,njp->ij", rows, rows).cpu() / (len(pictures) * rows.shape[2])
        variances, patches = torch.linalg.eigh(moments)  # patches in columns
        signs = patches.gather(0, patches.abs().argmax(0, keepdim=True)).sign()  # a library's choice, made ours
        whitening = (patches * signs / (variances.clamp_min(0) + NOISE).sqrt()).T.flip(0)
        own = whitening.reshape(self.weight.shape[0] // 2, *self.weight.shape[1:])
        self.weight.copy_(torch.cat([own, -own]))

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 2 C k², H − 1, W − 1)."""
        return F.conv2d(pictures, self.weight)


class FastNet(nn.Module):
    """Stem, blocks and the largest value of each channel: pictures (N, C, H, W) to features (N, F)."""

    def __init__(self, channels: int, widths: tuple[int, ...], depth: int, activation: str) -> None:
        super().__init__()
        self.stem, self.act = Whitening(channels), ACTIVATIONS[activation]()
        inside = len(self.stem.weight)
        self.blocks = nn.Sequential()
        for width in widths:
            block = nn.Sequential()
            for index in range(depth):
                block.append(nn.Conv2d(inside, width, 3, padding=1, bias=False))
                block.extend([nn.MaxPool2d(2)] if index == 0 else [])
                block.extend([nn.BatchNorm2d(width), ACTIVATIONS[activation]()])
                inside = width
            self.blocks.append(block)

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        maps = self.blocks(self.act(self.stem(pictures)))
        return F.max_pool2d(maps, maps.shape[-2:]).flatten(1)


def backbone(config: ModelConfig, shape: tuple[int, ...]) -> tuple[nn.Module, int]:
    """The network for pictures of ``shape`` (C, H, W), and its number of features."""
    if not config.hidden:
        raise ConfigError("hidden", "at least one width for a fastnet, such as 128-384-384", config.hidden)
    check_pictures("fastnet", shape, 1 + 2 ** len(config.hidden), f" with {len(config.hidden)} blocks")
    net = FastNet(shape[0], config.hidden, config.depth, config.activation)
    return channels_last(net), config.hidden[-1]


def _fit(net: nn.Module, pictures: Tensor) -> None:
    stem = net.get_submodule("stem")
    assert isinstance(stem, Whitening)
    stem.fit(pictures)


BACKBONE = Backbone(backbone, ("hidden", "depth"), fit=_fit)
