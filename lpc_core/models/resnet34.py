"""ResNet-34: sixteen blocks of two 3 × 3 convolutions, 21 million parameters."""

from __future__ import annotations

from lpc_core.models._resnet import resnet

BACKBONE = resnet((3, 4, 6, 3), bottleneck=False)
