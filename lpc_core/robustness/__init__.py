"""Attacks that seek the smallest change of an input that changes a classifier's answer, and an honest report."""

from __future__ import annotations

import functools

from lpc_core.registry import discover
from lpc_core.robustness._base import Attack
from lpc_core.robustness._result import AttackResult
from lpc_core.robustness.ddn import ddn
from lpc_core.robustness.deepfool import deepfool
from lpc_core.robustness.fmn import fmn
from lpc_core.robustness.hopskipjump import hopskipjump
from lpc_core.robustness.pgd_l2 import pgd_l2
from lpc_core.robustness.pgd_linf import pgd_linf


@functools.cache
def attacks() -> dict[str, type[Attack]]:
    """Every attack by name; ``attacks()["ddn"](steps=100)`` makes one."""
    return discover("lpc_core.robustness", "ATTACK")
