"""Cross-entropy of the logits: the loss of arXiv 2310.08224, and the only one the theory of z* speaks about."""

from __future__ import annotations

from torch import nn
from torch.nn import functional as F

from lpc_core.config import LossConfig
from lpc_core.losses._base import Loss, Objective


def make(config: LossConfig, head: nn.Linear) -> Objective:
    """CE(W z + b, y), with the run's label smoothing."""
    return lambda logits, latents, labels: F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)


LOSS = Loss(make, ("label_smoothing",))
