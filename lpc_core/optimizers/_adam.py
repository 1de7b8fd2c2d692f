"""What Adam and AdamW share: everything but where the weight decay goes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from lpc_core.config import OptimConfig
from lpc_core.optimizers._base import Call, Flat, Groups, Optimizer

EPSILON = 1e-8  # torch's default
KEPT = ("step", "exp_avg", "exp_avg_sq")  # of each parameter


def adam_like(kind: Callable[..., torch.optim.Optimizer], fused: Callable[..., object]) -> Optimizer:
    """The optimiser ``kind`` of torch, whose step on lists of tensors is ``fused``."""

    def make(groups: Groups, config: OptimConfig, recorded: bool) -> torch.optim.Optimizer:
        return kind(groups, betas=(config.momentum, config.beta2), weight_decay=config.weight_decay, eps=EPSILON,
                    fused=True, capturable=recorded)

    def kernel(config: OptimConfig, flat: Flat) -> Call:
        slots = [flat.slots["exp_avg"]], [flat.slots["exp_avg_sq"]]
        return partial(fused, [flat.values], [flat.gradients], *slots, [], [flat.count], lr=flat.lr,
                       **factors(config))

    return Optimizer(make, lambda config, name, shape: KEPT, ("momentum", "beta2", "weight_decay"), kernel)


def factors(config: OptimConfig) -> dict[str, Any]:
    """What a fused step of torch's is told beside its tensors and the learning rate."""
    return {"beta1": config.momentum, "beta2": config.beta2, "weight_decay": config.weight_decay, "eps": EPSILON,
            "amsgrad": False, "maximize": False}
