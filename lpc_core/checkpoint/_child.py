"""The reading process: started by `sandbox` as a program of its own, it locks itself in, reads one file and answers."""

from __future__ import annotations

import importlib
import json
import mmap
import os
import sys
from typing import Any


def main() -> None:
    """Do what the order in the environment says with the file on standard input; the answer goes to standard output."""
    order = json.loads(os.environ.pop("LPC_READER"))
    sys.path[:0] = order["roots"]
    from lpc_core.checkpoint import _lock
    from lpc_core.checkpoint._base import FileRefused, Limits, refusal
    from lpc_core.checkpoint._message import Message
    from lpc_core.checkpoint._wire import pack

    limits = Limits(**order["limits"])
    _lock.limit_use(limits, order["output"])
    reader: Any = importlib.import_module(order["module"])
    reader.prepare(os.read(0, 4096))
    _lock.lock_down(limits)
    try:
        with memoryview(mmap.mmap(0, 0, access=mmap.ACCESS_READ)) as raw:
            message = reader.read(raw, order["job"], limits)
            pack(message, _write)
    except (FileRefused, MemoryError) as error:
        refused = error if isinstance(error, FileRefused) else refusal(
            f"a file that can be read in {limits.memory_bytes:,} bytes of memory", "one that needs more",
            "save fewer or smaller arrays, or raise the limit memory_bytes")
        os.lseek(1, 0, os.SEEK_SET)
        os.ftruncate(1, 0)
        pack(Message("refused", {"why": str(refused)}), _write)
    os._exit(0)  # nothing is left to tidy up


def _write(piece: Any) -> None:
    """All of ``piece`` to standard output."""
    left = memoryview(piece).cast("B")
    while left.nbytes:
        left = left[os.write(1, left) :]


if __name__ == "__main__":
    main()
