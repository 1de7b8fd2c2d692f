"""Line: who waits for a place at a full server, in the order they came. It knows no clock."""

from __future__ import annotations

STALE_S = 20.0  # who has not asked for so long waits no more: pages ask every two seconds


class Line:
    """Tickets in the order they were first seen, each with the time it was last."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def ahead(self, ticket: str, now: float) -> int:
        """How many wait before ``ticket`` ("": of somebody who has none)."""
        self._seen = {other: seen for other, seen in self._seen.items() if now - seen <= STALE_S}
        return list(self._seen).index(ticket) if ticket in self._seen else len(self._seen)

    def wait(self, ticket: str, now: float) -> None:
        """``ticket`` waits, or still does."""
        if ticket:
            self._seen[ticket] = now

    def leave(self, ticket: str) -> None:
        """``ticket`` waits no more."""
        self._seen.pop(ticket, None)
