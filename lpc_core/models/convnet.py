"""A small, fast convnet with batch norm: four 3×3 convolutions, about 3 million multiplications per 32×32 image."""

from __future__ import annotations

from torch import nn

from lpc_core.config import ConfigError, ModelConfig
from lpc_core.models._classifier import ACTIVATIONS


def backbone(config: ModelConfig, shape: tuple[int, ...]) -> tuple[nn.Module, int]:
    """Convolutions for pictures of ``shape`` (C, H, W), and their number of features."""
    if len(shape) != 3 or min(shape[1:]) < 8:
        raise ConfigError("model", "mlp for data that are not pictures of at least 8 by 8 pixels", "convnet")
    channels = (shape[0], config.width, 2 * config.width, 4 * config.width)
    stages = [_stage(a, b, config.activation) for a, b in zip(channels, channels[1:], strict=False)]
    last = _convolution(channels[-1], channels[-1], config.activation)
    return nn.Sequential(*stages, *last, nn.AdaptiveMaxPool2d(1), nn.Flatten()), channels[-1]


def _convolution(inside: int, outside: int, activation: str) -> list[nn.Module]:
    return [nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), ACTIVATIONS[activation]()]


def _stage(inside: int, outside: int, activation: str) -> nn.Sequential:
    return nn.Sequential(*_convolution(inside, outside, activation), nn.MaxPool2d(2))


BACKBONE = backbone
