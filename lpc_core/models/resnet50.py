"""ResNet-50: sixteen bottlenecks, 2,048 features, 23.5 million parameters; the paper's network for CIFAR-100."""

from __future__ import annotations

from lpc_core.models._resnet import resnet

BACKBONE = resnet((3, 4, 6, 3), bottleneck=True)
