"""The flat buffer of R equal models: block after block, each holding a parameter of all replicas, and the optimiser's
step on it, number for number as in `torch.optim`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from lpc_core.config import OptimConfig
from lpc_core.engine._fused_tape import Apart
from lpc_core.engine.autograd import parameters
from lpc_core.models import Classifier
from lpc_core.optimizers import Block, Call, Flat, optimizer


def layout_of(model: Classifier, replicas: int) -> dict[str, Block]:
    """The blocks for ``replicas`` models like ``model``, by name; the head's last, so that both groups of the optimiser
    are contiguous. The order is that of `lpc_core.engine.autograd.parameters`: a block's place is its number in a
    saved state.
    """
    blocks, start = {}, 0
    for name, parameter in parameters(model).items():
        stop = start + replicas * math.prod(parameter.shape)
        blocks[name] = Block(name, tuple(parameter.shape), start, stop)
        start = stop
    return blocks


def adopt(models: Sequence[Classifier], layout: Mapping[str, Block]) -> Tensor:
    """Copy the models' weights into a new flat buffer and make every parameter a view into it."""
    like = models[0].head.weight
    flat = torch.empty(max(block.stop for block in layout.values()), dtype=like.dtype, device=like.device)
    for replica, model in enumerate(models):
        for name, parameter in parameters(model).items():
            view = layout[name].of(flat)[replica]
            view.copy_(parameter.detach())
            parameter.data = view
    return flat


class Update:
    """Moves ``values`` by ``gradients`` when its ``calls`` are run; ``layout`` says what lies where in both.

    What is ``before`` comes at any time earlier in a step. ``lr`` is a tensor that is written before a step, so that a
    captured step follows it. The head's rate is constant.
    """

    def __init__(self, config: OptimConfig, values: Tensor, gradients: Tensor, layout: Mapping[str, Block]) -> None:
        kind = optimizer(config)
        if kind.kernel is None:
            raise ValueError(f"expected an optimiser that declares a kernel, got {config.optimizer}; train by autograd")
        kind.check({name: block.shape for name, block in layout.items()})
        self.kept = [kind.keeps(config, name, block.shape) for name, block in layout.items()]
        names = {name: None for kept in self.kept for name in kept}  # each once, in their order
        self.slots = {name: torch.zeros_like(values) for name in names if name != "step"}
        self.count = torch.zeros((), device=values.device)  # steps done, float32 as in torch's fused optimisers
        precision = torch.float64 if values.device.type == "cpu" else torch.float32  # what the kernels read
        self.lr, self.head_lr = (torch.tensor(lr, dtype=precision, device=values.device)
                                 for lr in (config.lr, config.head_lr))
        counting = Apart(partial(torch.add, self.count, torch.ones_like(self.count), out=self.count))
        self.before: list[Call] = [counting] if "step" in names else []
        kernels: list[Call] = []
        head = min(block.start for name, block in layout.items() if name.startswith("head."))
        for part, lr in ((slice(0, head), self.lr), (slice(head, len(values)), self.head_lr)):
            if values[part].numel():
                slots = {name: slot[part] for name, slot in self.slots.items()}
                blocks = tuple(replace(block, start=block.start - part.start, stop=block.stop - part.start)
                               for block in layout.values() if part.start <= block.start < part.stop)
                flat = Flat(values[part], gradients[part], slots, self.count, lr, blocks)
                kernels.append(kind.kernel(config, flat))
        self.calls: list[Call] = [*map(Apart, kernels[1:]), *kernels[:1]]
