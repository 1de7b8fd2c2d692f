"""Keeping: when a run is written to its state file, and what its reader is told where that fails."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from pathlib import Path

from app.training import state_file

SAVE_EVERY_S, SAVE_AGAIN_S = 2.0, 60.0  # where it fails it is tried less and less often, down to the latter
SAVE_SHARE = 0.05  # of the time, at most, goes into state files


class Keeper:
    """The state file of one session. ``tell(level, text, state=…)`` reaches its reader."""

    def __init__(self, path: Path, tell: Callable[..., None]) -> None:
        self._path, self._tell = path, tell
        self.failures = 0  # times that the file could not be written, one after the other
        self.forget()

    def forget(self) -> None:
        """Another run begins, of which nothing is to be written yet."""
        self.changed, self._next = False, time.perf_counter() + SAVE_EVERY_S

    def remove(self) -> None:
        """Delete the file, if there is one; where its folder is gone, there is none."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self._path.unlink()

    def hurry(self) -> None:
        """What has changed is written at the next opportunity: the run stands still now, or may not go on."""
        if self.changed:
            self._next = -math.inf

    def wait(self, now: float) -> float:
        """Seconds until there is something to write; infinity when nothing has changed."""
        return self._next - now if self.changed else math.inf

    def save(self, make: Callable[[], state_file.Saved]) -> None:
        """Write what ``make`` gives. Where that fails, the reader is told once, and once when it works again."""
        begun, self.changed = time.perf_counter(), False
        try:
            state_file.write(self._path, make())
        except OSError as error:
            self.changed, self.failures = True, self.failures + 1
            if self.failures == 1:
                why = error.strerror or type(error).__name__
                self._tell("warning", f"This run cannot be saved at the moment ({why}). It goes on, but would start "
                           "again from its last saved step if the training process stopped.", state="unsaved")
        else:
            if self.failures:
                self.failures = 0
                self._tell("info", "This run is being saved again.", state="saved")
        end = time.perf_counter()
        pause = min(SAVE_AGAIN_S, SAVE_EVERY_S * 2 ** min(self.failures, 10))
        self._next = end + max(pause, (end - begun) / SAVE_SHARE)
