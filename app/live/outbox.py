"""Outbox: what waits to be sent to one page. One place per kind, so a slow page costs a frame of memory, never more."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class Hangup(Exception):
    """The connection is to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Outbox:
    """Filled from any thread (`sessions.Outlet`), emptied by the connection's own event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._filled = loop, asyncio.Event()
        self._slots: dict[str, bytes] = {}
        self._hangup: Hangup | None = None
        self._lock = threading.Lock()

    def put(self, slot: str, raw: bytes) -> None:
        """Send soon, in place of what waits in ``slot``. A setup voids the waiting frame: it is of the run before.

        Once hung up, nothing more: it would take the place of a last word that still waits.
        """
        with self._lock:
            if self._hangup is not None:
                return
            if slot == "setup":
                self._slots.pop("frame", None)
            self._slots.pop(slot, None)  # it goes to the end: the page hears everything in the order it was said
            self._slots[slot] = raw
        self._wake()

    def close(self, code: int, reason: str) -> None:
        """Hang up after what waits has been sent."""
        with self._lock:
            self._hangup = self._hangup or Hangup(code, reason)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server is stopping
            self._loop.call_soon_threadsafe(self._filled.set)

    async def take(self) -> list[bytes]:
        """What waits, in the order it was put; waits for the first. Raises `Hangup` when no more will come."""
        while True:
            self._filled.clear()
            with self._lock:
                slots, self._slots, hangup = self._slots, {}, self._hangup
            if slots:
                return list(slots.values())
            if hangup is not None:
                raise hangup
            await self._filled.wait()
