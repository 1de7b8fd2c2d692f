"""Mark: which session a worker is serving, in a file that outlives it, so that a crash can be laid at a run's door."""

from __future__ import annotations

import mmap
from pathlib import Path

_BYTES = 64


class Mark:
    """A file that says which session is being served; it outlives the process and so tells whose run ended it."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(_BYTES))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _BYTES)

    def put(self, session: str) -> None:
        """Session ids are short ASCII."""
        self._memory[:] = session.encode().ljust(_BYTES, b"\0")


def marked(path: Path) -> str:
    """The session a worker was serving when it ended; empty when it was none."""
    try:
        return path.read_bytes().rstrip(b"\0").decode()
    except (OSError, UnicodeDecodeError):
        return ""
