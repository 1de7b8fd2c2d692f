"""The machine: how much memory a process of it may still take."""

from __future__ import annotations

import os
from pathlib import Path


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


def first_line(path: str) -> str:
    """The first line of a file of the system; "" where there is none."""
    return next(iter(_lines(path)), "")


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("ascii").splitlines()
    except OSError:
        return []  # not this kind of system
