"""SVHN: 99,289 colour pictures of house numbers' digits, 32 × 32 pixels (Netzer et al. 2011), cropped ("format 2")."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lpc_core.config import DataConfig
from lpc_core.data._base import DataError, Dataset, Form, Source, data_root
from lpc_core.data._files import download_all, find
from lpc_core.data._mat import read_mat
from lpc_core.data._split import Labelled, subset
from lpc_core.progress import Progress

NAME, CLASSES = "svhn", tuple("0123456789")
FOLDERS = (NAME, "SVHN", "")
FILES = {"train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373", "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3"}
URL = "http://ufldl.stanford.edu/housenumbers/"  # without encryption; the sums above are of the official files
PICTURES = 99_289
MAX_BYTES = 2**28  # of one array: the training pictures are 225 MB


def _load(config: DataConfig, seed: int, progress: Progress) -> Dataset:
    """Read both files and keep a stratified subset; pictures are uint8 (N, 32, 32, 3)."""
    folder = data_root() / NAME
    paths = find(FOLDERS, list(FILES)) or download_all(URL, FILES, folder, progress,
                                                       f"put {' and '.join(FILES)} in {folder}")
    train, test = (_read(path, progress) for path in paths)
    return subset(NAME, CLASSES, train, test, config=config, seed=seed)


def _read(path: Path, progress: Progress) -> Labelled:
    progress(float("nan"), f"Reading {path.name}")
    found = read_mat(path, ("X", "y"), MAX_BYTES)
    pixels, labels = found["X"], found["y"].ravel()
    if pixels.ndim != 4 or pixels.shape[:3] != (32, 32, 3) or pixels.dtype != np.uint8:
        raise DataError(f"{path}: expected X (32, 32, 3, N) of unsigned bytes, got {pixels.shape} {pixels.dtype}; "
                        "fetch the file again")
    if len(labels) != pixels.shape[3] or not np.array_equal(np.unique(labels), np.arange(1, 11)):
        raise DataError(f"{path}: expected y with {pixels.shape[3]:,} labels 1 to 10, each at least once, got "
                        f"{len(labels):,} from {np.unique(labels)[:12].tolist()}; fetch the file again")
    return [pixels.transpose(3, 0, 1, 2)], labels.astype(np.int64) % 10  # 10 stands for the digit 0


def _form(config: DataConfig) -> Form:
    """All pictures are read."""
    return Form((32, 32, 3), len(CLASSES), PICTURES * 3 * 32 * 32)


SOURCE = Source("SVHN", "Digits cut out of photographs of house numbers, in colour (250 MB).", (), _load, _form,
                lambda: bool(find(FOLDERS, list(FILES))))
