"""CosFace (Wang 2018, arXiv 1801.09414): softmax on scale · (cos θ_y − margin), by pytorch-metric-learning."""

from __future__ import annotations

from torch import nn

from lpc_core.config import LossConfig
from lpc_core.losses._base import Loss, Objective, library, with_head


def make(config: LossConfig, head: nn.Linear) -> Objective:
    """CosFace with the head's weights as class directions; ``margin`` is a difference of cosines."""
    kind = library("cosface").CosFaceLoss
    return with_head(kind(head.out_features, head.in_features, margin=config.margin, scale=config.scale), head)


LOSS = Loss(make, ("margin", "scale"), by_angle=True)
