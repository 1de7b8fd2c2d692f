"""Rooms: the server's private folders among the temporary files, and the end of those that a dead server left.

A server holds a lock on the file ``lpc-alive-ID`` as long as it lives, however it ends; its folders are called
``lpc-desk-ID-…`` and ``lpc-lab-ID-…``. Whoever gets that lock knows that the folders are nobody's any more.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import re
import secrets
import shutil
import stat
import tempfile
import threading
import time
from pathlib import Path

_ROOM = re.compile(r"lpc-(?:desk|lab)-([0-9a-f]{16})-\w+")
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
    """Let go of the lock: the server ends in good order, and its folders have been removed."""
    server, descriptor = _own.pop(place)
    _alive(place, server).unlink(missing_ok=True)
    os.close(descriptor)


def sweep() -> None:
    """Remove the folders that dead servers of this user left."""
    place = Path(tempfile.gettempdir())
    for server in {found[1] for path in place.iterdir() if (found := _ROOM.fullmatch(path.name))}:
        _clear(place, server)


def clear(room: Path, patience_s: float = 2.0) -> None:
    """Remove all folders of the server that ``room`` belongs to, if that is dead or ends within ``patience_s``."""
    found = _ROOM.fullmatch(room.name)
    deadline = time.monotonic() + patience_s
    while found and not _clear(room.parent, found[1]) and time.monotonic() < deadline:
        time.sleep(0.05)


def _alive(place: Path, server: str) -> Path:
    return place / f"lpc-alive-{server}"


def _clear(place: Path, server: str) -> bool:
    """Remove the folders of ``server`` unless it lives; False if it does.

    Where there is no lock of our user's nothing is known, so nothing is removed.
    """
    try:
        descriptor = os.open(_alive(place, server), os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        if os.fstat(descriptor).st_uid == os.getuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(place, server)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)


def _remove(place: Path, server: str) -> None:
    for path in place.iterdir():
        found = _ROOM.fullmatch(path.name)
        if found and found[1] == server and _is_ours(path):
            shutil.rmtree(path, ignore_errors=True)  # links in it are removed, not followed
    _alive(place, server).unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    """Whether this is a folder (no link to one) of our user's that nobody else can open."""
    status = path.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) == 0o700
