"""Where the parameters of R equal models live in one flat buffer: block after block, each holding all replicas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lpc_core.models import Classifier
from lpc_core.optimizers import Block


@dataclass(frozen=True)
class Layout:
    """All blocks, the head's last, so that both groups of the optimiser are contiguous.

    The order is that of `lpc_core.engine.trainer.make_optimizer`: a block's index is its number in a saved state.
    """

    blocks: tuple[Block, ...]
    replicas: int
    head: int  # where the head's blocks begin

    @property
    def size(self) -> int:
        """Numbers in a flat buffer."""
        return self.blocks[-1].stop

    def block(self, name: str) -> Block:
        """The block of the parameter called ``name``."""
        return next(block for block in self.blocks if block.name == name)


def layout_of(model: Classifier, replicas: int) -> Layout:
    """The layout for ``replicas`` models like ``model``."""
    named = sorted(model.named_parameters(), key=lambda item: item[0].startswith("head."))
    blocks, start = [], 0
    for name, parameter in named:
        stop = start + replicas * math.prod(parameter.shape)
        blocks.append(Block(name, tuple(parameter.shape), start, stop))
        start = stop
    return Layout(tuple(blocks), replicas, min(block.start for block in blocks if block.name.startswith("head.")))


def adopt(models: Sequence[Classifier], layout: Layout) -> Tensor:
    """Copy the models' weights into a new flat buffer and make every parameter a view into it."""
    like = models[0].head.weight
    flat = torch.empty(layout.size, dtype=like.dtype, device=like.device)
    for replica, model in enumerate(models):
        parameters = dict(model.named_parameters())
        for block in layout.blocks:
            view, parameter = block.of(flat)[replica], parameters[block.name]
            view.copy_(parameter.detach())
            parameter.data = view
    return flat
