"""Losses of a run: one per file, each combined with the penalty γ‖z‖²."""

from __future__ import annotations

import functools

from torch import nn

from lpc_core.config import LossConfig
from lpc_core.losses._base import Loss, Objective
from lpc_core.losses.latent_l2 import gamma_sum, latent_l2
from lpc_core.losses.supcon import supervised_contrast
from lpc_core.registry import discover, pick

__all__ = ["Loss", "Objective", "gamma_sum", "latent_l2", "loss", "losses", "objective",
           "supervised_contrast"]


@functools.cache
def losses() -> dict[str, Loss]:
    """Every loss by name."""
    return discover("lpc_core.losses", "LOSS", Loss)


def loss(config: LossConfig) -> Loss:
    """The loss that ``config`` names; `ConfigError` for an unknown name."""
    return pick("loss", losses(), config.loss)


def objective(config: LossConfig, head: nn.Linear) -> Objective:
    """The loss that ``config`` names, without the penalty; the margin losses and SupCon need an extra package."""
    return loss(config).make(config, head)
