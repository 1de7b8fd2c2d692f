"""A page without a browser: takes frames, acknowledges them, and waits for what a test wants to see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from app.live.frames import decode
from app.live.hub import Hub, SessionHandle
from app.live.messages import CONTROL, Ack, Ping, read
from tests.patience import PATIENCE_S, looks, until

__all__ = ["Page", "as_one", "until"]


def as_one(info: dict[str, Any]) -> dict[str, Any]:
    """What a group of one says, with what its only run says of itself, as the page of a single run takes it."""
    return info | info["panels"][0] if len(info.get("panels", ())) == 1 else info


class Page:
    def __init__(self, hub: Hub, session: SessionHandle, acks: bool = True, before: str = "") -> None:
        self.hub, self.id, self.acks = hub, session.id, acks
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.bytes, self.closed = 0, 0
        self._news = threading.Condition()
        assert hub.connect(session.token, self, before) == session.id

    def put(self, slot: str, raw: bytes) -> None:
        kind, info, _ = decode(raw)
        assert slot.startswith(kind)
        info = as_one(info)
        with self._news:
            self.seen.append((kind, info))
            self.bytes += len(raw)
            self._news.notify_all()
        if kind == "frame" and self.acks:
            self.hub.say(self.id, Ack(type="ack", frame=info["frame"]))

    def close(self, code: int, reason: str) -> None:
        with self._news:
            self.closed = code
            self._news.notify_all()

    def say(self, text: str) -> None:
        self.hub.say(self.id, read(CONTROL, text))

    def pause(self, *settle: float) -> int:
        """Stand still; returns how many messages had come by then."""
        self.say('{"type": "pause"}')
        self.wait("frame", lambda info: info["state"] == "paused")
        self.settle(*settle)
        return len(self.seen)

    def acknowledge(self) -> None:
        self.hub.say(self.id, Ack(type="ack", frame=self.last["frame"]))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [info for seen, info in list(self.seen) if seen == kind]

    @property
    def last(self) -> dict[str, Any]:
        return self.of("frame")[-1]

    def wait(self, kind: str, fits: Callable[[dict[str, Any]], bool] = lambda info: True, seconds: float = PATIENCE_S,
             since: int = 0) -> dict[str, Any]:
        """The first ``kind`` from the ``since``-th thing seen on that ``fits``."""
        with self._news:
            for _ in looks(seconds, self._news.wait, every=0.2):
                for seen, info in self.seen[since:]:
                    if seen == kind and fits(info):
                        return info
                if self.acks:
                    self.hub.say(self.id, Ping(type="ping"))
        raise AssertionError(f"waited {seconds} s for a {kind}; saw {self.seen[since:][-4:]}")

    def settle(self, seconds: float = 0.25) -> None:
        """Return when nothing has come for that long, so that what must not come has had time to."""
        count = -1
        while count != len(self.seen):
            count = len(self.seen)
            time.sleep(seconds)
