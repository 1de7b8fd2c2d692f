"""Crew: the workers of this server, each in its seat: started, listened to, replaced when they end, sent home.

One thread per worker reads and one writes. Whose runs the workers train is their owner's business (`Owner`, the hub).
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from app.live import orders
from app.live.processes import WorkerLink
from app.live.seats import MAX_FAILURES, Seat
from app.live.wire import Mailbag
from app.settings import Settings

BACK_OFF_S, MAX_BACK_OFF_S = 0.5, 30.0  # before the next try to start a worker; twice as long each time
PATIENCE_S = 1.0  # for a worker to end by itself
LEAVING_S = 30.0  # the same for one that has a run to put away first
NO_WORKER = "No training process can be started on this server; its log says why."

_LOG = logging.getLogger(__name__)


class Owner(Protocol):
    """Whoever has runs in the seats. Called from the crew's threads."""

    @property
    def age(self) -> float:
        """Seconds that the server has been running."""
        ...

    def hear(self, seat: Seat, report: orders.OfRun) -> None:
        """A worker reports something about a run."""
        ...

    def tell_all(self, seat: Seat, level: str, text: str, state: str) -> None:
        """Let all whose runs are in ``seat`` know."""
        ...

    def blame(self, seat: Seat, culprit: str) -> None:
        """The worker in ``seat`` ended while it served the session ``culprit``."""
        ...

    def reopen(self, seat: Seat, left: Iterable[orders.Order]) -> None:
        """Another worker sits in ``seat``: give it the runs again, and what the one before it had left."""
        ...

    def forsake(self, seat: Seat) -> None:
        """No worker can be had for ``seat``, though tries go on."""
        ...

    def longest_s(self, seat: Seat) -> float:
        """The longest piece of work, in seconds, of the runs in ``seat``."""
        ...


