"""Every attack by name: one per public file of this package, and those of adv-lib where that is installed; and how long
they will take, from the time of one gradient: said before they begin.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence

from torch import Tensor, nn

from lpc_core.registry import discover, pick
from lpc_core.robustness._adv_lib import check_installed, others
from lpc_core.robustness._base import Attack

FEW = 16  # samples whose gradient is timed


@functools.cache
def attacks() -> dict[str, type[Attack]]:
    """Every attack by name; ``attacks()["ddn"](steps=100)`` makes one."""
    return discover("lpc_core.robustness", "ATTACK") | others()


def attack_named(name: str) -> Attack:
    """The attack ``name`` with its default settings; `ConfigError` for one that is not known, or not installed."""
    check_installed(name)
    return pick("attack", attacks(), name)()


def seconds_for(model: nn.Module, inputs: Tensor, names: Sequence[str], samples: int | None = None) -> float:
    """About how many seconds the attacks ``names`` take on ``samples`` (all by default) of ``inputs`` (N, …), on this
    machine as busy as it is now. The model's answer is logits (N, K), alone or first of several.
    """
    few = inputs[:FEW].to(next(model.parameters()).device).detach().requires_grad_(True)
    model.eval()(few)  # what is only done once
    begin = time.perf_counter()
    answer = model(few)
    (answer[0] if isinstance(answer, tuple) else answer).max(dim=1).values.sum().backward()
    each = (time.perf_counter() - begin) / len(few)
    return each * (samples or len(inputs)) * sum(attacks().get(name, Attack).gradients for name in names)
