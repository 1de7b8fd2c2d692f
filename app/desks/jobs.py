"""Jobs: one command of the library at a time for a tab, in a process of its own, with a private folder for its files.

A `Desk` is one tab's place for one kind of job. The command prints a JSON object per line; whatever it prints reaches
`Desk.said`. Files of the folder leave the server only by an unguessable token (`Desk.publish`, `find`).
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import secrets
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any, ClassVar

from app.desks import spares
from app.desks.watch import Watch, end_group
from app.live import admission, rooms
from app.settings import from_env
from lpc_core.engine.cost import Cost

GRACE_S = 120.0  # how long a desk outlives its page, which may only have lost its connection for a moment
MAKING_S = 60.0  # how long a page waits for a file that is still being made
MAX_COMPLAINT = 500  # characters of a failed command's last line that a page shows
NO_PROCESS = "expected a process for the job, got none ({}); try again in a minute"

_LOG = logging.getLogger("app.desks.jobs")
_desks: dict[str, Desk] = {}
_lock = threading.Lock()


class JobRefused(ValueError):
    """A job that cannot be started now, or a wish that cannot be followed; the message says why and what to do."""


class Desk:
    """One tab's command under way and its files. Threads: the tab's scripts, and one that listens to the process."""

    at_once: ClassVar[int] = 2  # jobs of this kind, all tabs together; they share the machine with the live runs
    noun: ClassVar[str] = "jobs"  # what `at_once` counts, for the message
    time_setting: ClassVar[str] = "job_s"  # of `Settings`: how long one may take
    advice: ClassVar[str] = "ask for less"  # to whoever hits a limit

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self.error = ""
        self.share, self.what = 0.0, ""  # of the job under way, as its command reports them
        self.closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._leaving: threading.Timer | None = None
        self._published: dict[str, tuple[Path, Future[None] | None]] = {}
        self.folder = rooms.folder("desk")
        self._complaints = self.folder / "errors.txt"
        self._fresh = self.folder / "new.safetensors"  # what a command makes; half-written files are called "…new.…"
        with _lock:
            _desks[self.id] = self

    # ---- what a kind of job adds -------------------------------------------------------------------------------------

    def said(self, line: dict[str, Any]) -> None:
        """The command printed ``line``. Called from the listening thread."""
        with contextlib.suppress(KeyError, TypeError, ValueError):  # a line that is not about progress
            self.share, self.what = float(line["share"]), str(line["what"])

    def finished(self) -> None:
        """The command ended well. Called from the listening thread."""

    # ---- the command -------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a command is under way."""
        return self._process is not None

    def start(self, command: Sequence[str], module: str = "lpc_core", begin: Callable[[], None] = lambda: None) -> None:
        """Run ``lpc``, or another ``module``, with the arguments ``command``; nothing if one is running.

        `JobRefused` if the server is busy. If it is not, ``begin`` is called before the command can say anything.
        """
        with _lock:
            busy = sum(desk.running for desk in _desks.values() if type(desk) is type(self))
            if self.running or self.closed:
                return
            if busy >= self.at_once:
                raise JobRefused(f"expected fewer than {self.at_once} {self.noun} on this server, got {busy}; "
                                 "try again in a moment")
            process = self._spawn(command, module)
            self.error, self.share, self.what = "", 0.0, "starting"
            begin()
            self._process = process
        watch = Watch(process, self.folder, from_env(), self.advice, self.time_setting)
        threading.Thread(target=self._listen, args=(process, watch), name="desk", daemon=True).start()

    def train(self, command: Sequence[str], cost: Cost, begin: Callable[[], None] = lambda: None) -> None:
        """`start` for what trains, and takes ``cost`` meanwhile; `CostError` where that is not to be had."""
        admission.check(self.id, cost, from_env())
        self.start(command, begin=begin)
        admission.LEDGER.hold(self.id, cost.memory, lambda: self.running)

    def _spawn(self, command: Sequence[str], module: str) -> subprocess.Popen[bytes]:
        try:
            with self._complaints.open("wb") as complaints:
                return (spares.take(module, command, self._complaints)
                        or spares.spawn(module, command, stderr=complaints))
        except OSError as error:
            raise JobRefused(NO_PROCESS.format(error.strerror)) from None

    def _listen(self, process: subprocess.Popen[bytes], watch: Watch) -> None:
        """Follow the command to its end."""
        with process:
            for raw in process.stdout or ():
                with contextlib.suppress(ValueError):  # a library's own chatter
                    line = json.loads(raw)
                    if isinstance(line, dict) and self._process is process:
                        self.said(line)
        hit = watch.done()
        if process.returncode == 0 and self._process is process:
            self.finished()
        failure = process.returncode and (hit or self._complaint(process.returncode))
        with _lock:
            if self._process is process:  # and not cancelled
                self.error = failure or self.error
                self._process = None  # last: who sees that nothing runs sees what came of it

    def _complaint(self, code: int) -> str:
        words = ""
        with contextlib.suppress(OSError):
            words = self._complaints.read_text("utf-8", "replace")
        return complaint(code, words, self.advice)

    def cancel(self) -> None:
        """End the command under way, and all it started; what was there before it stays."""
        with _lock:
            process, self._process = self._process, None
        if process is not None and process.returncode is None:  # else its number may be another's by now
            end_group(process)
        for leftover in self.folder.glob("*new.*"):
            leftover.unlink(missing_ok=True)

    # ---- files -------------------------------------------------------------------------------------------------------

    def publish(self, path: Path, made: Future[None] | None = None) -> str:
        """A token that opens ``path`` (in this desk's folder) until the desk is closed or the path published again.

        With ``made`` it does so once that is done.
        """
        token = secrets.token_urlsafe(32)
        with _lock:
            kept = {known: file for known, file in self._published.items() if file[0] != path}
            self._published = kept | {token: (path, made)}
        return token

    # ---- coming and going --------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """The page is there (again)."""
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def leave(self) -> None:
        """The page is gone; unless it comes back, its files go too."""
        self.keep()
        self._leaving = threading.Timer(GRACE_S, self.close)
        self._leaving.daemon = True
        self._leaving.start()

    def close(self) -> None:
        """End the command and delete all files."""
        self.keep()
        with _lock:
            _desks.pop(self.id, None)
            self.closed, self._published = True, {}
        self.cancel()
        shutil.rmtree(self.folder, ignore_errors=True)


