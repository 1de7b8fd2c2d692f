"""Stochastic gradient descent with momentum, as torch has it: the momentum is not damped and not Nesterov's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch

from lpc_core.config import OptimConfig
from lpc_core.optimizers._base import Call, Flat, Groups, Optimizer


def _make(groups: Groups, config: OptimConfig, recorded: bool) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, momentum=config.momentum, weight_decay=config.weight_decay, fused=True)


def _keeps(config: OptimConfig, name: str, shape: Sequence[int]) -> tuple[str, ...]:
    return ("momentum_buffer",) if config.momentum > 0 else ()


def _kernel(config: OptimConfig, flat: Flat) -> Call:
    return partial(torch._fused_sgd_, [flat.values], [flat.gradients], list(flat.slots.values()), lr=flat.lr,
                   momentum=config.momentum, weight_decay=config.weight_decay, dampening=0.0, nesterov=False,
                   maximize=False, is_first_step=False)


OPTIMIZER = Optimizer(_make, _keeps, ("momentum", "weight_decay"), _kernel)
