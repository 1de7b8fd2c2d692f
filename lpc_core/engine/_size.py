"""The size of any backbone's network: one sample goes through it where torch neither stores nor computes anything."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from lpc_core.config import ModelConfig
from lpc_core.models import Classifier, backbone, convolves


@functools.lru_cache(maxsize=256)
def measured(model: ModelConfig, shape: tuple[int, ...], classes: int) -> tuple[int, int, int, str, bool]:
    """The fields of `lpc_core.engine.cost.Network` for inputs of ``shape`` (D,) or (C, H, W)."""
    kind = backbone(model, shape)
    found: list[tuple[int, Tensor]] = []  # what each layer with weights gave, and how many of them each number took
    with torch.device("meta"), torch.no_grad():
        net = Classifier(*kind.make(model, shape), classes, model, seed=0).eval()
        for layer in net.modules():
            weight = getattr(layer, "weight", None)
            if isinstance(weight, Tensor) and weight.ndim >= 2:
                layer.register_forward_hook(functools.partial(
                    lambda weights, layer, inputs, output: found.append((weights, output)), weight[0].numel()))
        net(torch.zeros((1, *shape)))
    products = sum(weights * output.numel() for weights, output in found)
    values = sum(output.numel() * (2 if output.ndim > 2 else 1) for _, output in found)  # twice, where a norm follows
    return (sum(p.numel() for p in net.parameters()), products, math.prod(shape) + values,
            kind.uses[0] if kind.uses else "model", convolves(net))
