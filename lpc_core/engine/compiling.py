"""torch.compile for a backbone's training steps, where a run is long enough for it to pay."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lpc_core.config import RunConfig
from lpc_core.models import backbone


def pays(config: RunConfig, shape: tuple[int, ...]) -> bool:
    """Whether compiling saves a run on inputs of ``shape`` more time than it takes; as measured on a GPU."""
    least = backbone(config.model, shape).compiled_from
    return least is not None and config.steps * config.batch_size >= least


class Compiled:
    """Calls ``net`` as torch compiles it at the first call, or where it can't as it is; `note` says which, and why."""

    def __init__(self, net: nn.Module) -> None:
        self._net, self._faster = net, torch.compile(net, dynamic=False)
        self.note = "compiled"

    def __call__(self, inputs: Tensor) -> Tensor:
        """What ``net`` answers."""
        from torch._dynamo.exc import TorchDynamoException  # takes a second, and is there by now

        try:
            answers: Tensor = self._faster(inputs)
        except TorchDynamoException as error:  # no compiler on this machine, or a layer that it doesn't know
            cause = getattr(error, "inner_exception", error)
            words = str(cause).strip().partition("\n")[0][:200]
            self._faster, self.note = self._net, f"not compiled, because of {type(cause).__name__} ({words})"
            answers = self._net(inputs)
        return answers
