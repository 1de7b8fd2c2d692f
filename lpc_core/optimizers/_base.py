"""What an optimiser declares: how torch makes it, what it keeps of a parameter, and its step on flat buffers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lpc_core.config import OptimConfig

Groups = list[dict[str, Any]]  # torch's, with ``names``: the backbone's with the penultimate layer's, the head's
Call = Callable[[], object]


@dataclass(frozen=True)
class Block:
    """One parameter of every replica: ``flat[start:stop]`` is (R, *shape)."""

    name: str
    shape: tuple[int, ...]
    start: int
    stop: int

    def of(self, flat: Tensor) -> Tensor:
        """The view (R, *shape) of ``flat``."""
        return flat[self.start : self.stop].view(-1, *self.shape)


@dataclass(frozen=True)
class Flat:
    """One group of parameters in a flat buffer, as a fused step sees it; every field is a view that stays in place."""

    values: Tensor
    gradients: Tensor
    slots: dict[str, Tensor]  # what `Optimizer.keeps` names, for each number
    count: Tensor  # steps done, this one included
    lr: Tensor
    blocks: tuple[Block, ...]  # which parameter lies where


@dataclass(frozen=True)
class Optimizer:
    """One entry of the registry; every module of this package defines ``OPTIMIZER``.

    ``make`` gets the groups, the settings, and whether the steps will be recorded (CUDA). The first group's ``lr`` is
    replaced by a tensor before every step. ``keeps`` names what the state holds of a parameter, given its name in the
    model and its shape: tensors in that shape, and ``step``, the number of steps done. ``kernel`` does what ``make``'s
    optimiser does; without it a run trains by autograd.
    """

    make: Callable[[Groups, OptimConfig, bool], torch.optim.Optimizer]
    keeps: Callable[[OptimConfig, str, Sequence[int]], tuple[str, ...]]
    uses: tuple[str, ...]  # which of momentum, beta2, weight_decay and the settings of its own it reads
    kernel: Callable[[OptimConfig, Flat], Call] | None = None
    check: Callable[[Mapping[str, Sequence[int]]], None] = lambda shapes: None  # refuses parameters {name: shape}
    never_negative: tuple[str, ...] = ("step", "exp_avg_sq")  # a state that says otherwise was edited
