"""Films of the lab's tabs: recorded in a process of their own, kept in a private folder, read by whoever has the token.

A desk is one tab's place: at most one recording under way and one film. The film's file appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from app.live.processes import ROOT
from lpc_core.config import RunConfig
from lpc_core.film import MAX_BYTES, FilmError, check_size, open_film, parse_gammas, write_whole
from lpc_core.parsing import to_texts

RECORDINGS_AT_ONCE = 2  # of all tabs together; they share the machine with the live runs
GRACE_S = 120.0  # how long a film outlives its page, which may only have lost its connection for a moment
NICENESS = 10  # live runs go first


@dataclass(frozen=True)
class Wish:
    """What to record."""

    run: RunConfig
    gammas: str
    frames: int
    points: int

    def check(self) -> None:
        """Raise `FilmError` for what cannot be recorded, as far as that is known without the data."""
        parse_gammas(self.gammas)
        check_size(self.frames, self.points, self.run.steps)


@dataclass(frozen=True)
class Held:
    """The film on a desk."""

    token: str
    size: int  # bytes
    run: RunConfig


_desks: dict[str, FilmDesk] = {}
_lock = threading.Lock()


class FilmDesk:
    """One tab's recording and film. Threads: the tab's scripts, and one that listens to the recording process."""

    def __init__(self, device: str = "auto") -> None:
        self.id, self.device = secrets.token_hex(8), device
        self.held: Held | None = None
        self.error = ""
        self.share, self.what = 0.0, ""
        self.closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._leaving: threading.Timer | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="lpc-film-"))  # mode 0700
        with _lock:
            _desks[self.id] = self

    @property
    def recording(self) -> bool:
        """Whether a film is being recorded."""
        return self._process is not None

    @property
    def path(self) -> Path:
        """Where the film lies while there is one."""
        return self._folder / "film.safetensors"

    def record(self, wish: Wish) -> None:
        """Start recording; `FilmError` if that cannot be done."""
        wish.check()
        with _lock:
            busy = sum(desk.recording for desk in _desks.values())
            if self.recording or self.closed:
                return
            if busy >= RECORDINGS_AT_ONCE:
                raise FilmError(f"expected fewer than {RECORDINGS_AT_ONCE} films being recorded on this server, got "
                                f"{busy}; try again in a moment")
            self.error, self.share, self.what = "", 0.0, "starting"
            self._process = self._spawn(wish)
        threading.Thread(target=self._listen, args=(self._process, wish), name="film-desk", daemon=True).start()

    def _spawn(self, wish: Wish) -> subprocess.Popen[bytes]:
        settings = [f"{name}={text}" for name, text in to_texts(wish.run).items()]
        command = [sys.executable, "-m", "lpc_core", "film", *settings, f"--gammas={wish.gammas}", "--json",
                   f"--frames={wish.frames}", f"--points={wish.points}", f"--device={self.device}",
                   f"--out={self._fresh}"]
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        with self._complaints.open("wb") as complaints:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints,
                                       env=os.environ | {"PYTHONPATH": path}, start_new_session=True)
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        return process

    @property
    def _fresh(self) -> Path:
        return self._folder / "new.safetensors"

    @property
    def _complaints(self) -> Path:
        return self._folder / "errors.txt"

    def _listen(self, process: subprocess.Popen[bytes], wish: Wish) -> None:
        """Follow the recording to its end and take its film."""
        with process:
            for line in process.stdout or ():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    said = json.loads(line)
                    self.share, self.what = float(said["share"]), str(said["what"])
        with _lock:
            if self._process is not process:
                return  # cancelled
            self._process = None
        if process.returncode == 0:
            self._take(wish.run)
        else:
            self.error = self._complaint(process.returncode)

    def _take(self, run: RunConfig) -> None:
        try:
            os.replace(self._fresh, self.path)
            self.held = Held(secrets.token_urlsafe(32), self.path.stat().st_size, run)
        except OSError as error:
            self.error = f"The film could not be kept: {error.strerror}."

    def _complaint(self, code: int) -> str:
        with contextlib.suppress(OSError):
            lines = self._complaints.read_text("utf-8", "replace").strip().splitlines()
            if lines:
                return lines[-1].removeprefix("lpc: ")[:500]
        return f"The recording ended with status {code} before the film was finished; record it again."

    def cancel(self) -> None:
        """End the recording under way; the film before it stays."""
        with _lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
        for leftover in self._folder.glob("*new.safetensors*"):
            leftover.unlink(missing_ok=True)

    def adopt(self, raw: bytes) -> None:
        """Put a saved film on the desk; `FilmError` if it is not one."""
        film = open_film(raw)
        self.cancel()
        write_whole(self.path, raw)
        self.held, self.error = Held(secrets.token_urlsafe(32), len(raw), film.config), ""

    def keep(self) -> None:
        """The page is there (again)."""
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def leave(self) -> None:
        """The page is gone; unless it comes back, the film goes too."""
        self.keep()
        self._leaving = threading.Timer(GRACE_S, self.close)
        self._leaving.daemon = True
        self._leaving.start()

    def close(self) -> None:
        """End the recording and delete the film."""
        self.keep()
        with _lock:
            _desks.pop(self.id, None)
            self.closed, self.held = True, None
        self.cancel()
        shutil.rmtree(self._folder, ignore_errors=True)


def leave(desk: str) -> None:
    """The page of the desk with that id is gone."""
    with _lock:
        found = _desks.get(desk)
    if found is not None:
        found.leave()


def find(token: str) -> Path | None:
    """Where the film with this token lies; None for a token that opens nothing."""
    given = token.encode()
    with _lock:
        for desk in _desks.values():
            if desk.held is not None and secrets.compare_digest(desk.held.token.encode(), given):
                return desk.path
    return None


def close_all() -> None:
    """End all recordings and delete all films: the server stops."""
    with _lock:
        desks = list(_desks.values())
    for desk in desks:
        desk.close()


__all__ = ["MAX_BYTES", "FilmDesk", "FilmError", "Held", "Wish", "close_all", "find", "leave"]
