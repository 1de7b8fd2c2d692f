"""Hub: in the web process, who trains where: sessions, their tokens, their pages, and workers, replaced when they end.

Every method may be called from any thread and returns at once: one thread per worker reads, one writes, one keeps time.
"""

from __future__ import annotations

import contextlib
import hmac
import itertools
import logging
import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from app.live import admission, frames, orders, rooms
from app.live.messages import Control, Pause, Ping, Play, Reset, Speed, View
from app.live.processes import LocalWorker, MakeWorker, WorkerLink
from app.live.wire import Mailbag
from app.settings import Settings
from lpc_core.engine.cost import Cost, CostError, cost_of_group
from lpc_core.run_group import RunGroup

MAX_CRASHES, CRASH_WINDOW_S = 3, 60.0
BACK_OFF_S, MAX_BACK_OFF_S = 0.5, 30.0  # before the next try to start a worker; twice as long each time
CLOSE_REPLACED, CLOSE_GONE = 4409, 4408  # WebSocket close codes
_PATIENCE_S = 1.0  # for a worker to end by itself
_LEAVING_S = 30.0  # the same for one that has a run to put away first
SILENT_S = 5.0  # without a sign of life, until a worker counts as silent: they come once a second
START_S = 120.0  # the same for one that is starting
TURN_S, TURN_COSTS = 60.0, 20.0  # for one turn of its loop: so long, and so many times the longest piece of its runs
_NO_WORKER = "No training process can be started on this server; its log says why."
_WISHES = (Speed, View, Play, Pause)  # what a reader has set that goes along when a run changes its process

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
    config: RunGroup  # the one asked for last
    opened: float
    seat: _Seat | None = None  # none while its run is refused or stopped; `refusal` then says why
    refusal: str = ""
    cost: Cost | None = None
    running: RunGroup | None = None  # the one a worker said it runs
    ticket: int = 1
    page: Outlet | None = None
    heard: float = 0.0  # when the page last spoke
    gone: float | None = None  # since when there is no page
    lost: bool = False  # it went without a goodbye, as one that sleeps does
    held: bool = False
    wishes: dict[Hashable, orders.Say] = field(default_factory=dict)
    frame: int = 0
    run: int = 0
    crashes: deque[float] = field(default_factory=deque)


@dataclass(eq=False)
class _Seat:
    """A worker's place: when the worker ends, another one takes it."""

    link: WorkerLink
    heard: float  # when it last gave a sign of life
    own: bool = False  # one heavy run's, and ends with it
    bag: Mailbag = field(default_factory=lambda: Mailbag(orders.merge))
    ready: bool = False
    turned: float = 0.0  # when its loop last went round
    beat: orders.Beat = field(default_factory=lambda: orders.Beat(0, 0))
    hung: bool = False  # it was ended because it gave no sign of life
    failures: int = 0  # workers that ended before they were ready, one after the other
    replaced: bool = False  # the one before it ended, and it is not ready yet
    leaves: float | None = None  # it ends by itself until then
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def down(self) -> bool:
        """Whether workers keep ending before they are ready; tries go on."""
        return self.failures >= MAX_CRASHES

    def take(self, link: WorkerLink, now: float) -> Mailbag:
        """Seat another worker; returns what the one before it has not taken any more."""
        left, self.bag, self.link = self.bag, Mailbag(orders.merge), link
        self.heard, self.beat, self.hung = now, orders.Beat(0, 0), False
        return left


