"""Data-parallel training: one run in several processes, each of which computes its share of every batch.

All processes hold the whole training set and draw the same batches; torch's DistributedDataParallel averages their
gradients, so that a step is that of one process but for rounding. (A batch norm sees its own share only, where torch
cannot synchronise it: on a CPU. Dropout draws other numbers in each process.) Processes find each other as torchrun
starts them, by RANK, WORLD_SIZE and LOCAL_RANK; `launch` starts some on this machine, which meet in a file.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import distributed

from lpc_core.config import ConfigError, RunConfig
from lpc_core.engine.devices import spread

MEETING = "LPC_MEETING"  # the variable that names the file
LOOK_EVERY_S = 0.2  # for a process that has ended
# Python's own end of a group lets gloo's threads finish what they hold. What averages the gradients lives longer than
# `together`, and would end the group without: it waits for threads that wait for it.
_groups: list[distributed.ProcessGroup | None] = []


@dataclass(frozen=True)
class Share:
    """The part of this process: its number and how many there are."""

    rank: int
    processes: int

    def check(self, config: RunConfig) -> None:
        """Refuse a batch that has no equal share for every process, by `ConfigError`."""
        if config.batch_size % self.processes or config.batch_size > config.data.samples:
            raise ConfigError("batch_size", f"a multiple of the {self.processes} processes, at most the "
                                            f"{config.data.samples:,} samples", config.batch_size)


def share() -> Share | None:
    """What the environment says of this process's part; None for a process of its own."""
    processes, rank = os.environ.get("WORLD_SIZE", "1"), os.environ.get("RANK", "")
    if not (processes.isdigit() and int(processes) > 1):
        return None
    if not (rank.isdigit() and int(rank) < int(processes)):
        raise ConfigError("RANK", f"this process's number beside WORLD_SIZE={processes}, as torchrun sets both", rank)
    return Share(int(rank), int(processes))


def own_device(device: str) -> str:
    """The device of this process: one of the GPUs each, by LOCAL_RANK."""
    return spread(device, int(os.environ.get("LOCAL_RANK", "0")))


@contextlib.contextmanager
def together(part: Share, device: torch.device) -> Iterator[None]:
    """The processes as a group: NCCL between GPUs, gloo between CPUs."""
    where = os.environ.get(MEETING)
    if device.type == "cuda":
        torch.cuda.set_device(device.index or 0)  # of a machine's only one nobody need say the number
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", rank=part.rank,
                                   world_size=part.processes, init_method=f"file://{where}" if where else "env://")
    try:
        yield
    finally:
        _groups.append(distributed.group.WORLD)
        distributed.destroy_process_group()


def launch(arguments: Sequence[str], processes: int) -> int:
    """Run ``python -m lpc_core`` with ``arguments`` in so many processes; the first exit status that is not 0, else 0.

    When one ends in a fault the others, which would wait for it for ever, are ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        fixed = {"WORLD_SIZE": str(processes), MEETING: str(Path(folder) / "meeting")}
        if sys.platform == "linux":
            fixed |= {"GLOO_SOCKET_IFNAME": os.environ.get("GLOO_SOCKET_IFNAME", "lo")}
        running = [subprocess.Popen([sys.executable, "-m", "lpc_core", *arguments],
                                    env=os.environ | fixed | {"RANK": str(rank), "LOCAL_RANK": str(rank)})
                   for rank in range(processes)]
        try:
            return _first_fault(running)
        finally:
            for process in running:
                process.kill()
                process.wait()


def _first_fault(running: Sequence[subprocess.Popen[bytes]]) -> int:
    """Wait until all have ended well (0), or one has not (its status)."""
    while True:
        waiting = [process for process in running if process.poll() is None]
        faults = [process.returncode for process in running if process.returncode]
        if faults or not waiting:
            return faults[0] if faults else 0
        with contextlib.suppress(subprocess.TimeoutExpired):
            waiting[0].wait(LOOK_EVERY_S)
