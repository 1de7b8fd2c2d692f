"""Devices: which there are and why none, which one a worker takes, and their faults in words a reader can act on."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from dataclasses import replace

import torch

from lpc_core.config import ConfigError, RunConfig
from lpc_core.engine.cost import check_within, cost_of, form_of, network_of
from lpc_core.engine.faults import DeviceError, DeviceLost


@functools.cache
def cards() -> tuple[int, str]:
    """How many GPUs torch can use, and why none where there is a driver that it cannot work with ("" otherwise)."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    words = " ".join(str(said[0].message).split())[:300] if said and not count else ""
    return count, words


def pick_device(name: str) -> torch.device:
    """The device for "auto", "cpu", "cuda" or "cuda:N"; a missing one raises `ConfigError`."""
    count, why = cards()
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    allowed = ["auto", "cpu"] + (["cuda"] + [f"cuda:{i}" for i in range(count)] if count else [])
    if name not in allowed:
        none = "" if count else f" ({why or 'torch finds no GPU here'}; leave the device out to use the CPU)"
        raise ConfigError("device", "one of " + ", ".join(allowed) + " on this machine" + none, name)
    return torch.device(name)


def device_note(name: str) -> str:
    """What a reader is told when "auto" became the CPU though there is a GPU; "" otherwise."""
    _, why = cards()
    return f"This run is on the CPU: torch cannot use the GPU here ({why})." if name == "auto" and why else ""


def spread(name: str, number: int) -> str:
    """The device of the worker ``number``: "auto" and "cuda" are dealt over all GPUs in turn."""
    count, _ = cards()
    return f"cuda:{number % count}" if count > 1 and name in ("auto", "cuda") else name


def check_room(config: RunConfig, device: torch.device) -> None:
    """Raise `CostError` for a run on a GPU that needs more memory than the card has free, by its estimate."""
    if device.type != "cuda":
        return
    cost = cost_of(config)
    if network_of(config.model, form_of(config)).convolves:
        cost = replace(cost, batch_bytes=cost.batch_bytes // 2)  # bfloat16
    check_within(cost, torch.cuda.mem_get_info(device)[0], f"{device} has free")


@contextlib.contextmanager
def faults_named(config: RunConfig, device: torch.device) -> Iterator[None]:
    """In this block a device that runs out of memory raises `DeviceError`, one that answers no more `DeviceLost`."""
    try:
        yield
    except torch.OutOfMemoryError:
        if device.type == "cuda":
            torch.cuda.empty_cache()
        cost = cost_of(config)
        raise DeviceError(f"memory: expected a run that fits on {device} beside the others, got one that ran out: "
                          f"{cost} by its estimate; reduce {cost.advice}") from None
    except RuntimeError as error:
        if not isinstance(error, torch.AcceleratorError) and "CUDA error" not in str(error):
            raise
        cause = str(error).strip().partition("\n")[0][:200]
        raise DeviceLost(f"device: expected {device} to go on, got a fault of it ({cause}); start the run again, on "
                         "the CPU if the device does not come back") from error
