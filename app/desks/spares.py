"""Processes for jobs, and one kept ready: importing a job's libraries takes longer than many a job.

A module that can wait is started as ``python -m MODULE wait``, imports what it needs and reads one line from its
standard input: {"command": its arguments, "errors": the file for its complaints}. It does that job and ends, like any
other, so nothing of one job is there in the next. Without a line it ends too: none outlives the server.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from app.live.processes import ROOT
from app.settings import ONE_THREAD
from app.words import VARIABLE, language
from lpc_core.files.plain_json import dumps

NICENESS = 10  # live runs go first

Process = subprocess.Popen[bytes]
_waiting: dict[str, Process] = {}
_lock = threading.Lock()


def spawn(module: str, arguments: Sequence[str], *, stdin: int = subprocess.DEVNULL,
          stderr: IO[bytes] | int = subprocess.DEVNULL) -> Process:
    """``python -m module arguments`` in a session of its own, behind the live runs; what it prints comes by a pipe.

    It speaks the language of whoever asks for it.
    """
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdin=stdin, stdout=subprocess.PIPE,
                               stderr=stderr, start_new_session=True,
                               env=os.environ | ONE_THREAD | {"PYTHONPATH": path, VARIABLE: language()})
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    return process


def prepare(module: str) -> None:
    """Have a process of ``module`` wait, unless one does."""
    with _lock:
        if module not in _waiting or _waiting[module].poll() is not None:
            _end(_waiting.pop(module, None))
            _waiting[module] = spawn(module, ["wait"], stdin=subprocess.PIPE)


def take(module: str, command: Sequence[str], errors: Path) -> Process | None:
    """The process that waits, now at work on ``command``; None if none does."""
    with _lock:
        process = _waiting.pop(module, None)
    if process is None or process.stdin is None:
        return None
    try:
        with process.stdin as order:
            order.write(dumps({"command": list(command), "errors": str(errors)}).encode() + b"\n")
    except OSError:  # it has ended
        _end(process)
        return None
    return process


def end_all() -> None:
    """End those that wait."""
    with _lock:
        for process in _waiting.values():
            _end(process)
        _waiting.clear()


def _end(process: Process | None) -> None:
    if process is not None:
        process.kill()
        with contextlib.suppress(OSError), process:  # closes its pipes, which may be broken, and waits
            pass
