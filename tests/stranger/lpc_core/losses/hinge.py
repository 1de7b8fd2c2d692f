"""Multi-class hinge: the true logit must win by a margin (Crammer and Singer 2001)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from lpc_core.config import LossConfig
from lpc_core.losses._base import Loss, Objective


def make(config: LossConfig, head: nn.Linear) -> Objective:
    """The mean over the other classes of max(0, margin − their distance)."""

    def hinge(logits: Tensor, latents: Tensor, labels: Tensor) -> Tensor:
        return F.multi_margin_loss(logits, labels, margin=config.margin)

    return hinge


LOSS = Loss(make, ("margin",))
