"""ResNet-18: eight blocks of two 3 × 3 convolutions, 11 million parameters; the paper's for CIFAR-10 and SVHN."""

from __future__ import annotations

from lpc_core.models._resnet import resnet

BACKBONE = resnet((2, 2, 2, 2), bottleneck=False)
