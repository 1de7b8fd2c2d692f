"""Waiting for what must happen. A test never says how fast: it waits for the event, and gives up only on a hang."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

PATIENCE_S = 120.0  # far more than anything here takes, also on a machine that has other things to do


def looks(seconds: float = PATIENCE_S, pause: Callable[[float], object] = time.sleep, every: float = 0.02,
          ) -> Iterator[None]:
    """One turn for each look at what is waited for, with a ``pause`` between them; ends when patience does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        pause(every)


def until(fits: Callable[[], object], seconds: float = PATIENCE_S,
          told: Callable[[], object] = lambda: "it did not happen") -> None:
    """Return when ``fits()``; when patience ends before, fail with what ``told()`` says."""
    for _ in looks(seconds):
        if fits():
            return
    raise AssertionError(f"waited {seconds:.0f} s: {told()}")


class Hurried:
    """For ``time`` in a module under test: its clock goes a hundred times as fast."""

    @staticmethod
    def monotonic() -> float:
        return 100 * time.monotonic()


class Stopwatch:
    """For what must take at least so long; that it may take longer is the machine's affair."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun
