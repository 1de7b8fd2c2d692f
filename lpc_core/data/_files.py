"""Stored sets on disk: find their files, download what is missing, unpack an archive. Nothing half-written stays."""

from __future__ import annotations

import gzip
import math
import shutil
import tarfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from io import BufferedIOBase
from pathlib import Path
from urllib.parse import urlsplit

from lpc_core.data._base import DataError, data_root
from lpc_core.files.impostors import HEAD, named
from lpc_core.files.writing import whole
from lpc_core.progress import Progress

CONNECT_SECONDS, SILENCE_SECONDS = 10, 60  # give up when no connection, or no byte, comes for so long
CHUNK_BYTES = 2**18


def find(folders: Iterable[str], names: Sequence[str]) -> list[Path] | None:
    """Return the files ``names`` from the first of ``folders`` (below `data_root`) that has them all, else None."""
    for folder in folders:
        paths = [data_root() / folder / name for name in names]
        if all(path.is_file() for path in paths):
            return paths
    return None


def refuse_impostor(path: Path) -> None:
    """`DataError` for a pointer, a web page or the like in the place of ``path``, and for what cannot be read."""
    try:
        with path.open("rb") as file:
            found = named(file.read(HEAD))
    except OSError as error:
        raise DataError(f"{path}: expected a readable file, got {error}; check the disk and its permissions") from error
    if found:
        raise DataError(f"{path}: expected a data file, got {found}")


def download(url: str, md5: str, target: Path, progress: Progress, instead: str) -> None:
    """Fetch ``url`` to ``target``; a file that is there already with this checksum is kept.

    Raises `DataError`, which ends in what to do ``instead``, when there is no network, when the checksum differs, and
    when ``target`` is another file than the official one (which is then left alone).
    """
    try:  # here, so that reading what is there needs neither
        import pooch
        from requests.exceptions import ConnectionError as NoConnection
    except ModuleNotFoundError as error:
        raise DataError(f"expected to download {target.name}, got no package {error.name}; {instead}") from error
    loader = pooch.HTTPDownloader(progressbar=_Bar(f"Downloading {target.name}", progress), chunk_size=CHUNK_BYTES,
                                  timeout=(CONNECT_SECONDS, SILENCE_SECONDS))
    try:
        if target.exists() and pooch.file_hash(str(target), alg="md5") != md5:
            refuse_impostor(target)
            raise DataError(f"{target}: expected the official file, as the set is incomplete, got another; {instead}")
        pooch.retrieve(url, f"md5:{md5}", fname=target.name, path=target.parent, downloader=loader)
    except NoConnection as error:
        host = urlsplit(url).hostname
        raise DataError(f"expected to download {target.name}, got no connection to {host}; {instead}") from error
    except (OSError, ValueError) as error:  # requests' errors are OSError, a wrong checksum is ValueError
        raise DataError(f"expected to download {url}, got {type(error).__name__}: {str(error)[:200]}; {instead}") \
            from error


def download_all(url: str, files: Mapping[str, str], folder: Path, progress: Progress, instead: str) -> list[Path]:
    """`download` the ``files`` {name: MD5} below ``url`` into ``folder``; returns where they are."""
    for name, md5 in files.items():
        download(url + name, md5, folder / name, progress, instead)
    return [folder / name for name in files]


def unpack(archive: Path, names: Sequence[str], folder: Path, max_bytes: int) -> None:
    """Write the plain files called ``names`` from a tar.gz into ``folder``; nothing else in it is ever written.

    Paths and links inside the archive are not followed. Raises `DataError` for a damaged archive, one without all the
    names, and one that unpacks to more than ``max_bytes``.
    """
    refuse_impostor(archive)
    missing = set(names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with gzip.open(archive) as raw, tarfile.open(fileobj=_Bounded(raw, max_bytes), mode="r|") as tar:
            for member in tar:
                name = member.name.rpartition("/")[2]
                if name in missing and member.isreg() and (content := tar.extractfile(member)) is not None:
                    with whole(folder / name) as partial, partial.open("wb") as target:
                        shutil.copyfileobj(content, target, CHUNK_BYTES)
                    missing.remove(name)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{archive}: expected to unpack {', '.join(names)}, got {type(error).__name__}: {error}; fetch "
                        f"it again, or unpack it to {folder} by hand") from error
    if missing:
        raise DataError(f"{archive}: expected an archive with {', '.join(sorted(missing))}, got one without; fetch it "
                        "again")


class _Bounded(BufferedIOBase):
    """A stream that raises `OSError` instead of giving more than ``limit`` bytes in all."""

    def __init__(self, stream: gzip.GzipFile, limit: int) -> None:
        self._stream, self._limit, self._left = stream, limit, limit

    def read(self, size: int | None = -1, /) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise OSError(f"more than {self._limit} unpacked bytes")
        return data


class _Bar:
    """What pooch wants of a progress bar (tqdm's interface), passed on to a `Progress` function."""

    def __init__(self, what: str, progress: Progress) -> None:
        self._what, self._progress, self._done, self.total = what, progress, 0, 0  # bytes; total 0 means unknown

    def update(self, count: int) -> None:
        self._done += count
        self._progress(min(self._done / self.total, 1.0) if self.total else math.nan, self._what)

    def reset(self) -> None:
        """Start from zero (pooch does this before it reports the end)."""
        self._done = 0

    def close(self) -> None:
        """Nothing to release."""
