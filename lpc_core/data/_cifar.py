"""What CIFAR-10 and CIFAR-100 share: the official binary and Python versions, as files or as the official archive."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lpc_core.config import DataConfig
from lpc_core.data._base import DataError, Dataset, Form, data_root
from lpc_core.data._files import download, find, refuse_impostor, unpack
from lpc_core.data._pickle_arrays import read_pickled
from lpc_core.data._split import Labelled, subset
from lpc_core.progress import Progress

PIXELS = 3 * 32 * 32  # bytes of one image: a red, a green and a blue plane, each row by row
ARCHIVE_BYTES = 400_000_000  # what an official archive unpacks to, at most

Batch = tuple[np.ndarray, np.ndarray]  # pixels (N, 3072) uint8, labels (N,)


@dataclass(frozen=True)
class Version:
    """One official way to store a set."""

    folder: str  # inside the archive, and where the files are looked for
    archive: str
    train: tuple[str, ...]
    test: str
    read: Callable[[Path], Batch]


@dataclass(frozen=True)
class Cifar:
    """Where one set of 32 × 32 colour images comes from. The first version is the one that gets downloaded."""

    name: str  # of the source, and of a folder the set may lie in
    versions: tuple[Version, ...]
    url: str
    md5: str
    class_names: tuple[str, ...]

    def load(self, config: DataConfig, seed: int, progress: Progress) -> Dataset:
        """Read every batch and keep a stratified subset; images are uint8 (N, 32, 32, 3)."""
        version, paths = self._locate() or self._unpacked(progress) or self._downloaded(progress)
        train = self._read(version, paths[:-1], progress)
        test = self._read(version, paths[-1:], progress)
        return subset(self.name, self.class_names, train, test, config=config, seed=seed)

    def form(self, config: DataConfig) -> Form:
        """All 60,000 images are read."""
        return Form((32, 32, 3), len(self.class_names), 60_000 * PIXELS)

    def here(self) -> bool:
        """Whether its files, or an archive of them, lie in the data folder."""
        return bool(self._locate() or any(find(("", self.name), (version.archive,)) for version in self.versions))

    def _locate(self) -> tuple[Version, list[Path]] | None:
        for version in self.versions:
            folders = (version.folder, f"{self.name}/{version.folder}", self.name)
            if paths := find(folders, (*version.train, version.test)):
                return version, paths
        return None

    def _unpacked(self, progress: Progress) -> tuple[Version, list[Path]] | None:
        """Unpack an archive that lies in the data folder; None when there is none."""
        for version in self.versions:
            if found := find(("", self.name), (version.archive,)):
                progress(math.nan, f"Unpacking {version.archive}")
                names, folder = (*version.train, version.test), found[0].parent / version.folder
                unpack(found[0], names, folder, ARCHIVE_BYTES)
                return version, [folder / name for name in names]
        return None

    def _downloaded(self, progress: Progress) -> tuple[Version, list[Path]]:
        version, root = self.versions[0], data_root()
        instead = (f"put {', '.join((*version.train, version.test))} in {root / version.folder}, or {version.archive} "
                   f"in {root}")
        download(self.url, self.md5, root / version.archive, progress, instead)
        found = self._unpacked(progress)
        assert found is not None, "the archive was downloaded just now"
        return found

    def _read(self, version: Version, paths: list[Path], progress: Progress) -> Labelled:
        batches = []
        for number, path in enumerate(paths):
            progress(number / len(paths), f"Reading {path.name}")
            try:
                refuse_impostor(path)
                batches.append(version.read(path))
            except OSError as error:
                raise DataError(f"{path}: expected a readable file, got {error}; check the disk and its permissions") \
                    from error
        labels = np.concatenate([labels for _, labels in batches])
        if not np.array_equal(np.unique(labels), np.arange(len(self.class_names))):
            raise DataError(f"{paths[0].parent}: expected labels 0 to {len(self.class_names) - 1}, each at least once, "
                            f"got {np.unique(labels).tolist()}; fetch the files again")
        return [pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) for pixels, _ in batches], labels


def read_binary(path: Path, label_bytes: int, max_records: int) -> Batch:
    """Read records of ``label_bytes`` label bytes, the last of which counts, and then 3072 pixels.

    Raises `DataError` when the file does not hold 1 to ``max_records`` whole records.
    """
    record, size = label_bytes + PIXELS, path.stat().st_size
    if size % record or not 1 <= size // record <= max_records:
        raise DataError(f"{path}: expected 1 to {max_records} records of {record} bytes, got {size} bytes; fetch the "
                        "file again")
    records = np.fromfile(path, np.uint8).reshape(-1, record)
    return records[:, label_bytes:], records[:, label_bytes - 1]


def read_python(path: Path, key: str, max_bytes: int) -> Batch:
    """Read a pickled batch without running it: ``data`` (N, 3072) uint8 and, under ``key``, a list of N labels.

    Raises `DataError` for anything else.
    """
    content = read_pickled(path, max_bytes)
    pixels, labels = content.get("data"), content.get(key)
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != PIXELS:
        raise DataError(f"{path}: expected 'data', unsigned bytes of shape (N, {PIXELS}), got "
                        f"{getattr(pixels, 'shape', type(pixels).__name__)}; fetch the file again")
    if not isinstance(labels, list) or len(labels) != len(pixels) or not all(
            type(label) is int and 0 <= label <= 255 for label in labels):
        raise DataError(f"{path}: expected '{key}', a list of {len(pixels)} small whole numbers, got something else; "
                        "fetch the file again")
    return pixels, np.array(labels, np.uint8)
