"""Losses of a run: one per file, each combined with the penalty γ‖z‖²."""

from __future__ import annotations

import functools
from typing import Any

from torch import nn

from lpc_core.config import LossConfig
from lpc_core.losses._base import Objective
from lpc_core.losses.latent_l2 import gamma_sum, latent_l2
from lpc_core.registry import discover, pick

__all__ = ["Objective", "gamma_sum", "latent_l2", "losses", "objective", "reads_angles"]

_BY_ANGLE = ("arcface", "cosface")


@functools.cache
def losses() -> dict[str, Any]:
    """Every loss by name."""
    return discover("lpc_core.losses", "LOSS")


def objective(config: LossConfig, head: nn.Linear) -> Objective:
    """The loss that ``config`` names, without the penalty; the margin losses and SupCon need an extra package."""
    made: Objective = pick("loss", losses(), config.loss)(config, head)
    return made


def reads_angles(config: LossConfig) -> bool:
    """Whether the loss sees only directions, so that the logits are scale · cos θ and the head has no bias."""
    return config.loss in _BY_ANGLE
