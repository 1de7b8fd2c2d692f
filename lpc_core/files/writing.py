"""Writing: a file appears whole or not at all, whatever ends the process that writes it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write_whole(path: Path, raw: bytes) -> None:
    """Write to a temporary file beside ``path``, then rename: never half a file."""
    with whole(path) as temporary:
        temporary.write_bytes(raw)


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` to write to; it takes that name when the block ends well, and goes if not.

    Its own name ends in the number of the process that writes it and ``.new``. Only the file's owner may read it.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=f".{os.getpid()}.new")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
