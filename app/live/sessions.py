"""Sessions: what the hub knows of one reader's run: its page, its seat, what was asked for, and what runs."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Protocol

from app.live import frames, orders
from app.live.messages import Control, Pause, Play, Reset, Speed, View
from app.live.seats import Seat
from lpc_core.engine.cost import Cost
from lpc_core.run_group import RunGroup

CRASH_WINDOW_S = 60.0
_WISHES = (Speed, View, Play, Pause)  # what a reader has set that goes along when a run changes its process


@dataclass(frozen=True)
class SessionHandle:
    """A session: ``id`` for the server's own use, ``token`` for its page alone."""

    id: str
    token: str

    @classmethod
    def of(cls, token: str) -> SessionHandle:
        """The session that ``token`` opens: whoever has it can name the state file, and nobody can go the other way."""
        return cls(hashlib.sha256(token.encode()).hexdigest()[:32], token)


class Outlet(Protocol):
    """A page's end of the line. Called from any thread; must not wait."""

    def put(self, slot: str, raw: bytes) -> None:
        """Send soon; a newer message in the same slot may take its place."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Hang up."""
        ...


@dataclass(eq=False)
class Session:
    """One reader's run. The hub's lock is held while it changes."""

    id: str  # like the token as in its `SessionHandle`
    token: str
    config: RunGroup  # the one asked for last
    opened: float
    seat: Seat | None = None  # none while its run is refused or stopped; `refusal` then says why
    refusal: str = ""
    cost: Cost | None = None
    running: RunGroup | None = None  # the one a worker said it runs
    ticket: int = 1
    since: int = 1  # the first ticket whose setup is the page's
    page: Outlet | None = None
    heard: float = 0.0  # when the page last spoke
    gone: float | None = None  # since when there is no page
    lost: bool = False  # it went without a goodbye, as one that sleeps does
    held: bool = False
    watchers: dict[Outlet, bool] = field(default_factory=dict)  # pages that see it too: whether they had its setup
    thumbs: bytes | None = None  # the pictures of its samples, once somebody has asked for them
    wishes: dict[Hashable, orders.Say] = field(default_factory=dict)
    frame: int = 0
    run: int = 0
    crashes: deque[float] = field(default_factory=deque)

    # ---- to its page -----------------------------------------------------------------------------------------------

    def tell(self, level: str, text: str, state: str) -> None:
        """One line for the reader."""
        if page := self.page:
            page.put(f"notice-{level}", frames.encode_notice(level, text, state=state))

    def audience(self, report: orders.OfRun) -> list[Outlet]:
        """The pages that ``report`` is for: its own, and those that watch. These see no frame before a setup."""
        setup, retold = isinstance(report, orders.Setup), isinstance(report, orders.Setup) and report.retold
        known = self.watchers.copy()
        if setup:
            self.watchers = dict.fromkeys(known, True)
        watching = [page for page, begun in known.items() if (not begun if retold else begun or setup)]
        return watching if retold or self.page is None else [self.page, *watching]

    # ---- to its worker ---------------------------------------------------------------------------------------------

    def order(self, order: orders.Order) -> None:
        """Pass ``order`` to the worker it has, if it has one."""
        if self.seat is not None:
            self.seat.put(order)

    def say(self, message: Control) -> None:
        """Pass on what the reader said, and keep what goes along when the run changes its process."""
        said = orders.Say(self.id, message)
        if isinstance(message, _WISHES):
            self.wishes[orders.key(said)] = said
        elif isinstance(message, Reset):  # plays
            self.wishes.pop((self.id, Play), None)
        self.order(said)

    def begin(self, moved: bool) -> None:
        """Open the run asked for in its seat, with what the reader had set; ``moved`` as in `orders.Open`."""
        self.order(orders.Open(self.id, self.config, self.ticket, False, self.frame, self.run, moved=moved))
        for wish in self.wishes.values():
            self.order(wish)
        self._order_presence()  # last: with nobody there, nothing moves before what was set is set again

    def reopen(self) -> None:
        """Open the run that was running from its state file, and then the one that was asked for."""
        config = self.running or self.config
        about_to_change = config != self.config
        self.order(orders.Open(self.id, config, self.ticket - about_to_change, True, self.frame, self.run))
        if about_to_change:
            self.order(orders.Configure(self.id, self.config, self.ticket))
        self._order_presence()

    def go_on(self, left: str) -> None:
        """Open the run asked for anew, from the state of the session ``left`` if it is the same run's."""
        self.ticket += 1
        self.since = self.ticket
        self.order(orders.Open(self.id, self.config, self.ticket, False, self.frame, self.run, left))

    def _order_presence(self) -> None:
        if self.page is not None:
            self.order(orders.Presence(self.id, here=True))
            if self.held:
                self.order(orders.Hold(self.id, held=True))

    # ---- from its worker -------------------------------------------------------------------------------------------

    def is_past(self, report: orders.OfRun) -> bool:
        """Whether it tells of a beginning that `go_on` has replaced."""
        return isinstance(report, orders.Setup) and report.ticket < self.since

    def note(self, report: orders.OfRun) -> str:
        """Remember what the report says; returns the slot of the line it is sent in."""
        match report:
            case orders.Setup(run=run, ticket=ticket):
                self.thumbs = self.thumbs if run == self.run else None
                self.run = run
                if ticket == self.ticket:
                    self.running = self.config
                return "setup"
            case orders.Frame(frame=frame):
                self.frame = frame
                return "frame"
            case orders.Notice(level=level, failed=failed):
                if failed == self.ticket and self.running is not None:
                    self.config = self.running
                return f"notice-{level}"
            case orders.Thumbs(raw=raw):
                self.thumbs = raw
        return "thumbs"

    def crashed(self) -> int:
        """Its worker ended while serving it: how often that happened within `CRASH_WINDOW_S`, this time counted."""
        now = time.monotonic()
        self.crashes.append(now)
        while now - self.crashes[0] > CRASH_WINDOW_S:
            self.crashes.popleft()
        return len(self.crashes)
