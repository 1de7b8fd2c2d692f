"""ArcFace (Deng 2019, arXiv 1801.07698): softmax on scale · cos(θ_y + margin), by pytorch-metric-learning.

Differs from the library where cos θ_y is 1 to the last digit, as it is after a collapse: acos has an infinite slope
there and the library returns NaN; here the cosine is kept a float's width away from ±1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lpc_core.config import LossConfig
from lpc_core.losses._base import Loss, Objective, library, with_head

NEAREST = 1.0 - 1e-6  # largest |cos θ| of which the angle is taken


def make(config: LossConfig, head: nn.Linear) -> Objective:
    """ArcFace with the head's weights as class directions; ``margin`` is in radians."""
    kind = library("arcface").ArcFaceLoss

    class ArcFace(kind):  # type: ignore[misc, valid-type]  # the library may not be there, and ships no types
        """The library's loss with finite slopes."""

        def get_angles(self, cosine: Tensor) -> Tensor:
            return torch.acos(cosine.clamp(-NEAREST, NEAREST))

    loss = ArcFace(head.out_features, head.in_features, margin=math.degrees(config.margin), scale=config.scale)
    return with_head(loss, head)


LOSS = Loss(make, ("margin", "scale"), by_angle=True)
