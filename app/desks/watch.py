"""Watch: what a job takes while it runs (memory of it and all it started, time, files), and its end if that is much.

Resident memory is what is watched. A limit on address space would not do: torch reserves gigabytes it never touches.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from pathlib import Path

from app.settings import Settings

LOOK_S = 0.1  # a process fills some 100 MB in that time
MEBI = 2**20


class Watch:
    """Looks after ``process``, whose files lie in ``folder``, in a thread of its own until `done`.

    It may take what ``settings`` say, and as long as the one of them called ``time_setting`` does.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, settings: Settings, advice: str,
                 time_setting: str = "job_s") -> None:
        self._hit, self._advice = "", advice
        self._process, self._folder, self._most, self._time_setting = process, folder, settings, time_setting
        self._before = written(folder)  # what earlier jobs left is not this one's
        self._seconds: float = getattr(settings, time_setting)
        self._deadline = time.monotonic() + self._seconds
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="watch", daemon=True)
        self._thread.start()

    def done(self) -> str:
        """The process has ended; if that was our doing, which limit it hit and what to do, else ""."""
        self._done.set()
        self._thread.join()
        return self._hit

    def _look_after(self) -> None:
        while not (self._hit or self._done.wait(LOOK_S)):
            self._look()
        if self._hit:
            end_group(self._process)

    def _look(self) -> None:
        most = self._most
        if resident(self._process.pid) > most.job_memory_mb * MEBI:
            self._exceeds("job_memory_mb", f"at most {most.job_memory_mb:,} MB of memory", "more")
        elif time.monotonic() > self._deadline:
            self._exceeds(self._time_setting, f"at most {self._seconds:g} s", "longer")
        elif written(self._folder) - self._before > most.job_files_mb * MEBI:
            self._exceeds("job_files_mb", f"at most {most.job_files_mb:,} MB of files", "more")

    def _exceeds(self, setting: str, limit: str, more: str) -> None:
        self._hit = (f"expected a job that takes {limit}, got one that takes {more}; {self._advice}, or ask whoever "
                     f"runs the server to raise LPC_{setting.upper()}")


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End ``process``, the first of a session of its own, and all it started."""
    with contextlib.suppress(OSError):  # it ended just now
        os.killpg(process.pid, 9)
    process.kill()


def resident(pid: int) -> int:
    """Bytes of memory that the process ``pid`` and all it started have in use; 0 for one that has ended."""
    if not Path("/proc/self/statm").exists():
        return _resident_by_ps(pid)
    total = 0
    with contextlib.suppress(OSError, ValueError):  # it ended while we looked
        total = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(resident(int(child)) for child in (task / "children").read_text("ascii").split())
    return total


def _resident_by_ps(group: int) -> int:
    """The same by the command ``ps``, for systems without /proc: of all processes of a group."""
    told = subprocess.run(["ps", "-A", "-o", "pgid=,rss="], capture_output=True, text=True, check=False).stdout
    rows = (line.split() for line in told.splitlines())
    return 1024 * sum(int(row[1]) for row in rows if len(row) == 2 and row[0] == str(group))


def written(folder: Path) -> int:
    """Bytes of all files in ``folder``; links are not followed."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # it went while we looked
                total += os.lstat(os.path.join(place, name)).st_size
    return total
