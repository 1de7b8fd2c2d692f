"""Processes: the default maker of workers: one local process each, over pipes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from app.live import orders, wire
from app.live.mark import mark_name, marked
from app.settings import ONE_THREAD

ROOT = Path(__file__).resolve().parents[2]
ENGINE = "app.training.worker:torch_engine"


class WorkerLink(Protocol):
    """One worker as the hub sees it. `send` and `receive` may wait and are called from one thread each."""

    def send(self, order: orders.Order) -> None:
        """Raises `OSError` when the worker is gone."""
        ...

    def receive(self) -> orders.Report:
        """Raises `EOFError` when the worker is gone."""
        ...

    def alive(self) -> bool:
        """Whether it has not ended."""
        ...

    def end(self, patience_s: float) -> None:
        """Wait that long for it to end by itself, then end it."""
        ...

    def culprit(self) -> str:
        """Of a worker that ended: the session it was serving then, or nothing."""
        ...

    def close(self) -> None:
        """Give back what an ended worker held here; `send` and `receive` are not called any more."""
        ...


# Starts a worker whose state files go to the folder; does not wait until it is ready.
MakeWorker = Callable[[Path], WorkerLink]


class LocalWorker:
    """A child process. Not multiprocessing's: that would run the server's main module again in every child."""

    def __init__(self, folder: Path, engine: str = ENGINE, device: str = "auto", number: int = 0,
                 keep_s: float = 0.0) -> None:
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        self._folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.training.worker", str(folder), engine, device, str(number), str(keep_s)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | ONE_THREAD | {"PYTHONPATH": path},
            start_new_session=True)
        self.mark = folder / mark_name(self.process.pid)  # where it notes whom it serves

    def send(self, order: orders.Order) -> None:
        """Write to its standard input."""
        wire.send(cast(BinaryIO, self.process.stdin), order)

    def receive(self) -> orders.Report:
        """Read from its standard output."""
        return cast(orders.Report, wire.receive(cast(BinaryIO, self.process.stdout)))

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def end(self, patience_s: float) -> None:
        """Wait, then kill; never leaves a zombie."""
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def culprit(self) -> str:
        """Read from the mark it leaves."""
        return marked(self.mark)

    def close(self) -> None:
        """Close the pipes (only when no thread uses them any more) and remove what it left half done."""
        for path in (self.mark, *self._folder.glob(f"*.{self.process.pid}.new")):
            with contextlib.suppress(OSError):  # with the folder gone there is nothing to remove
                path.unlink()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):  # what was still buffered for a worker that is gone
                cast(BinaryIO, stream).close()