_FLAW = re.compile(r"^(\w+\.)*\w+(Error|Exception): ", re.MULTILINE)  # a traceback's last line, whatever was cut off


def complaint(code: int, words: str, advice: str) -> str:
    """What a page says of a command that failed. Its own words, if it refused; a flaw's are for the log."""
    words = words.strip()
    if code == -9:
        return f"The system ended the job, most likely because the machine's memory ran out; {advice}."
    if "MemoryError" in words:
        return f"The machine's memory did not suffice for the job; {advice}."
    if code < 0 or "Traceback (most recent call last)" in words or _FLAW.search(words):
        _LOG.error("a job ended with status %s: %s", code, words)
        return "Something unexpected ended the job; the server's log says what."
    if words:
        return words.splitlines()[-1].removeprefix("lpc: ")[:MAX_COMPLAINT]
    return f"The job ended with status {code} before it was done; start it again."


def do(module: str, arguments: Sequence[str], folder: Path, advice: str) -> str:
    """Run ``python -m module arguments``, which writes to ``folder``, to its end; what went wrong, or "".

    For what is short, and not worth a desk. How many run at a time is the caller's business.
    """
    try:
        process = spares.spawn(module, arguments, stderr=subprocess.PIPE)
    except OSError as error:
        return NO_PROCESS.format(error.strerror)
    watch = Watch(process, folder, from_env(), advice)
    words, hit = process.communicate()[1], watch.done()
    if process.returncode == 0:
        return ""
    return hit or complaint(process.returncode, words.decode("utf-8", "replace"), advice)


def known(desk: str) -> Desk | None:
    """The desk with that id, which only its page and the page's link know; None for one that is no more."""
    with _lock:
        return _desks.get(desk)


def leave(desk: str) -> None:
    """The page of the desk with that id is gone."""
    if found := known(desk):
        found.leave()


def find(token: str) -> Path | None:
    """Where the file with this token lies; None for a token that opens nothing. Waits while the file is being made."""
    given = token.encode()
    with _lock:
        files = [item for desk in _desks.values() for item in desk._published.items()]
    for known, (path, made) in files:
        if secrets.compare_digest(known.encode(), given):
            return path if made is None or _succeeds(made) else None
    return None


def _succeeds(made: Future[None]) -> bool:
    """Whether the file is there in the end; half of one, on a full disk, is none."""
    try:
        error = made.exception(MAKING_S)
    except (TimeoutError, CancelledError):
        return False
    if error is not None:
        _LOG.warning("a file for a page could not be made", exc_info=error)
    return error is None


def close_all() -> None:
    """End all jobs and delete all their files: the server stops."""
    with _lock:
        desks = list(_desks.values())
    for desk in desks:
        desk.close()
    spares.end_all()