class Hub:
    """All sessions of this server. `start` it once, `stop` it once."""

    def __init__(self, settings: Settings | None = None, make_worker: MakeWorker | None = None,
                 estimate: Callable[[RunGroup], Cost] = cost_of_group) -> None:
        self.settings = settings or Settings()
        self._estimate = estimate
        numbers = itertools.count()
        self._make = make_worker or (
            lambda folder: LocalWorker(folder, device=self.settings.device, number=next(numbers)))
        self._lock = threading.RLock()
        self._sessions: dict[str, _Session] = {}
        self._seats: list[_Seat] = []
        self._spare: WorkerLink | None = None  # started and idle, to take the place of one that ends
        self._stopping = threading.Event()
        self._age = 0.0  # seconds this hub has been running: not those that the machine slept or the server was stopped
        self._clock = threading.Thread(target=self._keep_time, name="hub-clock", daemon=True)
        self.folder = Path()

    # ---- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the workers; they get ready in the background."""
        self.folder = rooms.folder("lab")
        for _ in range(self.settings.workers):
            self._add_seat(self._make(self.folder))
        self._clock.start()

    def _add_seat(self, link: WorkerLink, *, own: bool = False) -> _Seat:
        seat = _Seat(link, heard=self._age, own=own)
        self._seats.append(seat)
        self._spawn(self._tend, seat)
        self._staff(seat)
        return seat

    def stop(self) -> None:
        """End every session and worker and remove what they wrote. Safe to call twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with self._lock:
            pages = [session.page for session in self._sessions.values() if session.page]
            for id in self._sessions:
                admission.LEDGER.release(id)
            self._sessions.clear()
            seats = list(self._seats)
            for seat in seats:
                seat.bag.put("stop", orders.Stop())
        for page in pages:
            page.close(1001, "the server is stopping")
        deadline = time.monotonic() + _PATIENCE_S
        for seat in seats:
            seat.link.end(max(0.0, deadline - time.monotonic()))
            seat.bag.close()
        for seat in seats:
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
        """Workers that can train now, those of single heavy runs not counted."""
        return sum(seat.ready and seat.link.alive() and not self._is_silent(seat)
                   for seat in list(self._seats) if not seat.own)

    @property
    def session_count(self) -> int:
        """Sessions there are."""
        return len(self._sessions)

    def health(self) -> dict[str, Any]:
        """How the server is: "ok", "degraded" (some readers feel it), "starting", or "down" (no run can be trained).

        With counts: workers ready, workers of single heavy runs, silent workers, workers being replaced, sessions, and
        sessions whose runs cannot be saved.
        """
        seats, ready = list(self._seats), self.workers_ready
        silent, replaced = sum(map(self._is_silent, seats)), sum(seat.replaced for seat in seats)
        unsaved = sum(seat.beat.unsaved for seat in seats)
        trouble = bool(silent or replaced or unsaved)
        status = ("degraded" if trouble else "ok") if ready else ("down" if trouble else "starting")
        return {"status": status, "workers": ready, "own": sum(seat.own for seat in seats), "silent": silent,
                "replaced": replaced, "sessions": self.session_count, "unsaved": unsaved}

    # ---- what the views call ---------------------------------------------------------------------------------------

    def open(self, config: RunGroup) -> SessionHandle:
        """Begin a session. It loads at once, trains as soon as its page connects, and ends when no page does."""
        with self._lock:
            if self._stopping.is_set() or not self._shared():
                raise HubError(f"{_NO_WORKER} It goes on trying: come back in a minute.")
            if len(self._sessions) >= self.settings.max_sessions:
                raise HubError(f"All {self.settings.max_sessions} places of this server are taken. Close a tab you do "
                               "not need, or try again in a minute.")
            handle = SessionHandle(secrets.token_hex(8), secrets.token_urlsafe(32))
            session = _Session(handle, config, opened=self._age)
            self._sessions[handle.id] = session
            try:
                self._place(session, config)
            except CostError as error:
                session.refusal = str(error)
            return handle

    def configure(self, id: str, config: RunGroup) -> None:
        """Train ``config`` from now on. If it cannot be had, the page is told and the run before it goes on."""
        with self._lock:
            session = self._sessions.get(id)
            if session is None:
                raise HubError("This run has ended; open another.")
            try:
                self._place(session, config)
            except CostError as error:
                goes_on = "" if session.seat is None else " The run before it goes on."
                session.refusal = str(error)
                _tell(session, "error", str(error) + goes_on, "error")

    # ---- places --------------------------------------------------------------------------------------------------

    def _place(self, session: _Session, config: RunGroup) -> None:
        """Let the session train ``config`` where that may be; `CostError`, and nothing changes, where it may not."""
        id, before, cost = session.handle.id, session.seat, self._estimate(config)
        taken = sum(seat.own for seat in self._seats if seat is not before)
        own = admission.gets_own(cost, taken, self.settings)
        admission.check(id, cost, self.settings)
        stays = before is not None and before.own == own
        seat = before if before is not None and stays else self._own_seat() if own else self._emptiest()
        admission.LEDGER.hold(id, cost.memory + (admission.PROCESS_BYTES if own else 0))
        session.config, session.cost, session.refusal = config, cost, ""
        session.ticket += before is not None or session.run > 0
        if stays and not own:
            self._order(session, orders.Configure(id, config, session.ticket))
        else:
            self._move(session, seat)

    def _move(self, session: _Session, seat: _Seat) -> None:
        """Put away the run before, if there is one, and begin the new one in ``seat``: two heavy ones may not fit."""
        id, before = session.handle.id, session.seat
        if before is not None:
            self._order(session, orders.Leave(id))
        else:
            session.running = None
            session.crashes.clear()
        session.seat = seat
        if before is not None and before is not seat:
            self._retire(before, _LEAVING_S)
        self._order(session, orders.Open(id, session.config, session.ticket, False, session.frame, session.run))
        for wish in session.wishes.values():
            self._order(session, wish)
        self._order_presence(session)  # last: with nobody there, nothing moves before what was set is set again
        if seat.own:
            self._announce(session, "loading")

    def _shared(self) -> list[_Seat]:
        return [seat for seat in self._seats if not (seat.own or seat.down)]

    def _emptiest(self) -> _Seat:
        seats = self._shared()
        if not seats:
            raise CostError(_NO_WORKER)
        return min(seats, key=lambda seat: len(self._of(seat)))

    def _own_seat(self) -> _Seat:
        try:
            return self._add_seat(self._take_spare() or self._make(self.folder), own=True)
        except OSError as error:
            raise CostError(f"A training process for this run cannot be started ({error.strerror}); try again in a "
                            "minute.") from error

    def _retire(self, seat: _Seat, patience_s: float) -> None:
        """Let the worker of a heavy run that is over here end by itself; it is ended when it takes too long."""
        if seat.own:
            seat.leaves = self._age + patience_s
            seat.bag.put("stop", orders.Stop())

    def _announce(self, session: _Session, state: str) -> None:
        if session.cost is not None:
            _tell(session, "info", admission.announcement(session.cost), state)

    def alive(self, id: str) -> bool:
        """Whether the session still exists."""
        return id in self._sessions

    def config(self, id: str) -> RunGroup | None:
        """What the session trains (or is about to); None when it has ended."""
        session = self._sessions.get(id)
        return session.config if session else None

    def close(self, id: str) -> None:
        """End a session; unknown ids are ignored."""
        with self._lock:
            session = self._sessions.pop(id, None)
            if session is None:
                return
            admission.LEDGER.release(id)
            self._order(session, orders.Close(id))
            if session.seat is not None:
                self._retire(session.seat, _PATIENCE_S)
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
            session.heard, session.gone, session.held = self._age, None, False
            self._order(session, orders.Presence(session.handle.id, here=True))
            if session.seat is None:
                _tell(session, "error", session.refusal, "stopped")
            elif session.seat.own:
                self._announce(session, "loading" if session.running is None else "")
        if old is not None:
            old.close(CLOSE_REPLACED, "this run is shown in another tab now")
        return session.handle.id

    def say(self, id: str, message: Control) -> None:
        """Pass on what a page said."""
        with self._lock:
            session = self._sessions.get(id)
            if session is None:
                return
            session.heard = self._age
            if session.held:
                session.held = False
                self._order(session, orders.Hold(id, held=False))
            if isinstance(message, Ping):
                return
            said = orders.Say(id, message)
            if isinstance(message, _WISHES):
                session.wishes[orders.key(said)] = said
            elif isinstance(message, Reset):  # plays
                session.wishes.pop((id, Play), None)
            self._order(session, said)

    def disconnect(self, id: str, page: Outlet, *, lost: bool = False) -> None:
        """``page`` has gone: the run stands still, and ends if none comes in time; later if its line was only lost."""
        with self._lock:
            session = self._sessions.get(id)
            if session is not None and session.page is page:
                session.page, session.gone, session.lost = None, self._age, lost
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
        """Read a worker's reports; when it ends, put another in its place, unless nobody needs one there."""
        while not self._stopping.is_set():
            with contextlib.suppress(EOFError, OSError, ValueError):
                while True:
                    self._hear(seat, seat.link.receive())
            if seat.leaves is not None:
                self._dismiss(seat)
                return
            if not self._stopping.is_set():
                self._replace(seat)

    def _dismiss(self, seat: _Seat) -> None:
        seat.link.end(_PATIENCE_S)
        seat.bag.close()
        for thread in seat.threads:
            if thread is not threading.current_thread():
                thread.join(_PATIENCE_S)
        seat.link.close()
        with self._lock:
            self._seats.remove(seat)

    def _keep_time(self) -> None:
        """Everything that happens because time passes. Time in which this process did not run does not count."""
        tick = min(0.5, self.settings.heartbeat_s / 4, self.settings.worker_silent_s / 4)
        last = time.monotonic()
        while not self._stopping.wait(tick):
            now = time.monotonic()
            self._age += min(now - last, 4 * tick)
            last = now
            with self._lock:
                sessions, seats = list(self._sessions.values()), list(self._seats)
            for session in sessions:
                self._check_presence(session)
            for seat in seats:
                self._check_life(seat)
            self._check_folder()

    def _check_life(self, seat: _Seat) -> None:
        """End a worker that gives no sign of life, or does not leave when it should. Its reading thread sees to it."""
        if seat.leaves is not None:
            if self._age > seat.leaves:
                seat.link.end(0.0)
        elif not seat.hung and self._is_hung(seat):
            seat.hung = True
            _LOG.warning("a training process gave no sign of life for %.0f s and is ended", self._age - seat.heard)
            seat.link.end(0.0)

    def _is_silent(self, seat: _Seat) -> bool:
        return seat.ready and self._age - seat.heard > min(SILENT_S, self.settings.worker_silent_s)

    def _is_hung(self, seat: _Seat) -> bool:
        """Whether it said nothing for too long, or its loop stands still for longer than its runs can explain."""
        silence = self._age - seat.heard
        if not seat.ready:
            return silence > START_S
        with self._lock:
            longest = max((max(s.cost.step_s, s.cost.pause_s) for s in self._of(seat) if s.cost), default=0.0)
        return (silence > self.settings.worker_silent_s + longest  # a long call may keep Python's threads waiting
                or self._age - seat.turned > TURN_S + TURN_COSTS * longest)

    def _check_folder(self) -> None:
        """The folder of the state files comes back when someone has cleared it away."""
        with contextlib.suppress(OSError):  # it is there, or there is no room for it: then saving fails and is told
            self.folder.mkdir(mode=0o700)
            _LOG.warning("the folder %s of running sessions was gone and has been made again", self.folder)

    def _check_presence(self, session: _Session) -> None:
        limits, id, now = self.settings, session.handle.id, self._age
        with self._lock:
            if session.page is not None:
                silent = now - session.heard
                if silent > limits.heartbeat_s and not session.held:
                    session.held = True
                    self._order(session, orders.Hold(id, held=True))
                over = silent > limits.silent_s
            elif session.gone is not None:
                over = now - session.gone > (limits.silent_s if session.lost else limits.heartbeat_s)
            else:
                over = now - session.opened > limits.connect_s
        if over:
            self.close(id)

    # ---- reports ---------------------------------------------------------------------------------------------------

    def _hear(self, seat: _Seat, report: orders.Report) -> None:
        seat.heard = self._age
        if isinstance(report, orders.Ready):
            self._welcome(seat)
            return
        if isinstance(report, orders.Beat):
            if report.turns != seat.beat.turns:
                seat.turned = self._age
            seat.beat = report
            return
        with self._lock:
            session = self._sessions.get(report.id)
            if session is None or session.seat is not seat:
                return
            slot = _note(session, report)
            page = session.page
        if page is not None:
            page.put(slot, report.raw)
            if isinstance(report, orders.Setup) and seat.own:
                self._announce(session, "")

    def _welcome(self, seat: _Seat) -> None:
        """A worker is ready."""
        was_down, seat.ready, seat.replaced, seat.failures, seat.turned = seat.down, True, False, 0, self._age
        if was_down:
            _LOG.warning("a training process could be started again")
            self._tell_all(seat, "info", "The training process works again.", "restored")
        self._keep_spare()

    def _order(self, session: _Session, order: orders.Order) -> None:
        if session.seat is not None:
            session.seat.bag.put(orders.key(order), order)

    # ---- a worker has ended ------------------------------------------------------------------------------------------

    def _replace(self, seat: _Seat) -> None:
        """Start another worker and give it the sessions of the one that ended, from their state files."""
        old, was_ready = seat.link, seat.ready
        seat.ready, seat.replaced = False, True
        old.end(_PATIENCE_S)
        culprit = old.culprit()
        _LOG.warning("a training process ended while serving %s", culprit or "no session")
        what = "did not answer any more" if seat.hung else "stopped"
        self._tell_all(seat, "warning", f"The training process {what}; starting another…", "restarting")
        self._blame(seat, culprit)
        if not was_ready:
            self._back_off(seat)
        link = self._hire(seat)
        if link is None:
            return
        with self._lock:
            left = seat.take(link, self._age)
            for session in self._of(seat):
                self._reopen(session)
            for order in left.take(0):
                if isinstance(order, orders.Say) and order.id in self._sessions:
                    self._order(self._sessions[order.id], order)
        left.close()
        self._staff(seat)
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

    def _hire(self, seat: _Seat) -> WorkerLink | None:
        """The spare, or a new worker; when the system gives none, another try later. None when nobody needs one."""
        while seat.leaves is None and not self._stopping.is_set():
            spare = self._take_spare()
            if spare is not None:
                return spare
            try:
                return self._make(self.folder)
            except OSError as error:
                _LOG.error("a training process cannot be started: %s", error)
                self._back_off(seat)
        return None

    def _back_off(self, seat: _Seat) -> None:
        """A worker ended before it was ready: wait, longer each time."""
        seat.failures += 1
        if seat.failures == MAX_CRASHES:
            self._tell_all(seat, "error", f"{_NO_WORKER} It goes on trying.", "stopped")
            with self._lock:
                others = [other for other in self._shared() if other.ready]
                for session in self._of(seat) if others and not seat.own else ():
                    session.seat = min(others, key=lambda other: len(self._of(other)))
                    self._reopen(session)
        self._stopping.wait(min(MAX_BACK_OFF_S, BACK_OFF_S * 2 ** (seat.failures - 1)))

    def _blame(self, seat: _Seat, culprit: str) -> None:
        """Count the crash; a session that has too many is stopped."""
        with self._lock:
            session = self._sessions.get(culprit)
            if session is None or session.seat is not seat or len(_recent(session.crashes)) < MAX_CRASHES:
                return
            session.seat = None
            session.refusal = (f"This run ended the training process {MAX_CRASHES} times within a minute and was "
                               "stopped. Choose other settings.")
            admission.LEDGER.release(culprit)
            self._retire(seat, 0.0)
        with contextlib.suppress(OSError):
            (self.folder / f"{culprit}.safetensors").unlink(missing_ok=True)
        _tell(session, "error", session.refusal, "stopped")

    def _reopen(self, session: _Session) -> None:
        id, config = session.handle.id, session.running or session.config
        ticket = session.ticket
        if config != session.config:  # it was about to change
            ticket -= 1
        self._order(session, orders.Open(id, config, ticket, True, session.frame, session.run))
        if config != session.config:
            self._order(session, orders.Configure(id, session.config, session.ticket))
        self._order_presence(session)

    def _order_presence(self, session: _Session) -> None:
        id = session.handle.id
        if session.page is not None:
            self._order(session, orders.Presence(id, here=True))
            if session.held:
                self._order(session, orders.Hold(id, held=True))

    def _of(self, seat: _Seat) -> list[_Session]:
        return [session for session in self._sessions.values() if session.seat is seat]

    def _tell_all(self, seat: _Seat, level: str, text: str, state: str) -> None:
        with self._lock:
            sessions = self._of(seat)
        for session in sessions:
            _tell(session, level, text, state)


def _tell(session: _Session, level: str, text: str, state: str) -> None:
    page = session.page
    if page is not None:
        page.put(f"notice-{level}", frames.encode_notice(level, text, state=state))


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
