"""A small, fast convnet with batch norm: a strided stem and three 3×3 convolutions."""

from __future__ import annotations

from torch import nn

from lpc_core.config import ModelConfig
from lpc_core.models._base import Backbone, channels_last, check_pictures
from lpc_core.models._classifier import ACTIVATIONS

SIDE = 2  # features are means over 2 × 2 quarters of the picture: classes collapse tighter than with 1 × 1 or 4 × 4


def backbone(config: ModelConfig, shape: tuple[int, ...]) -> tuple[nn.Module, int]:
    """Convolutions for pictures of ``shape`` (C, H, W), and their number of features."""
    check_pictures("convnet", shape, 8)
    w, activation = config.width, config.activation
    layers = [
        *_convolution(shape[0], w, activation, size=4, stride=2),  # at full resolution it would take half of all time
        *_convolution(w, 2 * w, activation, pool=True),
        *_convolution(2 * w, 4 * w, activation, pool=True),
        *_convolution(4 * w, 4 * w, activation),
    ]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(SIDE), nn.Flatten())
    return channels_last(net), 4 * w * SIDE**2


def _convolution(inside: int, outside: int, activation: str, *, size: int = 3, stride: int = 1,
                 pool: bool = False) -> list[nn.Module]:
    """Convolution, batch norm, activation; pooled first where asked, so that the other two see a quarter as much."""
    convolution = nn.Conv2d(inside, outside, size, stride, padding=1, bias=False)
    pooling = [nn.MaxPool2d(2)] if pool else []
    return [convolution, *pooling, nn.BatchNorm2d(outside), ACTIVATIONS[activation]()]


BACKBONE = Backbone(backbone, ("width",))
