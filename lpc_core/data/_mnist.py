"""What MNIST and its drop-in replacements share: four IDX files, found in known folders or downloaded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lpc_core.config import DataConfig
from lpc_core.data._base import DataError, Dataset, Form, data_root
from lpc_core.data._files import download_all, find
from lpc_core.data._idx import read_idx
from lpc_core.data._split import Labelled, subset
from lpc_core.progress import Progress

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
STYLES = [(sign, ending) for sign in "-._" for ending in (".gz", "")]  # train-images.idx3-ubyte: as some have it


@dataclass(frozen=True)
class MnistLike:
    """Where one set of 28 × 28 grey images comes from."""

    name: str  # of the source, and of the folder it is downloaded to
    folders: tuple[str, ...]  # where else it may lie, below the data folder
    url: str  # of the folder on the web, ending in a slash
    md5: tuple[str, ...]  # of the gzipped files, in the order of FILES
    class_names: tuple[str, ...]

    def load(self, config: DataConfig, seed: int, progress: Progress) -> Dataset:
        """Read all four files and keep a stratified subset; images are uint8 (N, 28, 28, 1)."""
        paths = self._locate() or self._download(progress)
        train = self._read(paths[0], paths[1], progress)
        test = self._read(paths[2], paths[3], progress)
        return subset(self.name, self.class_names, train, test, config=config, seed=seed)

    def form(self, config: DataConfig) -> Form:
        """All 70,000 images are read."""
        return Form((28, 28, 1), len(self.class_names), 70_000 * 28 * 28)

    def here(self) -> bool:
        """Whether all its files lie in the data folder."""
        return bool(self._locate())

    def _locate(self) -> list[Path] | None:
        """All four named in one style: a mixture may pair images with another copy's labels."""
        styles = ([file.replace("-idx", f"{sign}idx") + ending for file in FILES] for sign, ending in STYLES)
        return next(filter(None, (find((self.name, *self.folders), names) for names in styles)), None)

    def _download(self, progress: Progress) -> list[Path]:
        folder, files = data_root() / self.name, {f"{file}.gz": md5 for file, md5 in zip(FILES, self.md5, strict=True)}
        return download_all(self.url, files, folder, progress, f"put {', '.join(files)} in {folder}")

    def _read(self, images: Path, labels: Path, progress: Progress) -> Labelled:
        progress(math.nan, f"Reading {images.name}")
        pixels, classes = read_idx(images, (28, 28)), read_idx(labels, ())  # (N, 28, 28), (N,)
        if len(pixels) != len(classes):
            raise DataError(f"{labels}: expected {len(pixels)} labels, as many as {images.name} has images, got "
                            f"{len(classes)}; fetch both files again")
        if not np.array_equal(np.unique(classes), np.arange(len(self.class_names))):
            raise DataError(f"{labels}: expected labels 0 to {len(self.class_names) - 1}, each at least once, got "
                            f"{np.unique(classes).tolist()}; fetch the file again")
        return [pixels[..., np.newaxis]], classes
