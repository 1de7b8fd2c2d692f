"""The reading process: started by `sandbox` as a program of its own, it locks itself in, reads one file and answers."""

from __future__ import annotations

import errno
import importlib
import json
import mmap
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lpc_core.checkpoint._base import Limits
    from lpc_core.checkpoint._message import Message


def main() -> None:
    """Do with the file on standard input what the order says, which lies where the answer goes: in standard output."""
    os.lseek(1, 0, os.SEEK_SET)
    order = json.loads(os.read(1, os.fstat(1).st_size))
    _start_over()
    sys.path[:0] = order["path"]  # only now can anything of ours be imported
    from lpc_core.checkpoint import _lock
    from lpc_core.checkpoint._base import Limits
    from lpc_core.checkpoint._wire import pack

    limits = Limits(**order["limits"])
    _lock.limit_use(limits, order["output"])
    reader: Any = importlib.import_module(order["module"])
    reader.prepare(os.read(0, 4096))
    locks = _lock.lock_down(limits)
    answer = _answer(reader, order["job"], limits)
    answer.facts["locks"] = locks
    try:
        pack(answer, _write)
    except MemoryError:
        _start_over()
        pack(_too_much(limits), _write)
    os._exit(0)  # nothing is left to tidy up


def _start_over() -> None:
    """Empty standard output."""
    os.lseek(1, 0, os.SEEK_SET)
    os.ftruncate(1, 0)


def _answer(reader: Any, job: dict[str, Any], limits: Limits) -> Message:
    """What the reader finds, or its refusal. Other exceptions end the process: they are flaws in the reader."""
    from lpc_core.checkpoint._base import FileRefused
    from lpc_core.checkpoint._message import Message

    try:
        found: Message = reader.read(memoryview(mmap.mmap(0, 0, access=mmap.ACCESS_READ)), job, limits)
        return found
    except FileRefused as error:
        ask = None if error.ask is None else [error.ask.role, error.ask.choices]
        return Message("refused", {"why": str(error), "ask": ask})
    except (MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.ENOMEM:
            raise
        return _too_much(limits)  # for an array, or for the file itself


def _too_much(limits: Limits) -> Message:
    from lpc_core.checkpoint._base import refusal
    from lpc_core.checkpoint._message import Message

    refused = refusal(f"a file that can be read in {limits.memory_bytes:,} bytes of memory", "one that needs more",
                      "save fewer or smaller arrays, or raise the limit memory_bytes")
    return Message("refused", {"why": str(refused)})


def _write(piece: Any) -> None:
    """All of ``piece`` to standard output."""
    left = memoryview(piece).cast("B")
    while left.nbytes:
        left = left[os.write(1, left) :]


if __name__ == "__main__":
    main()
