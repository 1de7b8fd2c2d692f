"""Hub: in the web process, who trains where: sessions, their tokens, their pages, and workers, replaced when they end.

Every method may be called from any thread and returns at once: one thread per worker reads, one writes, one keeps time.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.live import frames, orders, rooms
from app.live.messages import Control, Ping
from app.live.processes import LocalWorker, MakeWorker, WorkerLink
from app.live.wire import Mailbag
from app.settings import Settings
from lpc_core.comparison import Comparison
from lpc_core.config import RunConfig

MAX_CRASHES, CRASH_WINDOW_S = 3, 60.0
CLOSE_REPLACED, CLOSE_GONE = 4409, 4408  # WebSocket close codes
_PATIENCE_S = 1.0  # for a worker to end by itself

_LOG = logging.getLogger(__name__)
_current: Hub | None = None


class HubError(RuntimeError):
    """What was asked for cannot be done; the message is for the reader."""


@dataclass(frozen=True)
class SessionHandle:
    """A session: ``id`` for the server's own use, ``token`` for its page alone."""

    id: str
    token: str


class Outlet(Protocol):
    """A page's end of the line. Called from any thread; must not wait."""

    def put(self, slot: str, raw: bytes) -> None:
        """Send soon; a newer message in the same slot may take its place."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Hang up."""
        ...


@dataclass(eq=False)
class _Session:
    handle: SessionHandle
    seat: _Seat
    config: RunConfig | Comparison  # the one asked for last
    opened: float
    running: RunConfig | Comparison | None = None  # the one a worker said it runs
    ticket: int = 1
    page: Outlet | None = None
    heard: float = 0.0  # when the page last spoke
    gone: float | None = None  # since when there is no page
    held: bool = False
    stopped: bool = False  # it ended its worker too often
    frame: int = 0
    run: int = 0
    crashes: deque[float] = field(default_factory=deque)


@dataclass(eq=False)
class _Seat:
    """A worker's place: when the worker ends, another one takes it."""

    link: WorkerLink
    bag: Mailbag = field(default_factory=lambda: Mailbag(orders.merge))
    ready: bool = False
    lost: bool = False  # workers end here before they are ready; nobody is seated any more
    crashes: deque[float] = field(default_factory=deque)
    threads: list[threading.Thread] = field(default_factory=list)


