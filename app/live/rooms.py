"""Rooms: the server's private folders among the temporary files, and the end of those that a dead server left.

A server holds a lock on the file ``lpc-alive-ID`` as long as it lives, however it ends; its folders are called
``lpc-desk-ID-…`` and ``lpc-lab-ID-…``. Whoever gets that lock knows that the folders are nobody's any more. What
readers handed in lies in "desk" and goes at once; states of runs in "lab" may wait for the next server for a while.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import re
import secrets
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_ROOM = re.compile(r"lpc-(?:desk|lab)-([0-9a-f]{16})-\w+")
_STATE = ".safetensors"  # what `state_file` writes
_own: dict[Path, tuple[str, int]] = {}  # where this process has folders: its id there, and the locked descriptor
_lock = threading.Lock()


def folder(kind: str) -> Path:
    """A new folder of this server that only its user can open (0700); ``kind`` is "desk" or "lab"."""
    place = Path(tempfile.gettempdir())
    with _lock:
        if place not in _own:
            server = secrets.token_hex(8)
            descriptor = os.open(_alive(place, server), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # not inherited by the processes we start
            _own[place] = server, descriptor
            atexit.register(_end, place)
        server = _own[place][0]
    return Path(tempfile.mkdtemp(prefix=f"lpc-{kind}-{server}-", dir=place))


def _end(place: Path) -> None:
    """Let go of the lock: the server ends in good order. What it left, if anything, is found by it."""
    server, descriptor = _own.pop(place)
    with contextlib.suppress(FileNotFoundError):  # the place is gone itself
        _forget(place, server)
    os.utime(descriptor)
    os.close(descriptor)


def sweep(keep_s: float = 0.0) -> None:
    """Remove what dead servers of this user left; states of runs stay for ``keep_s`` after a server's last sweep."""
    for _, descriptor in list(_own.values()):
        os.utime(descriptor)
    place = Path(tempfile.gettempdir())
    for server in {found[1] for path in place.iterdir() if (found := _ROOM.fullmatch(path.name))}:
        _clear(place, server, keep_s)


def clear(room: Path, keep_s: float = 0.0, patience_s: float = 2.0) -> None:
    """The same for the server that ``room`` belongs to alone, if that is dead or ends within ``patience_s``."""
    found = _ROOM.fullmatch(room.name)
    deadline = time.monotonic() + patience_s
    while found and not _clear(room.parent, found[1], keep_s) and time.monotonic() < deadline:
        time.sleep(0.05)


def leave(room: Path) -> None:
    """Remove all of ``room`` but the states of runs in it, and the folder itself where there is none."""
    for path in room.glob("*"):
        if path.suffix != _STATE or path.name.startswith("."):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it has something in it
        room.rmdir()


def claim(session: str, room: Path) -> bool:
    """Move the state of ``session`` from where a server that has ended left it to ``room``; whether there was one.

    Whoever knows a session's name may have it once. (A living server's worker would write it anew.)
    """
    for path in room.parent.glob(f"lpc-lab-*/{session}{_STATE}"):
        if path.parent != room and _is_ours(path.parent):
            with contextlib.suppress(OSError):  # somebody else was quicker
                path.replace(room / path.name)
                return True
    return False


def _alive(place: Path, server: str) -> Path:
    return place / f"lpc-alive-{server}"


def _clear(place: Path, server: str, keep_s: float) -> bool:
    """Remove the folders of ``server`` unless it lives; False if it does. States that may be kept stay.

    Where there is no lock of our user's nothing is known, so nothing is removed.
    """
    try:
        descriptor = os.open(_alive(place, server), os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        status = os.fstat(descriptor)
        if status.st_uid == os.getuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(place, server, keeps=time.time() - status.st_mtime < keep_s)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)


def _remove(place: Path, server: str, *, keeps: bool) -> None:
    for path in _rooms(place, server):
        if keeps and path.name.startswith("lpc-lab-"):
            leave(path)
        else:
            shutil.rmtree(path, ignore_errors=True)  # links in it are removed, not followed
    _forget(place, server)


def _forget(place: Path, server: str) -> None:
    """Nothing tells of ``server`` any more, unless it left something."""
    if next(_rooms(place, server), None) is None:
        _alive(place, server).unlink(missing_ok=True)


def _rooms(place: Path, server: str) -> Iterator[Path]:
    """The folders of ``server`` that are this user's."""
    for path in place.iterdir():
        found = _ROOM.fullmatch(path.name)
        if found and found[1] == server and _is_ours(path):
            yield path


def _is_ours(path: Path) -> bool:
    """Whether this is a folder (no link to one) of our user's that nobody else can open."""
    try:
        status = path.lstat()
    except FileNotFoundError:  # somebody cleared it meanwhile
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) == 0o700
