"""Every attack by name: one per public file of this package, and those of adv-lib where that is installed."""

from __future__ import annotations

import functools

from lpc_core.registry import discover, pick
from lpc_core.robustness._adv_lib import check_installed, others
from lpc_core.robustness._base import Attack


@functools.cache
def attacks() -> dict[str, type[Attack]]:
    """Every attack by name; ``attacks()["ddn"](steps=100)`` makes one."""
    return discover("lpc_core.robustness", "ATTACK") | others()


def attack_named(name: str) -> Attack:
    """The attack ``name`` with its default settings; `ConfigError` for one that is not known, or not installed."""
    check_installed(name)
    return pick("attack", attacks(), name)()
