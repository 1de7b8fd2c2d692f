"""AdamW, Adam and SGD with momentum on flat buffers, number for number as in `torch.optim`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lpc_core.config import OptimConfig

EPSILON = 1e-8  # torch's default for Adam
SLOTS = {"adamw": ("exp_avg", "exp_avg_sq"), "adam": ("exp_avg", "exp_avg_sq"), "sgd": ("momentum_buffer",)}


class Update:
    """Moves ``values`` by ``gradients`` when its ``calls`` are run; ``head`` is where the head's numbers begin.

    ``lr`` is a tensor that is written before a step, so that a captured step follows it. The head's rate is constant.
    """

    def __init__(self, config: OptimConfig, values: Tensor, gradients: Tensor, head: int) -> None:
        names = SLOTS[config.optimizer] if config.optimizer != "sgd" or config.momentum > 0 else ()
        self.slots = {name: torch.zeros_like(values) for name in names}
        self.count = torch.zeros((), device=values.device)  # steps done, float32 as in torch's fused optimisers
        precision = torch.float64 if values.device.type == "cpu" else torch.float32  # what the kernels read
        self.lr, self.head_lr = (torch.tensor(lr, dtype=precision, device=values.device)
                                 for lr in (config.lr, config.head_lr))
        self.counts = config.optimizer != "sgd"
        self.calls: list[Callable[[], object]] = []
        if self.counts:
            self.calls.append(partial(torch.add, self.count, torch.ones_like(self.count), out=self.count))
        for part, lr in ((slice(0, head), self.lr), (slice(head, None), self.head_lr)):
            if values[part].numel():
                self.calls.append(self._kernel(config, values[part], gradients[part], part, lr))

    def _kernel(self, config: OptimConfig, values: Tensor, gradients: Tensor, part: slice,
                lr: Tensor) -> Callable[[], object]:
        slots = [[slot[part]] for slot in self.slots.values()]
        if config.optimizer == "sgd":
            return partial(torch._fused_sgd_, [values], [gradients], *(slots or [[]]), lr=lr,
                           momentum=config.momentum, weight_decay=config.weight_decay, dampening=0.0,
                           nesterov=False, maximize=False, is_first_step=False)
        kernel = torch._fused_adamw_ if config.optimizer == "adamw" else torch._fused_adam_
        return partial(kernel, [values], [gradients], *slots, [], [self.count], lr=lr, beta1=config.momentum,
                       beta2=config.beta2, weight_decay=config.weight_decay, eps=EPSILON, amsgrad=False,
                       maximize=False)
