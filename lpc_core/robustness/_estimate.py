"""How long attacks will take, from the time of one gradient: said before they begin."""

from __future__ import annotations

import time
from collections.abc import Sequence

from torch import Tensor, nn

from lpc_core.robustness._base import Attack
from lpc_core.robustness._known import attacks as known

FEW = 16  # samples whose gradient is timed


def seconds_for(model: nn.Module, inputs: Tensor, attacks: Sequence[str], samples: int | None = None) -> float:
    """About how many seconds ``attacks`` take on ``samples`` (all by default) of ``inputs`` (N, …), on this machine as
    busy as it is now. The model's answer is logits (N, K), alone or first of several.
    """
    few = inputs[:FEW].to(next(model.parameters()).device).detach().requires_grad_(True)
    model.eval()(few)  # what is only done once
    begin = time.perf_counter()
    answer = model(few)
    (answer[0] if isinstance(answer, tuple) else answer).max(dim=1).values.sum().backward()
    each = (time.perf_counter() - begin) / len(few)
    return each * (samples or len(inputs)) * sum(known().get(name, Attack).gradients for name in attacks)
