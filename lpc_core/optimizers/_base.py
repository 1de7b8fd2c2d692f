"""What an optimiser declares: how torch makes it, what it keeps of a parameter, and its step on flat buffers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lpc_core.config import OptimConfig

Groups = list[dict[str, Any]]  # torch's parameter groups: the backbone's with the penultimate layer's, the head's
Call = Callable[[], object]


@dataclass(frozen=True)
class Flat:
    """One group of parameters in a flat buffer, as a fused step sees it; every field is a view that stays in place."""

    values: Tensor
    gradients: Tensor
    slots: list[Tensor]  # what is kept of each number, in the order of `Optimizer.keeps`
    count: Tensor  # steps done, this one included
    lr: Tensor


@dataclass(frozen=True)
class Optimizer:
    """One entry of the registry; every module of this package defines ``OPTIMIZER``.

    ``make`` gets the groups, the settings, and whether the steps will be recorded (CUDA). The first group's ``lr`` is
    replaced by a tensor before every step. ``keeps`` names what the state holds of a parameter: tensors in its shape,
    and ``step``, the number of steps done. ``kernel`` treats every number alike and does what ``make``'s optimiser
    does; without it a run trains by autograd.
    """

    make: Callable[[Groups, OptimConfig, bool], torch.optim.Optimizer]
    keeps: Callable[[OptimConfig, Tensor], tuple[str, ...]]
    uses: tuple[str, ...]  # which of momentum, beta2 and weight_decay it reads
    kernel: Callable[[OptimConfig, Flat], Call] | None = None
    never_negative: tuple[str, ...] = ("step", "exp_avg_sq")  # a state that says otherwise was edited
