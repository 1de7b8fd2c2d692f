"""The size of any backbone's network: one sample goes through it where torch neither stores nor computes anything."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor, nn

from lpc_core.config import ModelConfig
from lpc_core.models import Classifier, backbone, convolves


@functools.lru_cache(maxsize=256)
def measured(model: ModelConfig, shape: tuple[int, ...], classes: int) -> tuple[int, int, int, str, bool]:
    """The fields of `lpc_core.engine.cost.Network` for inputs of ``shape`` (D,) or (C, H, W)."""
    kind = backbone(model, shape)
    with torch.device("meta"), torch.no_grad():
        net = Classifier(*kind.make(model, shape), classes, model, seed=0).eval()
        layers = _Layers(net)
        net(torch.zeros((1, *shape)))
    return (sum(p.numel() for p in net.parameters()), layers.products, math.prod(shape) + layers.values,
            kind.uses[0] if kind.uses else "model", convolves(net))


class _Layers:
    """What the layers with weights do in a forward pass; a convolution's output is kept a second time, normalised."""

    def __init__(self, net: nn.Module) -> None:
        self.products = self.values = 0
        for layer in net.modules():
            weight = getattr(layer, "weight", None)
            if isinstance(weight, Tensor) and weight.ndim >= 2:
                layer.register_forward_hook(functools.partial(self._count, weight[0].numel()))

    def _count(self, weights: int, layer: nn.Module, inputs: object, output: Tensor) -> None:
        """Add an ``output`` of which each number took so many ``weights``."""
        self.products += weights * output.numel()
        self.values += output.numel() * (2 if output.ndim > 2 else 1)
