"""Supervised contrast (Khosla 2020, arXiv 2004.11362) on the latents, by pytorch-metric-learning.

The head learns beside it, by cross-entropy on detached latents, so that there are predictions: its gradient never
reaches the network. Differs from the paper's: one view per sample, so a sample's partners are the others of its class
in the batch, and the contrast acts on the latents themselves, without a projection head.
"""

from __future__ import annotations

from torch import nn
from torch.nn import functional as F

from lpc_core.config import LossConfig
from lpc_core.losses._base import Loss, Objective, library


def supervised_contrast(config: LossConfig) -> Objective:
    """SupCon alone, of whatever vectors (B, m) are passed as latents."""
    contrast = library("supcon").SupConLoss(temperature=config.temperature)
    return lambda logits, latents, labels: contrast(latents, labels)


def make(config: LossConfig, head: nn.Linear) -> Objective:
    """SupCon(z) + CE(head(z without its gradient), y)."""
    alone = supervised_contrast(config)
    return lambda logits, latents, labels: (alone(logits, latents, labels)
                                            + F.cross_entropy(head(latents.detach()), labels))


LOSS = Loss(make, ("temperature",), all_pairs=True)
