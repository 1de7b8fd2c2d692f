"""Delivery: the frames of one session on their way to its page: which are under way, and when the next is due."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from app.live.pacing import frame_interval, metrics_interval, usual

WINDOW = 2  # frames under way to a page that have not been acknowledged


class Delivery:
    """Counts frames, and spaces them by what they cost."""

    def __init__(self, frame: int) -> None:
        self.frame = frame  # number of the last one
        # of the last frames with and without metrics, in seconds; until there are two of a kind it costs 0
        self._times = {measured: deque([0.0], maxlen=5) for measured in (False, True)}
        self._unacked: deque[int] = deque()
        self.restart()

    def restart(self) -> None:
        """Another run begins: all of it is news."""
        now = time.perf_counter()
        self._drawn_step, self._next, self._next_metrics = -1, now, now
        self._dirty = self._measure = True

    def greet(self) -> None:
        """A page has connected that acknowledges nothing sent before."""
        self._unacked.clear()

    def touch(self) -> None:
        """Something besides the step has changed, so that a frame is owed."""
        self._dirty = True

    def measure_next(self) -> None:
        """The same, and the next frame brings metrics."""
        self._dirty = self._measure = True

    def acknowledge(self, frame: int) -> None:
        """The page has drawn ``frame`` and all before it."""
        while self._unacked and self._unacked[0] <= frame:
            self._unacked.popleft()

    def wants(self, step: int) -> bool:
        """Whether there is news at ``step``, and the page can take one more frame."""
        return (self._dirty or step != self._drawn_step) and len(self._unacked) < WINDOW

    def wait(self, now: float) -> float:
        """Seconds until the next frame may go."""
        return self._next - now

    def number(self) -> int:
        """The number of a frame that is sent now."""
        self.frame += 1
        self._unacked.append(self.frame)
        return self.frame

    def send(self, step: int, look: Callable[[bool], None], post: Callable[[], None], active: int) -> None:
        """Look (with metrics when they are due) and post the frame of ``step``; one of ``active`` runs."""
        begun = time.perf_counter()
        interval = frame_interval(active * usual(self._times[False]))
        measure = self._measure or begun >= self._next_metrics
        look(measure)
        post()
        self._dirty, self._drawn_step = False, step
        self._next = max(self._next + interval, begun + interval / 2)  # keeps the rate
        if measure:
            self._measure = False
            self._next_metrics = begun + metrics_interval(active * usual(self._times[True]))
        self._times[measure].append(time.perf_counter() - begun)
