"""What a backbone declares, and what kind of network it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lpc_core.config import ConfigError, ModelConfig


@dataclass(frozen=True)
class Backbone:
    """One entry of the registry; every module of this package with a backbone defines ``BACKBONE``.

    ``make`` gets the settings and the shape of one input, (D,) or (C, H, W), and returns the network and the number of
    features that it ends in. It must be able to build on torch's "meta" device too: there its size is found out.
    ``fit`` gets the new network and training pictures (N, C, H, W), standardised: for parts computed from the data.
    ``compiled_from`` is how many samples a run must see, all its steps together, for torch.compile to pay on a GPU.
    """

    make: Callable[[ModelConfig, tuple[int, ...]], tuple[nn.Module, int]]
    uses: tuple[str, ...] = ()  # which of hidden, depth and width it reads
    fit: Callable[[nn.Module, Tensor], None] | None = None
    compiled_from: int | None = None  # None: never, as far as anybody has measured


def convolves(model: nn.Module) -> bool:
    """Whether there is a convolution in ``model``: such networks are slow on a CPU, and run in bfloat16 on CUDA."""
    return any(isinstance(layer, nn.Conv2d) for layer in model.modules())


def channels_last(net: nn.Module) -> nn.Module:
    """``net`` with its weights as convolutions like them in memory."""
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # which torch's types leave out
    return net


def check_pictures(model: str, shape: tuple[int, ...], least: int, what: str = "") -> None:
    """`ConfigError` unless inputs of ``shape`` are pictures of at least ``least`` pixels on each side."""
    if len(shape) != 3 or min(shape[1:]) < least:
        got = f"{shape[2]} by {shape[1]} pixels" if len(shape) == 3 else f"vectors of {shape[0]} numbers"
        raise ConfigError("model", f"mlp for data that are not pictures of at least {least} by {least} pixels, which a "
                                   f"{model}{what} needs (these are {got})", model)
