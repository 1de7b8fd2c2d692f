"""Mark: which session a worker is serving, in a file that outlives it, so that a crash can be laid at a run's door."""

from __future__ import annotations

import logging
import mmap
import platform
from pathlib import Path

_BYTES = 64

_LOG = logging.getLogger("app.training.worker")


def mark_name(pid: int) -> str:
    """The file's name: processes of several machines, which may have one number, can share a folder."""
    return f"{platform.node()}.{pid}.serving"


class Mark:
    """The file. Where it cannot be written (a full disk), a crash is nobody's until `mend` succeeds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._memory: mmap.mmap | None = None
        self.mend()

    def mend(self) -> None:
        """Write the file if there is none yet."""
        if self._memory is None:
            try:
                self._path.write_bytes(bytes(_BYTES))
                with self._path.open("r+b") as file:
                    self._memory = mmap.mmap(file.fileno(), _BYTES)
            except OSError as error:
                _LOG.debug("no mark: %s", error)

    def put(self, session: str) -> None:
        """Session ids are short ASCII."""
        if self._memory is not None:
            self._memory[:] = session.encode().ljust(_BYTES, b"\0")


def marked(path: Path) -> str:
    """The session a worker was serving when it ended; empty when it was none."""
    try:
        return path.read_bytes().rstrip(b"\0").decode()
    except (OSError, UnicodeDecodeError):
        return ""
