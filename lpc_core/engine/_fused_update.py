"""The optimiser's step on flat buffers, number for number as in `torch.optim`."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from lpc_core.config import OptimConfig
from lpc_core.optimizers import Call, Flat, optimizer


class Update:
    """Moves ``values`` by ``gradients`` when its ``calls`` are run; ``head`` is where the head's numbers begin.

    ``lr`` is a tensor that is written before a step, so that a captured step follows it. The head's rate is constant.
    """

    def __init__(self, config: OptimConfig, values: Tensor, gradients: Tensor, head: int) -> None:
        kind = optimizer(config)
        if kind.kernel is None:
            raise ValueError(f"expected an optimiser that declares a kernel, got {config.optimizer}; train by autograd")
        kept = kind.keeps(config, values)
        self.slots = {name: torch.zeros_like(values) for name in kept if name != "step"}
        self.count = torch.zeros((), device=values.device)  # steps done, float32 as in torch's fused optimisers
        precision = torch.float64 if values.device.type == "cpu" else torch.float32  # what the kernels read
        self.lr, self.head_lr = (torch.tensor(lr, dtype=precision, device=values.device)
                                 for lr in (config.lr, config.head_lr))
        self.counts = "step" in kept
        self.calls: list[Call] = []
        if self.counts:
            self.calls.append(partial(torch.add, self.count, torch.ones_like(self.count), out=self.count))
        for part, lr in ((slice(0, head), self.lr), (slice(head, None), self.head_lr)):
            if values[part].numel():
                slots = [slot[part] for slot in self.slots.values()]
                self.calls.append(kind.kernel(config, Flat(values[part], gradients[part], slots, self.count, lr)))