class Crew:
    """All seats of a server; those with `Seat.own` belong to one heavy run each. ``lock`` is the owner's."""

    def __init__(self, settings: Settings, make: Callable[[], WorkerLink], owner: Owner, lock: threading.RLock) -> None:
        self.seats: list[Seat] = []
        self.spare: WorkerLink | None = None  # started and idle, to take the place of one that ends
        self.make = make
        self._settings, self._owner, self._lock = settings, owner, lock
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start the shared workers; they get ready in the background."""
        for _ in range(self._settings.workers):
            self._add(self.make())

    def stop(self) -> None:
        """End all workers. Nothing is started any more."""
        self._stopping.set()
        with self._lock:
            seats = list(self.seats)
            for seat in seats:
                seat.put(orders.Stop())
        deadline = time.monotonic() + PATIENCE_S
        for seat in seats:
            seat.link.end(max(0.0, deadline - time.monotonic()))
            seat.bag.close()
        for seat in seats:
            for thread in seat.threads:
                thread.join(PATIENCE_S)
            seat.link.close()
        if self.spare is not None:
            self.spare.end(0.0)
            self.spare.close()

    # ---- seats -----------------------------------------------------------------------------------------------------

    def shared(self) -> list[Seat]:
        """The seats for runs that share a worker, as far as workers can be started there."""
        return [seat for seat in self.seats if not (seat.own or seat.down)]

    def silent(self, seat: Seat) -> bool:
        """Whether the worker in ``seat`` has not been heard for a while."""
        return seat.is_silent(self._owner.age, self._settings.worker_silent_s)

    def add_own(self) -> Seat:
        """A seat for one heavy run; `OSError` where no process can be started."""
        return self._add(self._take_spare() or self.make(), own=True)

    def retire(self, seat: Seat, patience_s: float) -> None:
        """Let the worker of a heavy run that is over here end by itself; it is ended when it takes too long."""
        if seat.own:
            seat.leaves = self._owner.age + patience_s
            seat.put(orders.Stop())

    def check(self, seat: Seat) -> None:
        """End a worker that gives no sign of life, or does not leave when it should. Its reading thread sees to it."""
        now = self._owner.age
        if seat.leaves is not None:
            if now > seat.leaves:
                seat.link.end(0.0)
        elif not seat.hung and seat.is_hung(now, self._settings.worker_silent_s, self._owner.longest_s(seat)):
            seat.hung = True
            _LOG.warning("a training process gave no sign of life for %.0f s and is ended", now - seat.heard)
            seat.link.end(0.0)

    def _add(self, link: WorkerLink, *, own: bool = False) -> Seat:
        seat = Seat(link, heard=self._owner.age, own=own)
        self.seats.append(seat)
        self._spawn(self._tend, seat)
        self._spawn(self._write, seat, seat.link, seat.bag)
        return seat

    # ---- threads ---------------------------------------------------------------------------------------------------

    def _spawn(self, target: Callable[..., None], seat: Seat, *args: object) -> None:
        thread = threading.Thread(target=target, args=(seat, *args), name=f"crew-{target.__name__}", daemon=True)
        seat.threads.append(thread)
        thread.start()

    def _write(self, seat: Seat, link: WorkerLink, bag: Mailbag) -> None:
        while not bag.closed:
            for order in bag.take():
                try:
                    link.send(order)
                except (OSError, ValueError):  # gone, or its pipe already closed; the reading thread notices too
                    return

    def _tend(self, seat: Seat) -> None:
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

    def _hear(self, seat: Seat, report: orders.Report) -> None:
        seat.heard = self._owner.age
        match report:
            case orders.Ready():
                self._welcome(seat)
            case orders.Beat():
                seat.feel(report, self._owner.age)
            case _:
                self._owner.hear(seat, report)

    def _welcome(self, seat: Seat) -> None:
        was_down = seat.down
        seat.welcome(self._owner.age)
        if was_down:
            _LOG.warning("a training process could be started again")
            self._owner.tell_all(seat, "info", "The training process works again.", "restored")
        self._keep_spare()

    def _dismiss(self, seat: Seat) -> None:
        seat.link.end(PATIENCE_S)
        seat.bag.close()
        for thread in seat.threads:
            if thread is not threading.current_thread():
                thread.join(PATIENCE_S)
        seat.link.close()
        with self._lock:
            self.seats.remove(seat)

    # ---- a worker has ended ----------------------------------------------------------------------------------------

    def _replace(self, seat: Seat) -> None:
        """Start another worker and let it have the runs of the one that ended, from their state files."""
        old, was_ready = seat.link, seat.ready
        seat.ready, seat.replaced = False, True
        old.end(PATIENCE_S)
        culprit = old.culprit()
        _LOG.warning("a training process ended while serving %s", culprit or "no session")
        what = "did not answer any more" if seat.hung else "stopped"
        self._owner.tell_all(seat, "warning", f"The training process {what}; starting another…", "restarting")
        self._owner.blame(seat, culprit)
        if not was_ready:
            self._back_off(seat)
        link = self._hire(seat)
        if link is None:
            return
        with self._lock:
            left = seat.take(link, self._owner.age)
            self._owner.reopen(seat, left.take(0))
        left.close()
        self._spawn(self._write, seat, seat.link, seat.bag)
        old.close()
        seat.threads = [thread for thread in seat.threads if thread.is_alive()]
        if self._stopping.is_set():
            link.end(0.0)

    def _keep_spare(self) -> None:
        """Have one worker started ahead: importing torch takes seconds that a crashed run should not wait."""
        with self._lock:
            if self._settings.spare and self.spare is None and not self._stopping.is_set():
                try:
                    self.spare = self.make()
                except OSError as error:  # those that are there can do without
                    _LOG.warning("no training process can be started ahead: %s", error)

    def _take_spare(self) -> WorkerLink | None:
        with self._lock:
            spare, self.spare = self.spare, None
        if spare is not None and not spare.alive():
            spare.close()
            return None
        return spare

    def _hire(self, seat: Seat) -> WorkerLink | None:
        """The spare, or a new worker; when the system gives none, another try later. None when nobody needs one."""
        while seat.leaves is None and not self._stopping.is_set():
            try:
                return self._take_spare() or self.make()
            except OSError as error:
                _LOG.error("a training process cannot be started: %s", error)
                self._back_off(seat)
        return None

    def _back_off(self, seat: Seat) -> None:
        """A worker ended before it was ready: wait, longer each time."""
        seat.failures += 1
        if seat.failures == MAX_FAILURES:
            self._owner.tell_all(seat, "error", f"{NO_WORKER} It goes on trying.", "stopped")
            self._owner.forsake(seat)
        self._stopping.wait(min(MAX_BACK_OFF_S, BACK_OFF_S * 2 ** min(seat.failures - 1, 10)))
