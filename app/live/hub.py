"""Hub: in the web process, who trains where: sessions, their tokens, their pages, and the seats they have in the crew.

Every method may be called from any thread and returns at once; a thread keeps time.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from app.live import admission, orders, rooms
from app.live.crew import LEAVING_S, NO_WORKER, PATIENCE_S, Crew
from app.live.line import Line
from app.live.makers import maker
from app.live.messages import Control, Ping, Thumbs
from app.live.processes import MakeWorker
from app.live.seats import Seat
from app.live.sessions import Outlet, Session, SessionHandle
from app.one import One
from app.settings import Settings
from lpc_core.config import ConfigError
from lpc_core.engine.cost import Cost, CostError, cost_of_group
from lpc_core.run_group import RunGroup

MAX_CRASHES = 3  # of a run within `sessions.CRASH_WINDOW_S`, until it is stopped
CLOSE_REPLACED, CLOSE_GONE = 4409, 4408  # WebSocket close codes

_LOG = logging.getLogger(__name__)


class HubError(RuntimeError):
    """What was asked for cannot be done; the message is for the reader."""


class Full(HubError):
    """All places are taken, or will be by those who came first; ``place`` is the asker's in the line, from 1."""

    def __init__(self, places: int, place: int) -> None:
        super().__init__(f"All {places} places of this server are taken. Close a tab you do not need, or try again in "
                         "a minute.")
        self.places, self.place = places, place


