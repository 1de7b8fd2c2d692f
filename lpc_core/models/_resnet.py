"""Residual networks (He et al. 2015, arXiv 1512.03385) and wide ones (1605.07146), under torchvision's names.

As in torchvision's version 1.5 a bottleneck's stride lies on its 3 × 3 convolution. Pictures of less than 64 pixels get
a 3 × 3 stem of stride 1 without pooling, as in the method authors' code; others the published 7 × 7 one. The activation
is a setting (the authors use SiLU).
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from lpc_core.config import ModelConfig
from lpc_core.models._base import Backbone, channels_last, check_pictures
from lpc_core.models._classifier import ACTIVATIONS

LARGE = 64  # pixels from which on pictures get the large stem
LEAST = 8  # pixels: three halvings
STAGES = (64, 128, 256, 512)  # channels
COMPILED_FROM = 1_000_000  # samples. ResNet-18 on an H200, batch 512: 18 s, then 55,000 instead of 15,000 images/s in
# plain bfloat16, which is even after 370,000; recorded steps are quicker than plain ones, and deeper networks longer to
# compile


class Block(nn.Module):
    """activation(branch(x) + x), where the branch's convolutions have the given ``channels`` and kernel ``sizes``."""

    def __init__(self, channels: tuple[int, ...], sizes: tuple[int, ...], stride: int, activation: str) -> None:
        super().__init__()
        self.depth = len(sizes)
        spent = sizes.index(3)  # the convolution that has the stride
        for i, ((inside, outside), size) in enumerate(zip(pairwise(channels), sizes, strict=True), 1):
            step = stride if i == spent + 1 else 1
            self.add_module(f"conv{i}", nn.Conv2d(inside, outside, size, step, size // 2, bias=False))
            self.add_module(f"bn{i}", nn.BatchNorm2d(outside))
        self.act = ACTIVATIONS[activation]()
        self.downsample: nn.Module | None = None
        if stride != 1 or channels[0] != channels[-1]:
            self.downsample = nn.Sequential(nn.Conv2d(channels[0], channels[-1], 1, stride, bias=False),
                                            nn.BatchNorm2d(channels[-1]))

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        values = maps
        for i in range(1, self.depth + 1):
            values = self.get_submodule(f"bn{i}")(self.get_submodule(f"conv{i}")(values))
            values = self.act(values) if i < self.depth else values
        summed: Tensor = self.act(values + (maps if self.downsample is None else self.downsample(maps)))
        return summed


class ResNet(nn.Module):
    """Stem, four stages of blocks, mean over all positions: pictures (N, C, H, W) to features (N, F)."""

    def __init__(self, blocks: tuple[int, ...], bottleneck: bool, wide: int, *, activation: str, channels: int,
                 large: bool) -> None:
        super().__init__()
        size = 7 if large else 3
        self.conv1 = nn.Conv2d(channels, STAGES[0], size, 2 if large else 1, size // 2, bias=False)
        self.bn1, self.act = nn.BatchNorm2d(STAGES[0]), ACTIVATIONS[activation]()
        self.maxpool = nn.MaxPool2d(3, 2, 1) if large else nn.Identity()
        inside = STAGES[0]
        for stage, (count, width) in enumerate(zip(blocks, STAGES, strict=True), 1):
            layers = nn.Sequential()
            for index in range(count):
                after = (width * wide, width * wide, 4 * width) if bottleneck else (width, width)
                stride = 2 if stage > 1 and index == 0 else 1
                layers.append(Block((inside, *after), (1, 3, 1) if bottleneck else (3, 3), stride, activation))
                inside = after[-1]
            self.add_module(f"layer{stage}", layers)
        self.features = inside
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, pictures: Tensor) -> Tensor:
        """See the class."""
        maps: Tensor = self.maxpool(self.act(self.bn1(self.conv1(pictures))))
        for stage in range(1, len(STAGES) + 1):
            maps = self.get_submodule(f"layer{stage}")(maps)
        return maps.mean(dim=(2, 3))


def resnet(blocks: tuple[int, ...], *, bottleneck: bool, wide: int = 1) -> Backbone:
    """The backbone with so many ``blocks`` per stage; inside bottlenecks there are ``wide`` times the channels."""
    return Backbone(partial(_make, blocks, bottleneck, wide), compiled_from=COMPILED_FROM)


def _make(blocks: tuple[int, ...], bottleneck: bool, wide: int, config: ModelConfig,
          shape: tuple[int, ...]) -> tuple[nn.Module, int]:
    check_pictures(config.model, shape, LEAST)
    net = ResNet(blocks, bottleneck, wide, activation=config.activation, channels=shape[0],
                 large=min(shape[1:]) >= LARGE)
    return channels_last(net), net.features
