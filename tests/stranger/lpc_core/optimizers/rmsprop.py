"""RMSprop (Tieleman and Hinton 2012): steps divided by a running root mean square of the gradient."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lpc_core.config import OptimConfig
from lpc_core.optimizers._base import Groups, Optimizer


def _make(groups: Groups, config: OptimConfig, recorded: bool) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(groups, alpha=config.beta2, weight_decay=config.weight_decay, foreach=False,
                               capturable=recorded)


def _keeps(config: OptimConfig, name: str, shape: Sequence[int]) -> tuple[str, ...]:
    return "step", "square_avg"


OPTIMIZER = Optimizer(_make, _keeps, ("beta2", "weight_decay"), never_negative=("step", "square_avg"))
