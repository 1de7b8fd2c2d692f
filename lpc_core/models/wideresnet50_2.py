"""WideResNet-50-2 as torchvision has it: twice the channels inside ResNet-50's bottlenecks, 67 million parameters.

The paper's network of that name doubles its channels twice (268 million parameters, 4,096 features): it is another one.
"""

from __future__ import annotations

from lpc_core.models._resnet import resnet

BACKBONE = resnet((3, 4, 6, 3), bottleneck=True, wide=2)
