"""Workers on a Ray cluster: an actor each, on whatever node has room, that keeps a local process there and relays.

The folder of the runs' states must lie where every node sees it under the same path: set TMPDIR to a shared disk.
A node that is lost takes its workers with it; their runs go on in others, from their state files, as after any crash.
"""

from __future__ import annotations

import contextlib
import logging
import math
import socket
from pathlib import Path
from typing import Any

from app.live import orders
from app.live.mark import marked
from app.live.processes import ENGINE, LocalWorker

AT_ONCE = 4  # calls of one actor: sending, receiving, and two questions
ANSWER_S = 5.0  # for a node that is there to answer

_LOG = logging.getLogger(__name__)


class Host(LocalWorker):
    """On the node: the local process. An actor's class; its methods run in threads of the actor."""

    def __init__(self, folder: str, device: str, engine: str = ENGINE) -> None:
        if not Path(folder).is_dir():
            raise OSError(f"expected the folder {folder} on node {socket.gethostname()}, got none; start the lab with "
                          "TMPDIR on a disk that all nodes share")
        super().__init__(Path(folder), engine, device, keep_s=math.inf)

    def mark_path(self) -> str:
        """Where the process notes whom it serves; it stays for whoever asks that after the end."""
        return str(self.mark)

    def next_report(self) -> orders.Report | None:
        """What the process says next, waited for; None when it has ended."""
        try:
            return self.receive()
        except EOFError:
            return None


class RayWorker:
    """One worker of the cluster as the hub sees it (`processes.WorkerLink`). A lost node is a worker that ended."""

    def __init__(self, ray: Any, folder: Path, device: str, gpu: float, engine: str = ENGINE) -> None:
        self._ray, self._mark, self._ended = ray, "", False
        remote = ray.remote(num_cpus=1, num_gpus=gpu, max_concurrency=AT_ONCE, max_restarts=0)(Host)
        self._actor = remote.remote(str(folder), device, engine)

    def send(self, order: orders.Order) -> None:
        """Raises `OSError` when the worker is gone."""
        try:
            self._ray.get(self._actor.send.remote(order))
        except self._ray.exceptions.RayError as error:
            raise OSError(f"a worker of the cluster is gone: {_first_line(error)}") from None

    def receive(self) -> orders.Report:
        """Raises `EOFError` when the worker is gone."""
        try:
            if not self._mark:
                self._mark = self._ray.get(self._actor.mark_path.remote())
            report: orders.Report | None = self._ray.get(self._actor.next_report.remote())
        except self._ray.exceptions.RayError as error:
            if not self._ended:
                _LOG.warning("a worker of the cluster is gone: %s", _first_line(error))
            raise EOFError("a worker of the cluster is gone") from None
        if report is None:
            raise EOFError("the process of a worker of the cluster has ended")
        return report

    def alive(self) -> bool:
        """Whether it has not ended; one that still waits for room has not."""
        if self._ended:
            return False
        try:
            return bool(self._ray.get(self._actor.alive.remote(), timeout=ANSWER_S))
        except self._ray.exceptions.GetTimeoutError:
            return True
        except self._ray.exceptions.RayError:
            return False

    def end(self, patience_s: float) -> None:
        """Wait that long for it to end by itself, then end it and its actor."""
        if self._ended:
            return
        self._ended = True
        with contextlib.suppress(self._ray.exceptions.RayError):  # the node is gone, and the process with it
            self._ray.get(self._actor.end.remote(patience_s), timeout=patience_s + ANSWER_S)
        self._ray.kill(self._actor)

    def culprit(self) -> str:
        """From the mark that it leaves on the shared disk."""
        return marked(Path(self._mark)) if self._mark else ""

    def close(self) -> None:
        """Remove its mark."""
        if self._mark:
            Path(self._mark).unlink(missing_ok=True)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