class Hub:
    """All sessions of this server. `start` it once, `stop` it once."""

    def __init__(self, settings: Settings | None = None, make_worker: MakeWorker | None = None) -> None:
        self.settings = settings or Settings()
        self._make = make_worker or (lambda folder: LocalWorker(folder, device=self.settings.device))
        self._lock = threading.RLock()
        self._sessions: dict[str, _Session] = {}
        self._seats: list[_Seat] = []
        self._spare: WorkerLink | None = None  # started and idle, to take the place of one that ends
        self._stopping = threading.Event()
        self._clock = threading.Thread(target=self._keep_time, name="hub-clock", daemon=True)
        self.folder = Path()

    # ---- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the workers; they get ready in the background."""
        self.folder = rooms.folder("lab")
        for _ in range(self.settings.workers):
            seat = _Seat(self._make(self.folder))
            self._seats.append(seat)
            self._spawn(self._tend, seat)
            self._staff(seat)
        self._clock.start()

    def stop(self) -> None:
        """End every session and worker and remove what they wrote. Safe to call twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with self._lock:
            pages = [session.page for session in self._sessions.values() if session.page]
            self._sessions.clear()
            for seat in self._seats:
                seat.bag.put("stop", orders.Stop())
        for page in pages:
            page.close(1001, "the server is stopping")
        deadline = time.monotonic() + _PATIENCE_S
        for seat in self._seats:
            seat.link.end(max(0.0, deadline - time.monotonic()))
            seat.bag.close()
        for seat in self._seats:
            for thread in seat.threads:
                thread.join(_PATIENCE_S)
            seat.link.close()
        if self._clock.is_alive():
            self._clock.join(_PATIENCE_S)
        if self._spare is not None:
            self._spare.end(0.0)
            self._spare.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def workers_ready(self) -> int:
        """Workers that can train now."""
        return sum(seat.ready and seat.link.alive() for seat in self._seats)

    @property
    def session_count(self) -> int:
        """Sessions there are."""
        return len(self._sessions)

    # ---- what the views call ---------------------------------------------------------------------------------------

    def open(self, config: RunConfig | Comparison) -> SessionHandle:
        """Begin a session. It loads at once, trains as soon as its page connects, and ends when no page does."""
        with self._lock:
            seats = [seat for seat in self._seats if not seat.lost]
            if self._stopping.is_set() or not seats:
                raise HubError("No training process can be started on this server; its log says why.")
            if len(self._sessions) >= self.settings.max_sessions:
                raise HubError(f"All {self.settings.max_sessions} places of this server are taken. Close a tab you do "
                               "not need, or try again in a minute.")
            load = {id(seat): 0 for seat in seats}
            for session in self._sessions.values():
                load[id(session.seat)] = load.get(id(session.seat), 0) + 1
            seat = min(seats, key=lambda seat: load[id(seat)])
            handle = SessionHandle(secrets.token_hex(8), secrets.token_urlsafe(32))
            session = _Session(handle, seat, config, opened=time.monotonic())
            self._sessions[handle.id] = session
            self._order(session, orders.Open(handle.id, config, session.ticket))
            return handle

    def configure(self, id: str, config: RunConfig | Comparison) -> None:
        """Train ``config`` from now on. If it cannot be had, the page is told and the run before it goes on."""
        with self._lock:
            session = self._sessions.get(id)
            if session is None:
                raise HubError("This run has ended; open another.")
            session.config = config
            session.ticket += 1
            if session.stopped:
                session.stopped, session.running = False, None
                session.crashes.clear()
                self._reopen(session)
            else:
                self._order(session, orders.Configure(id, config, session.ticket))

    def alive(self, id: str) -> bool:
        """Whether the session still exists."""
        return id in self._sessions

    def config(self, id: str) -> RunConfig | Comparison | None:
        """What the session trains (or is about to); None when it has ended."""
        session = self._sessions.get(id)
        return session.config if session else None

    def close(self, id: str) -> None:
        """End a session; unknown ids are ignored."""
        with self._lock:
            session = self._sessions.pop(id, None)
            if session is None:
                return
            self._order(session, orders.Close(id))
            page, session.page = session.page, None
        if page is not None:
            page.close(CLOSE_GONE, "this run has ended")

    # ---- what the pages call -----------------------------------------------------------------------------------------

    def connect(self, token: str, page: Outlet) -> str | None:
        """The id of the session that ``token`` opens, now shown on ``page`` alone; None for a wrong token."""
        with self._lock:
            session = next((s for s in self._sessions.values() if _same(s.handle.token, token)), None)
            if session is None:
                return None
            old, session.page = session.page, page
            session.heard, session.gone, session.held = time.monotonic(), None, False
            self._order(session, orders.Presence(session.handle.id, here=True))
        if old is not None:
            old.close(CLOSE_REPLACED, "this run is shown in another tab now")
        return session.handle.id

    def say(self, id: str, message: Control) -> None:
        """Pass on what a page said."""
        with self._lock:
            session = self._sessions.get(id)
            if session is None:
                return
            session.heard = time.monotonic()
            if session.held:
                session.held = False
                self._order(session, orders.Hold(id, held=False))
            if not isinstance(message, Ping):
                self._order(session, orders.Say(id, message))

    def disconnect(self, id: str, page: Outlet) -> None:
        """``page`` has gone: the run stands still, and ends if none comes in time."""
        with self._lock:
            session = self._sessions.get(id)
            if session is not None and session.page is page:
                session.page, session.gone = None, time.monotonic()
                self._order(session, orders.Presence(id, here=False))

    # ---- threads -------------------------------------------------------------------------------------------------

    def _spawn(self, target: Callable[..., None], seat: _Seat, *args: object) -> None:
        thread = threading.Thread(target=target, args=(seat, *args), name=f"hub-{target.__name__}", daemon=True)
        seat.threads.append(thread)
        thread.start()

    def _staff(self, seat: _Seat) -> None:
        self._spawn(self._write, seat, seat.link, seat.bag)

    def _write(self, seat: _Seat, link: WorkerLink, bag: Mailbag) -> None:
        while not bag.closed:
            for order in bag.take():
                try:
                    link.send(order)
                except (OSError, ValueError):  # gone, or its pipe already closed; the reading thread notices too
                    return

    def _tend(self, seat: _Seat) -> None:
        """Read a worker's reports; when it ends, put another in its place."""
        while not (self._stopping.is_set() or seat.lost):
            with contextlib.suppress(EOFError, OSError, ValueError):
                while True:
                    self._hear(seat, seat.link.receive())
            if not self._stopping.is_set():
                self._replace(seat)

    def _keep_time(self) -> None:
        tick = min(0.5, self.settings.heartbeat_s / 4)
        while not self._stopping.wait(tick):
            now = time.monotonic()
            with self._lock:
                sessions = list(self._sessions.values())
            for session in sessions:
                self._check_presence(session, now)

    def _check_presence(self, session: _Session, now: float) -> None:
        limits, id = self.settings, session.handle.id
        with self._lock:
            if session.page is not None:
                silent = now - session.heard
                if silent > limits.heartbeat_s and not session.held:
                    session.held = True
                    self._order(session, orders.Hold(id, held=True))
                over = silent > limits.silent_s
            elif session.gone is not None:
                over = now - session.gone > limits.heartbeat_s
            else:
                over = now - session.opened > limits.connect_s
        if over:
            self.close(id)

    # ---- reports ---------------------------------------------------------------------------------------------------

    def _hear(self, seat: _Seat, report: orders.Report) -> None:
        if isinstance(report, orders.Ready):
            seat.ready = True
            self._keep_spare()
            return
        with self._lock:
            session = self._sessions.get(report.id)
            if session is None or session.seat is not seat:
                return
            slot = _note(session, report)
            page = session.page
        if page is not None:
            page.put(slot, report.raw)

    def _order(self, session: _Session, order: orders.Order) -> None:
        if not session.stopped:
            session.seat.bag.put(orders.key(order), order)

    # ---- a worker has ended ------------------------------------------------------------------------------------------

    def _replace(self, seat: _Seat) -> None:
        """Start another worker and give it the sessions of the one that ended, from their state files."""
        old, was_ready = seat.link, seat.ready
        seat.ready = False
        old.end(_PATIENCE_S)
        culprit = old.culprit()
        _LOG.warning("a training process ended while serving %s", culprit or "no session")
        self._tell_all(seat, "warning", "The training process stopped; starting another…", "restarting")
        if self._hopeless(seat, was_ready):
            return
        link, bag = self._take_spare() or self._make(self.folder), Mailbag(orders.merge)
        with self._lock:
            left, seat.bag, seat.link = seat.bag, bag, link
            stopped = self._blame(seat, culprit)
            for session in self._of(seat):
                self._reopen(session)
            for order in left.take(0):
                if isinstance(order, orders.Say) and order.id in self._sessions:
                    self._order(self._sessions[order.id], order)
        left.close()
        self._staff(seat)
        if stopped is not None and stopped.page is not None:
            text = (f"This run ended the training process {MAX_CRASHES} times within a minute and was stopped. "
                    "Choose other settings.")
            stopped.page.put("notice-error", frames.encode_notice("error", text, state="stopped"))
        old.close()
        seat.threads = [thread for thread in seat.threads if thread.is_alive()]
        if self._stopping.is_set():
            link.end(0.0)

    def _keep_spare(self) -> None:
        """Have one worker started ahead: importing torch takes seconds that a crashed run should not wait."""
        with self._lock:
            if self.settings.spare and self._spare is None and not self._stopping.is_set():
                self._spare = self._make(self.folder)

    def _take_spare(self) -> WorkerLink | None:
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None and not spare.alive():
            spare.close()
            return None
        return spare

    def _hopeless(self, seat: _Seat, was_ready: bool) -> bool:
        """Whether workers keep ending before they are ready; then this seat is given up."""
        if was_ready:
            return False
        if len(_recent(seat.crashes)) < MAX_CRASHES:
            self._stopping.wait(0.5)
            return self._stopping.is_set()
        seat.lost = True
        self._tell_all(seat, "error", "No training process can be started on this server; its log says why.", "stopped")
        with self._lock:
            for session in self._of(seat):
                del self._sessions[session.handle.id]
        return True

    def _blame(self, seat: _Seat, culprit: str) -> _Session | None:
        """Count the crash; the session that now is stopped for it, if any."""
        session = self._sessions.get(culprit)
        if session is None or session.seat is not seat or len(_recent(session.crashes)) < MAX_CRASHES:
            return None
        session.stopped = True
        (self.folder / f"{culprit}.safetensors").unlink(missing_ok=True)
        return session

    def _reopen(self, session: _Session) -> None:
        if session.stopped:
            return
        id, config = session.handle.id, session.running or session.config
        ticket = session.ticket
        if config != session.config:  # it was about to change
            ticket -= 1
        self._order(session, orders.Open(id, config, ticket, True, session.frame, session.run))
        if config != session.config:
            self._order(session, orders.Configure(id, session.config, session.ticket))
        if session.page is not None:
            self._order(session, orders.Presence(id, here=True))
            if session.held:
                self._order(session, orders.Hold(id, held=True))

    def _of(self, seat: _Seat) -> list[_Session]:
        return [session for session in self._sessions.values() if session.seat is seat]

    def _tell_all(self, seat: _Seat, level: str, text: str, state: str) -> None:
        raw = frames.encode_notice(level, text, state=state)
        with self._lock:
            pages = [session.page for session in self._of(seat)]
        for page in pages:
            if page is not None:
                page.put(f"notice-{level}", raw)


def _recent(times: deque[float]) -> deque[float]:
    """Add this moment to ``times`` and forget those before the crash window."""
    now = time.monotonic()
    times.append(now)
    while now - times[0] > CRASH_WINDOW_S:
        times.popleft()
    return times


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode())


def _note(session: _Session, report: orders.Report) -> str:
    """Remember what the report says of its session; the slot it is sent in."""
    match report:
        case orders.Setup(run=run, ticket=ticket):
            session.run = run
            if ticket == session.ticket:
                session.running = session.config
            return "setup"
        case orders.Frame(frame=frame):
            session.frame = frame
            return "frame"
        case orders.Notice(level=level, failed=failed):
            if failed == session.ticket and session.running is not None:
                session.config = session.running
            return f"notice-{level}"
    return "thumbs"


def install(hub: Hub | None) -> None:
    """Make ``hub`` this process's (None: there is none any more)."""
    global _current  # noqa: PLW0603 - one server, one hub
    _current = hub


def current() -> Hub:
    """The hub of this process, for the views' script threads; raises `HubError` outside the server."""
    if _current is None:
        raise HubError("expected the lab's own server, got a plain `streamlit run app/main.py`; "
                       "start it with `python -m app`")
    return _current
