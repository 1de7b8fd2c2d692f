"""Optimisers of a run, one file each: as torch knows them, and as calls on flat buffers where the fused engine can."""

from __future__ import annotations

import functools

from lpc_core.config import OptimConfig
from lpc_core.optimizers._base import Block, Call, Flat, Groups, Optimizer
from lpc_core.registry import discover, pick

__all__ = ["Block", "Call", "Flat", "Groups", "Optimizer", "optimizer", "optimizers"]


@functools.cache
def optimizers() -> dict[str, Optimizer]:
    """Every optimiser by name."""
    return discover("lpc_core.optimizers", "OPTIMIZER", Optimizer)


def optimizer(config: OptimConfig) -> Optimizer:
    """The optimiser that ``config`` names; `ConfigError` for an unknown name."""
    return pick("optimizer", optimizers(), config.optimizer)
