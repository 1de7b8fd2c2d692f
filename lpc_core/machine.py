"""The machine: how much memory a process of it may still take."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA's, WSL's, AMD's


def available_memory() -> int:
    """Bytes this process may still take: what the machine has free, and what its container allows."""
    free = [os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            free = [int(line.split()[1]) * 1024]
    limit, used = (first_line(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
    if limit.isdigit() and used.isdigit():
        free.append(int(limit) - int(used))
    return max(0, min(free))


def cores() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_cuda(device: str | None = None) -> bool:
    """Whether runs on ``device`` (None: what $LPC_DEVICE says, else "auto") train on a GPU by CUDA.

    torch is asked only where there is a driver: it takes a second to import.
    """
    name = device or os.environ.get("LPC_DEVICE") or "auto"
    if name == "cpu" or (sys.platform == "linux" and not any(map(os.path.exists, DRIVERS))):
        return False
    import torch

    return torch.cuda.is_available()


def first_line(path: str) -> str:
    """The first line of a file of the system; "" where there is none."""
    return next(iter(_lines(path)), "")


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("ascii").splitlines()
    except OSError:
        return []  # not this kind of system
