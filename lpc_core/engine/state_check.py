"""What the state of a run must be, looked at before anything of it is used: every tensor and every number.

A file can be edited. What fits the run passes; for anything else there is a `StateError` that names it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lpc_core.config import OptimConfig
from lpc_core.engine.state import StateError
from lpc_core.files.words import printable
from lpc_core.optimizers import optimizer

MOST_STEPS = 2**53  # whole numbers up to here are exact in a float
GAMMA = {"value", "target", "mode", "clock", "gliding"}


def check_model(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """Refuse weights ``given`` for a model with the weights ``own``: other names, shapes or types, or not finite."""
    _same_names("weights", set(given), set(own))
    for name, like in own.items():
        check_tensor(name, given[name], like.shape, like.dtype)


def check_tensor(name: str, given: Tensor, shape: Sequence[int], dtype: torch.dtype) -> None:
    """Refuse a tensor of another shape or type, and one with NaN or infinity."""
    if given.shape != torch.Size(shape) or given.dtype != dtype:
        raise StateError(f"expected {name} {tuple(shape)} {dtype}, got {tuple(given.shape)} {given.dtype}")
    if not bool(given.isfinite().all()):
        raise StateError(f"expected finite {name}, got NaN or infinity in it")


def check_optimizer(tensors: Mapping[str, Tensor], config: OptimConfig, named: Mapping[str, Tensor]) -> None:
    """Refuse what is not the state of an optimiser over the ``named`` parameters: of each all it keeps, or nothing."""
    kind = optimizer(config)
    parameters = list(named.values())
    kept = [set(kind.keeps(config, name, parameter.shape)) for name, parameter in named.items()]
    found: dict[int, set[str]] = {}
    for name, tensor in tensors.items():
        if not name.startswith("optim."):
            continue
        number, _, slot = name.removeprefix("optim.").partition(".")
        if not (number.isascii() and number.isdigit() and int(number) < len(kept) and slot in kept[int(number)]):
            raise StateError(f"expected quantities of {config.optimizer} for {len(kept)} parameters, got {name[:80]!r}")
        like = parameters[int(number)]
        shape, dtype = ((), torch.float32) if slot == "step" else (like.shape, like.dtype)
        check_tensor(name, tensor, shape, dtype)
        if slot in kind.never_negative and bool((tensor < 0).any()):
            raise StateError(f"expected {name} of at least 0, got less")
        found.setdefault(int(number), set()).add(slot)
    for place, slots in found.items():
        _same_names(f"quantities of parameter {place}", slots, kept[place])


def check_streams(tensors: Mapping[str, Tensor], wanted: Mapping[str, torch.device], may_lack: str) -> None:
    """Refuse other random streams than ``wanted`` {name: its device}, states that are none, and any other tensor."""
    others = {name for name in tensors if not name.startswith(("model.", "optim."))}
    _same_names("random streams", others | {may_lack}, {*wanted, may_lack})
    for name in others:
        stream, given = torch.Generator(wanted[name]), tensors[name]
        check_tensor(name, given, stream.get_state().shape, torch.uint8)
        try:
            stream.set_state(given.clone())
        except RuntimeError:
            raise StateError(f"expected {name} to be the state of a random stream, got other bytes") from None


def check_info(info: Mapping[str, Any], samples: int = MOST_STEPS) -> None:
    """Refuse numbers that no run over ``samples`` training samples can have; its settings are not looked at."""
    _same_names("facts", set(info), {"config", "step", "limit", "position", "base_lr", "gamma", "reason"})
    for name, most in (("limit", MOST_STEPS), ("step", info["limit"]), ("position", samples)):
        if type(info[name]) is not int or not 0 <= info[name] <= most:
            raise StateError(f"expected {name} to be a whole number from 0 to {most}, got {shown(info[name])}")
    if not _is_number(info["base_lr"]) or not info["base_lr"] > 0:
        raise StateError(f"expected base_lr to be a finite number above 0, got {shown(info['base_lr'])}")
    if type(info["reason"]) is not str:
        raise StateError(f"expected reason to be a text, got {shown(info['reason'])}")
    _check_gamma(info["gamma"])


def _check_gamma(gamma: object) -> None:
    if not isinstance(gamma, dict):
        raise StateError(f"expected gamma to be its value, target and mode, got {shown(gamma)}")
    _same_names("facts of gamma", set(gamma), GAMMA)
    for name in ("value", "target", "clock"):
        if not _is_number(gamma[name]) or gamma[name] < 0:
            raise StateError(f"expected gamma's {name} to be a finite number of at least 0, got {shown(gamma[name])}")
    if gamma["mode"] not in ("auto", "hand") or type(gamma["gliding"]) is not bool:
        raise StateError(f"expected gamma's mode to be auto or hand, and whether it glides, got {shown(gamma['mode'])} "
                         f"and {shown(gamma['gliding'])}")


def _same_names(what: str, given: set[str], wanted: set[str]) -> None:
    """Refuse names that are missing, or too many."""
    missing, more = sorted(wanted - given), sorted(given - wanted)
    if missing or more:
        told = [f"{words} {printable(', '.join(names), 200)}" for words, names in (("without", missing), ("also", more))
                if names]
        raise StateError(f"expected the {what} of this run, got a state {' and '.join(told)}")


def _is_number(value: object) -> bool:
    try:
        return (type(value) is int or type(value) is float) and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def shown(value: object) -> str:
    """``value`` as an error quotes it."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "a very large number"
    return text if len(text) <= 60 else f"{text[:59]}…"