class Hub:
    """All sessions of this server. `start` it once, `stop` it once."""

    def __init__(self, settings: Settings | None = None, make_worker: MakeWorker | None = None,
                 estimate: Callable[[RunGroup], Cost] = cost_of_group) -> None:
        self.settings = settings or Settings()
        self._estimate = estimate
        make = make_worker or maker(self.settings)
        self.folder = Path()
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._line = Line()
        self.crew = Crew(self.settings, lambda: make(self.folder), self, self._lock)
        self._stopping = threading.Event()
        self.age = 0.0  # seconds this hub has been running: not those that the machine slept or the server was stopped
        self._clock = threading.Thread(target=self._keep_time, name="hub-clock", daemon=True)

    # ---- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the workers; they get ready in the background."""
        self.folder = rooms.folder("lab")
        self.crew.start()
        self._clock.start()

    def stop(self, *, keep: bool = False) -> None:
        """End every session and worker and remove what they wrote; ``keep`` their states. Safe to call twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with self._lock:
            pages = [session.page for session in self._sessions.values() if session.page]
            for id in self._sessions:
                admission.LEDGER.release(id)
            self._sessions.clear()
        for page in pages:
            page.close(1001, "the server is stopping")
        self.crew.stop()
        if self._clock.is_alive():
            self._clock.join(PATIENCE_S)
        if keep:
            rooms.leave(self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def workers_ready(self) -> int:
        """Workers that can train now, those of single heavy runs not counted."""
        return sum(seat.ready and seat.link.alive() and not self.crew.silent(seat)
                   for seat in list(self.crew.seats) if not seat.own)

    def health(self) -> dict[str, Any]:
        """How the server is: "ok", "degraded" (some readers feel it), "starting", or "down" (no run can be trained).

        With counts: workers ready, workers of single heavy runs, silent workers, workers being replaced, sessions, and
        sessions whose runs cannot be saved.
        """
        seats, ready = list(self.crew.seats), self.workers_ready
        silent, replaced = sum(map(self.crew.silent, seats)), sum(seat.replaced for seat in seats)
        unsaved = sum(seat.beat.unsaved for seat in seats)
        trouble = bool(silent or replaced or unsaved)
        status = ("degraded" if trouble else "ok") if ready else ("down" if trouble else "starting")
        return {"status": status, "workers": ready, "own": sum(seat.own for seat in seats), "silent": silent,
                "replaced": replaced, "sessions": len(self._sessions), "unsaved": unsaved}

    # ---- what the views call ---------------------------------------------------------------------------------------

    def open(self, config: RunGroup, ticket: str = "") -> SessionHandle:
        """Begin a session. It loads at once, trains as soon as its page connects, and ends when no page does.

        `Full` where there is no place; who gives a ``ticket`` then waits in line, as long as they ask again.
        """
        with self._lock:
            if self._stopping.is_set() or not self.crew.shared():
                raise HubError(f"{NO_WORKER} It goes on trying: come back in a minute.")
            ahead = self._line.ahead(ticket, self.age)
            if len(self._sessions) + ahead >= self.settings.max_sessions:
                self._line.wait(ticket, self.age)
                raise Full(self.settings.max_sessions, ahead + 1)
            self._line.leave(ticket)
            handle = SessionHandle.of(secrets.token_urlsafe(32))
            session = Session(handle.id, handle.token, config, opened=self.age)
            self._sessions[handle.id] = session
            try:
                self._place(session, config)
            except (ConfigError, CostError) as error:
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
            except (ConfigError, CostError) as error:
                session.refusal = told = str(error)
                if session.seat is not None:
                    told = f"{told.rstrip('.')}. The run before it goes on."
                session.tell("error", told, "error")

    # ---- places --------------------------------------------------------------------------------------------------

    def _place(self, session: Session, config: RunGroup) -> None:
        """Let the session train ``config`` where that may be; raises, and changes nothing, where it may not."""
        id, before, cost = session.id, session.seat, self._estimate(config)
        taken = sum(seat.own for seat in self.crew.seats if seat is not before)
        own = admission.gets_own(cost, taken, self.settings)
        admission.check(id, cost, self.settings)
        stays = before is not None and before.own == own
        seat = before if before is not None and stays else self._own_seat() if own else self._emptiest()
        admission.LEDGER.hold(id, cost.memory + (admission.PROCESS_BYTES if own else 0))
        session.config, session.cost, session.refusal = config, cost, ""
        session.ticket += before is not None or session.run > 0
        if stays and not own:
            session.order(orders.Configure(id, config, session.ticket))
        else:
            self._move(session, seat)

    def _move(self, session: Session, seat: Seat) -> None:
        """Put away the run before, if there is one, and begin the new one in ``seat``: two heavy ones may not fit."""
        id, before = session.id, session.seat
        if before is not None:
            session.order(orders.Leave(id))
        else:
            session.running = None
            session.crashes.clear()
        session.seat = seat
        if moved := before is not None and before is not seat:
            self.crew.retire(before, LEAVING_S)
        session.begin(moved)
        if seat.own:
            self._announce(session, "loading")

    def _emptiest(self) -> Seat:
        seats = self.crew.shared()
        if not seats:
            raise CostError(NO_WORKER)
        return min(seats, key=lambda seat: len(self._of(seat)))

    def _own_seat(self) -> Seat:
        try:
            return self.crew.add_own()
        except OSError as error:
            raise CostError(f"A training process for this run cannot be started ({error.strerror}); try again in a "
                            "minute.") from error

    def _announce(self, session: Session, state: str) -> None:
        if session.cost is not None:
            session.tell("info", f"This run is heavy: {session.cost}. It trains in a process of its own, so that "
                         "others need not wait for it.", state)

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
            session.order(orders.Close(id))
            if session.seat is not None:
                self.crew.retire(session.seat, PATIENCE_S)
            page, session.page = session.page, None
        if page is not None:
            page.close(CLOSE_GONE, "this run has ended")

    # ---- what the pages call -----------------------------------------------------------------------------------------

    def connect(self, token: str, page: Outlet, before: str = "") -> str | None:
        """The id of the session that ``token`` opens, now shown on ``page`` alone; None for a wrong token.

        ``before`` opened the page's run on a server that has ended: where its state is left, the run goes on from it.
        """
        with self._lock:
            session = self._opened_by(token)
            if session is None:
                return None
            old, session.page = session.page, page
            session.heard, session.gone, session.held = self.age, None, False
            left = SessionHandle.of(before).id if before else ""
            if left and session.seat is not None and rooms.claim(left, self.folder):
                session.go_on(left)
            session.order(orders.Presence(session.id, here=True))
            if session.seat is None:
                session.tell("error", session.refusal, "stopped")
            elif session.seat.own:
                self._announce(session, "loading" if session.running is None else "")
        if old is not None:
            old.close(CLOSE_REPLACED, "this run is shown in another tab now")
        return session.id

    def find(self, token: str) -> str | None:
        """The id of the session that ``token`` opens; None for a wrong token."""
        with self._lock:
            session = self._opened_by(token)
            return session.id if session else None

    def _opened_by(self, token: str) -> Session | None:
        given = token.encode()
        return next((s for s in self._sessions.values() if hmac.compare_digest(s.token.encode(), given)), None)

    def watch(self, id: str, page: Outlet) -> None:
        """Let ``page`` see the session as its own page does, as long as both last; it has no say in it."""
        with self._lock:
            if session := self._sessions.get(id):
                session.watchers[page] = False
                session.order(orders.Retell(id))

    def send_thumbs(self, id: str, page: Outlet) -> None:
        """Let ``page``, which watches, have the pictures of the samples: the run makes them once for all."""
        with self._lock:
            session = self._sessions.get(id)
            if session is not None and session.thumbs is not None:
                page.put("thumbs", session.thumbs)
            elif session is not None:
                session.order(orders.Say(id, Thumbs(type="thumbs")))

    def unwatch(self, id: str, page: Outlet) -> None:
        """``page`` watches no more."""
        with self._lock:
            if session := self._sessions.get(id):
                session.watchers.pop(page, None)

    def say(self, id: str, message: Control) -> None:
        """Pass on what a page said."""
        with self._lock:
            session = self._sessions.get(id)
            if session is None:
                return
            session.heard = self.age
            if session.held:
                session.held = False
                session.order(orders.Hold(id, held=False))
            if not isinstance(message, Ping):
                session.say(message)

    def disconnect(self, id: str, page: Outlet, *, lost: bool = False) -> None:
        """``page`` has gone: the run stands still, and ends if none comes in time; later if its line was only lost."""
        with self._lock:
            if (session := self._sessions.get(id)) and session.page is page:
                session.page, session.gone, session.lost = None, self.age, lost
                session.order(orders.Presence(id, here=False))

    # ---- time ----------------------------------------------------------------------------------------------------

    def _keep_time(self) -> None:
        """Everything that happens because time passes. Time in which this process did not run does not count."""
        tick = min(0.5, self.settings.heartbeat_s / 4, self.settings.worker_silent_s / 4)
        last = time.monotonic()
        while not self._stopping.wait(tick):
            now = time.monotonic()
            self.age += min(now - last, 4 * tick)
            last = now
            with self._lock:
                sessions, seats = list(self._sessions.values()), list(self.crew.seats)
            for session in sessions:
                self._check_presence(session)
            for seat in seats:
                self.crew.check(seat)
            with contextlib.suppress(OSError):  # it is there, or there is no room for it: then saving fails and is told
                self.folder.mkdir(mode=0o700)  # of the state files: it comes back when someone has cleared it away
                _LOG.warning("the folder %s of running sessions was gone and has been made again", self.folder)

    def _check_presence(self, session: Session) -> None:
        limits, id, now = self.settings, session.id, self.age
        with self._lock:
            if session.page is not None:
                silent = now - session.heard
                if silent > limits.heartbeat_s and not session.held:
                    session.held = True
                    session.order(orders.Hold(id, held=True))
                over = silent > limits.silent_s
            elif session.gone is not None:
                over = now - session.gone > (limits.silent_s if session.lost else limits.heartbeat_s)
            else:
                over = now - session.opened > limits.connect_s
        if over:
            self.close(id)

    # ---- what the crew calls -------------------------------------------------------------------------------------

    def hear(self, seat: Seat, report: orders.OfRun) -> None:
        """Pass on what a worker reports of a run, and remember it."""
        with self._lock:
            session = self._sessions.get(report.id)
            if session is None or session.seat is not seat or session.is_past(report):
                return
            slot, pages = session.note(report), session.audience(report)
        for page in pages:
            page.put(slot, report.raw)
        if isinstance(report, orders.Setup) and seat.own:
            self._announce(session, "")

    def longest_s(self, seat: Seat) -> float:
        """The longest piece of work of the runs in ``seat``, as estimated."""
        with self._lock:
            return max((max(s.cost.step_s, s.cost.pause_s) for s in self._of(seat) if s.cost), default=0.0)

    def forsake(self, seat: Seat) -> None:
        """Give the runs of a seat that has no worker to another one, where there is one."""
        with self._lock:
            others = [other for other in self.crew.shared() if other.ready]
            for session in self._of(seat) if others and not seat.own else ():
                session.seat = min(others, key=lambda other: len(self._of(other)))
                session.reopen()

    def blame(self, seat: Seat, culprit: str) -> None:
        """Count the crash; a session that has too many is stopped."""
        with self._lock:
            session = self._sessions.get(culprit)
            if session is None or session.seat is not seat or session.crashed() < MAX_CRASHES:
                return
            session.seat = None
            session.refusal = (f"This run ended the training process {MAX_CRASHES} times within a minute and was "
                               "stopped. Choose other settings.")
            admission.LEDGER.release(culprit)
            self.crew.retire(seat, 0.0)
        with contextlib.suppress(OSError):
            (self.folder / f"{culprit}.safetensors").unlink(missing_ok=True)
        session.tell("error", session.refusal, "stopped")

    def reopen(self, seat: Seat, left: Iterable[orders.Order]) -> None:
        """Give another worker in ``seat`` its runs, from their state files, and what was said to the one before it."""
        with self._lock:
            for session in self._of(seat):
                session.reopen()
            for order in left:
                if isinstance(order, orders.Say) and order.id in self._sessions:
                    self._sessions[order.id].order(order)

    def tell_all(self, seat: Seat, level: str, text: str, state: str) -> None:
        """A line for the readers of all runs in ``seat``."""
        with self._lock:
            sessions = self._of(seat)
        for session in sessions:
            session.tell(level, text, state)

    def _of(self, seat: Seat) -> list[Session]:
        return [session for session in self._sessions.values() if session.seat is seat]


_ONE: One[Hub] = One(HubError)
install, current = _ONE.install, _ONE.current
