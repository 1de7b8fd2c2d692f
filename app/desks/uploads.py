"""Uploads: files that a reader hands in, kept in a desk's private folder under names of ours."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.desks.jobs import JobRefused
from app.settings import from_env

BLOCK = 2**20
MOST_NAME = 120  # characters of a name on the disk
_ENDING = re.compile(r"(-\d{5}-of-\d{5}|\.[a-z]{1,12}\.index|\.pth)?\.[a-z0-9]{1,12}$")
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._()+,=@-]")
_CUT = re.compile(r"[^\w .()+,=@-]+")


@dataclass(frozen=True)
class Upload:
    """A file that was handed in."""

    name: str  # as its owner calls it, cut to what can be shown
    path: Path  # in the desk's folder, or a sample's; of a checkpoint in parts the folder they are in
    size: int  # bytes
    parts: tuple[str, ...] = ()  # names of its files where these are several


class Intake:
    """Takes files into ``folder``; whatever it refuses (`JobRefused`) leaves nothing there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._serials = itertools.count(1)

    def file(self, name: str, source: IO[bytes], kind: str) -> Upload:
        """Write ``source`` under a name of ours; of its own name only a usual ending is kept."""
        most = from_env().upload_mb
        if source.seek(0, os.SEEK_END) > most * BLOCK:
            raise JobRefused(f"expected a file of at most {most:,} MB, got {source.tell() / BLOCK:,.0f} MB; save "
                             "less in it, or ask whoever runs the server to raise LPC_UPLOAD_MB")
        source.seek(0)
        ending = _ENDING.search(name.lower())
        path = self._next(kind, ending[0] if ending else "")
        with _whole(path):
            return Upload(_shown(name), path, _written(path, source))

    def parts(self, files: Sequence[tuple[str, IO[bytes]]]) -> Upload:
        """Keep the files of a checkpoint in parts in a folder of their own, under safe forms of their names."""
        folder, names = self._next("upload"), [name for name, _ in files]
        safe = [_UNSAFE.sub("_", _shown(name)).lstrip(".")[-MOST_NAME:] or "file" for name in names]
        with _whole(folder):
            folder.mkdir(mode=0o700)
            if len(set(safe)) < len(safe):
                raise JobRefused("expected each file once, got one name twice; choose each part of a checkpoint once")
            size = sum(_written(folder / name, source) for name, (_, source) in zip(safe, files, strict=True))
        return Upload(f"{_shown(names[0])} and {len(names) - 1} more", folder, size,
                      tuple(_shown(name) for name in names))

    def pictures(self, files: Sequence[tuple[str, IO[bytes]]], most_bytes: int) -> Upload:
        """Pack the pictures among (folder/class/picture, file) into one archive."""
        from lpc_core.checkpoint import pictures

        path = self._next("data", ".zip")
        inside = {name.partition("/")[2]: file for name, file in files}  # a picture at the top has no class
        with _whole(path):
            total = sum(file.seek(0, os.SEEK_END) for file in inside.values())
            if total > most_bytes:
                raise JobRefused(f"expected a folder of at most {most_bytes:,} bytes, got {total:,}; choose fewer "
                                 "pictures, or smaller ones")
            for file in inside.values():
                file.seek(0)
            if not pictures.pack({name: file.read for name, file in inside.items()}, path):
                raise JobRefused("expected a folder with one folder of pictures per class, got one without any; "
                                 f"{pictures.SORT}")
        return Upload(_shown(files[0][0].partition("/")[0]), path, path.stat().st_size)

    def forget(self, upload: Upload | None) -> None:
        """Delete what was handed in; a sample of the lab's own stays."""
        if upload is not None and upload.path.parent == self.folder:
            _remove(upload.path)

    def _next(self, kind: str, ending: str = "") -> Path:
        return self.folder / f"{kind}-{next(self._serials)}{ending}"


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Refuse (`JobRefused`) what cannot be written to ``path``, where then nothing is left."""
    try:
        yield
    except (ValueError, ImportError, OSError) as error:
        _remove(path)
        why = (f"expected to write the file to the server's disk, got: {error.strerror}; try again later"
               if isinstance(error, OSError) else str(error))
        raise JobRefused(why) from None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _written(path: Path, source: IO[bytes]) -> int:
    """Write ``source`` to a new file that nobody else may read; how many bytes that were."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(source, file, BLOCK)
        return file.tell()


def _shown(name: str) -> str:
    """The name without folders and without what could not be shown in one line."""
    return _CUT.sub("_", Path(name.replace("\\", "/")).name)[:120] or "file"
