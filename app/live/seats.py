"""Seats: a worker's place in the crew: who sits there, what waits for it, and when it last gave a sign of life."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from app.live import orders
from app.live.processes import WorkerLink
from app.live.wire import Mailbag

MAX_FAILURES = 3  # workers that ended before they were ready, until their seat counts as down
SILENT_S = 5.0  # without a sign of life, until a worker counts as silent: they come once a second
START_S = 120.0  # the same for one that is starting
TURN_S, TURN_COSTS = 60.0, 20.0  # for one turn of its loop: so long, and so many times the longest piece of its runs


@dataclass(eq=False)
class Seat:
    """A worker's place: when the worker ends, another one takes it."""

    link: WorkerLink
    heard: float  # when it last gave a sign of life
    own: bool = False  # one heavy run's, and ends with it
    bag: Mailbag = field(default_factory=lambda: Mailbag(orders.merge))
    ready: bool = False
    turned: float = 0.0  # when its loop last went round
    beat: orders.Beat = field(default_factory=orders.Beat)
    hung: bool = False  # it was ended because it gave no sign of life
    failures: int = 0  # workers that ended before they were ready, one after the other
    replaced: bool = False  # the one before it ended, and it is not ready yet
    leaves: float | None = None  # it ends by itself until then
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def down(self) -> bool:
        """Whether workers keep ending before they are ready; tries go on."""
        return self.failures >= MAX_FAILURES

    def put(self, order: orders.Order) -> None:
        """Let the worker have ``order`` soon; a newer one of its kind may take its place."""
        self.bag.put(orders.key(order), order)

    def take(self, link: WorkerLink, now: float) -> Mailbag:
        """Seat another worker; returns what the one before it has not taken any more."""
        left, self.bag, self.link = self.bag, Mailbag(orders.merge), link
        self.heard, self.beat, self.hung = now, orders.Beat(), False
        return left

    def welcome(self, now: float) -> None:
        """Its worker is ready."""
        self.ready, self.replaced, self.failures, self.turned = True, False, 0, now

    def feel(self, beat: orders.Beat, now: float) -> None:
        """Its worker gave a sign of life."""
        if beat.turns != self.beat.turns:
            self.turned = now
        self.beat = beat

    def is_silent(self, now: float, patience_s: float) -> bool:
        """Whether nothing has been heard for a while."""
        return self.ready and now - self.heard > min(SILENT_S, patience_s)

    def is_hung(self, now: float, patience_s: float, longest_s: float) -> bool:
        """Whether it said nothing for too long, or its loop stands still for longer than its runs can explain.

        ``longest_s``: the longest piece of work of its runs, in which Python's threads may have to wait.
        """
        silence = now - self.heard
        if not self.ready:
            return silence > START_S
        return silence > patience_s + longest_s or now - self.turned > TURN_S + TURN_COSTS * longest_s
