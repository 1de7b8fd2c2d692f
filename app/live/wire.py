"""Wire: how the web process and a worker talk: length-prefixed pickles on two pipes, and queues that cannot grow.

Both ends are our own processes; nothing a browser sends is unpickled.
"""

from __future__ import annotations

import pickle
import struct
import threading
from collections.abc import Callable, Hashable
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<Q")


def send(stream: BinaryIO, message: Any) -> None:
    """Write one message; raises `OSError` when the other end is gone."""
    raw = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(raw)))
    stream.write(raw)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Read one message, waiting for it; raises `EOFError` when the other end is gone."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    return pickle.loads(_exactly(stream, length))


def _exactly(stream: BinaryIO, count: int) -> bytes:
    raw = stream.read(count)
    if len(raw) < count:
        raise EOFError("the other end of the pipe is gone")
    return raw


class Mailbag:
    """A queue with one place per key: a newer message takes the older one's, so a flood of them needs no memory."""

    def __init__(self, merge: Callable[[Any, Any], Any] = lambda old, new: new) -> None:
        self._items: dict[Hashable, Any] = {}
        self._merge = merge
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._items)

    def put(self, key: Hashable, item: Any) -> None:
        """Queue ``item`` last, in place of what was queued under ``key``."""
        with self._changed:
            if key in self._items:
                item = self._merge(self._items.pop(key), item)
            self._items[key] = item
            self._changed.notify()

    def take(self, timeout: float | None = None) -> list[Any]:
        """Everything queued, oldest first; waits up to ``timeout`` seconds (None: until it comes) for the first."""
        with self._changed:
            if not self._items and not self._closed:
                self._changed.wait(timeout)
            items, self._items = list(self._items.values()), {}
            return items

    def close(self) -> None:
        """Wake whoever waits; `closed` tells that no more will come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether `close` was called and everything has been taken."""
        return self._closed and not self._items
