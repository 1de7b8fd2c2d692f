"""Pacing: how many steps a run may take now, how fast it goes, and how often its frames may be built."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

SLICE_S = 0.008  # one turn of one run
WAKES_PER_S = 60.0  # a run that is held to a speed is woken for several steps at once, which costs as much as for one
FRAMES_PER_S = 30.0
MIN_FRAMES_PER_S = 5.0
METRICS_PER_S = 6.0
FRAME_SHARE, FRAME_SHARE_LIMIT = 0.35, 0.7  # of the worker's time: wanted, and at most for 5 frames/s
METRICS_SHARE = 0.15
UNLIMITED_STEPS = 1_000_000


class StepBudget:
    """A token bucket: ``rate`` steps per second, never more than a quarter second's worth at once; 0 is no limit."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate, self._tokens, self._at = rate, 1.0, now

    def set_rate(self, rate: float, now: float) -> None:
        """Aim at another speed from now on."""
        self.rate, self._tokens, self._at = rate, min(self._tokens, 1.0), now

    def allowance(self, now: float) -> int:
        """Whole steps that may be taken now."""
        if self.rate == 0:
            return UNLIMITED_STEPS
        room = max(1.0, self.rate / 4)
        self._tokens = min(room, self._tokens + (now - self._at) * self.rate)
        self._at = now
        return int(self._tokens + 1e-9)

    def spend(self, steps: int) -> None:
        """Take ``steps`` out of the bucket."""
        if self.rate:
            self._tokens -= steps

    def wait(self, now: float) -> float:
        """Seconds until there are steps to be taken: one, or as many as come between two wakes."""
        self.allowance(now)
        wanted = max(1.0, self.rate / WAKES_PER_S)
        return 0.0 if self.rate == 0 else max(0.0, (wanted - self._tokens) / self.rate)


class RateMeter:
    """Steps per second, smoothed over about a second."""

    def __init__(self, now: float) -> None:
        self._since, self._steps, self.rate = now, 0, 0.0

    def add(self, steps: int, now: float) -> None:
        """Count ``steps`` taken by ``now``."""
        self._steps += steps
        span = now - self._since
        if span >= 0.25:
            fresh = self._steps / span
            keep = math.exp(-span) if self.rate else 0.0
            self.rate = keep * self.rate + (1 - keep) * fresh
            self._since, self._steps = now, 0

    def stop(self, now: float) -> None:
        """The run stands still."""
        self._since, self._steps, self.rate = now, 0, 0.0


def usual(times: Sequence[float]) -> float:
    """What something takes: the median of its last times, since a busy machine lengthens single ones a hundredfold.

    A mean would keep a run that once met one from getting frames, and so from better measurements.
    """
    return statistics.median_low(times)


def frame_interval(cost_of_all: float) -> float:
    """Seconds between two frames of one run, where a frame of every run costs ``cost_of_all`` seconds together.

    30 a second while frames take at most 35 % of the time; fewer after that, but not below 5 until they take 70 %.
    Among unequal runs each counts as if all were like it, so that one whose frames are dear gets fewer of them itself.
    """
    slowest = max(1 / MIN_FRAMES_PER_S, cost_of_all / FRAME_SHARE_LIMIT)
    return max(1 / FRAMES_PER_S, min(cost_of_all / FRAME_SHARE, slowest))


def metrics_interval(cost_of_all: float) -> float:
    """Seconds between two measurements of one run; 6 a second, fewer when they would take over 15 % of the time."""
    return max(1 / METRICS_PER_S, min(cost_of_all / METRICS_SHARE, 2.0))
