"""Every attack by name: one per public file of this package, and those of adv-lib where that is installed; and how long
they will take, from the time of one gradient: said before they begin.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence

from lpc_core.config import ConfigError
from lpc_core.models.any import Array, Model, gradient, opened
from lpc_core.registry import discover, pick
from lpc_core.robustness._adv_lib import INSTALL, OTHERS, others
from lpc_core.robustness._base import Attack

FEW = 16  # samples whose gradient is timed


@functools.cache
def attacks() -> dict[str, type[Attack]]:
    """Every attack by name; ``attacks()["ddn"](steps=100)`` makes one."""
    return discover("lpc_core.robustness", "ATTACK") | others()


def attack_named(name: str) -> Attack:
    """The attack ``name`` with its default settings; `ConfigError` for one that is not known, or not installed."""
    if name in OTHERS and not others():
        raise ConfigError("attack", f"one of this library's own, or the package adv-lib beside it ({INSTALL})", name)
    return pick("attack", attacks(), name)()


def seconds_for(model: Model, inputs: Array, names: Sequence[str], samples: int | None = None) -> float:
    """About how many seconds the attacks ``names`` take on ``samples`` (all by default) of ``inputs`` (N, …), on this
    machine as busy as it is now. What ``model`` may be, and the errors, are those of `Attack.__call__`.
    """
    with opened(model, inputs[:FEW]) as asked:
        asked(asked.inputs)  # what is only done once
        begin = time.perf_counter()
        leaf, logits = asked.differentiable(asked.inputs)
        gradient(logits.amax(1).sum(), leaf).cpu()  # where the model is on a GPU, this waits for it
        each = (time.perf_counter() - begin) / len(leaf)
    return each * (samples or len(inputs)) * sum(attacks().get(name, Attack).gradients for name in names)
