"""What a backbone declares, and what kind of network it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from lpc_core.config import ModelConfig


@dataclass(frozen=True)
class Backbone:
    """One entry of the registry; every module of this package with a backbone defines ``BACKBONE``.

    ``make`` gets the settings and the shape of one input, (D,) or (C, H, W), and returns the network and the number of
    features that it ends in. It must be able to build on torch's "meta" device too: there its size is found out.
    """

    make: Callable[[ModelConfig, tuple[int, ...]], tuple[nn.Module, int]]
    uses: tuple[str, ...] = ()  # which of hidden and width it reads


def convolves(model: nn.Module) -> bool:
    """Whether there is a convolution in ``model``: such networks are slow on a CPU, and run in bfloat16 on CUDA."""
    return any(isinstance(layer, nn.Conv2d) for layer in model.modules())
