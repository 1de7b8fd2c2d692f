"""Runs on a Ray cluster: one task each. A task whose node is lost is begun again on another, from the run's last look.

The store must lie where every node sees it under the same path. Needs the extra ``cluster``.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lpc_core.experiments._plan import Planned
from lpc_core.experiments._store import HEAD, Store
from lpc_core.experiments._work import done_or_refused
from lpc_core.ray_cluster import join, share_of_gpu

POLL_S = 0.5
RETRIES = 3
BUSY_LOOKS, BUSY_S = 60, 1.0


def on_ray(ray: Any, address: str, runs: Sequence[Planned], store: Path, device: str,  # noqa: PLR0917
           tell: Callable[[], None]) -> Iterator[tuple[Planned, tuple[str, str]]]:
    """Do ``runs`` on the cluster at ``address`` (host:port; "" for one on this machine alone): each with its ending."""
    join(ray, address)
    try:
        task = ray.remote(num_cpus=1, num_gpus=share_of_gpu(ray, device), max_retries=RETRIES)(_on_a_node)
        pending = {task.remote(run, str(store), device): run for run in runs}
        while pending:
            ready, _ = ray.wait(list(pending), timeout=POLL_S)
            tell()
            for reference in ready:
                yield pending[reference], _result(ray, reference)
                del pending[reference]
    finally:
        ray.shutdown()


def _result(ray: Any, reference: Any) -> tuple[str, str]:
    try:
        found: tuple[str, str] = ray.get(reference)
    except ray.exceptions.RayError as error:
        why = str(error).splitlines()[0][:200]
        return "failed", f"its node was lost {RETRIES + 1} times, or it failed there: {why}"
    return found


def _on_a_node(run: Planned, store: str, device: str) -> tuple[str, str]:
    """The work of one task, on whatever node it runs."""
    if not (Path(store) / HEAD).is_file():
        return "failed", (f"expected the store at {store} on node {socket.gethostname()}, got none; put it on a disk "
                          "that all nodes share")
    for _ in range(BUSY_LOOKS):
        if not Store(store).is_busy(run):
            break
        time.sleep(BUSY_S)  # whoever had it is on a node that was lost, and its process may outlive that a little
    return done_or_refused(run, Path(store), device)
