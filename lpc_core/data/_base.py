"""What every data source gives, and the one function that loads any of them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lpc_core.config import DataConfig
from lpc_core.progress import Progress, silent
from lpc_core.registry import discover, pick

NOT_HERE = "is not here"  # a data set; said on pages


class DataError(Exception):
    """Data that cannot be had; the message says what to do (for files: the folder to put them in)."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with labels 0…K−1. Vectors are float32 (N, D); images are uint8 (N, H, W, C), scaled only when used."""

    name: str
    train_inputs: np.ndarray
    train_labels: np.ndarray  # (N,) int64
    test_inputs: np.ndarray
    test_labels: np.ndarray  # (M,) int64
    class_names: tuple[str, ...]

    @property
    def classes(self) -> int:
        """K."""
        return len(self.class_names)

    @property
    def is_image(self) -> bool:
        """Whether the samples are pictures (N, H, W, C)."""
        return self.train_inputs.ndim == 4


@dataclass(frozen=True)
class Form:
    """What a source's samples look like, known without loading any."""

    shape: tuple[int, ...]  # of one sample: (D,) float32 or (H, W, C) uint8
    classes: int
    stored_bytes: int = 0  # what is read before the samples are taken out of it


def torch_shape(stored: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one model input, (D,) or (C, H, W), for that of one stored sample, (D,) or (H, W, C)."""
    return (stored[2], *stored[:2]) if len(stored) == 3 else stored


@dataclass(frozen=True)
class Source:
    """One entry of the registry; every module of this package defines ``SOURCE``."""

    title: str  # what a menu shows
    help: str  # one sentence for a learner
    uses: tuple[str, ...]  # which DataConfig fields it reads, besides the sample counts
    load: Callable[[DataConfig, int, Progress], Dataset]
    form: Callable[[DataConfig], Form]
    here: Callable[[], bool] = lambda: True  # whether it can be had without a download


@functools.cache
def sources() -> dict[str, Source]:
    """Every data source by name."""
    return discover("lpc_core.data", "SOURCE")


def missing(dataset: str, error: Exception) -> str:
    """What a reader is told of a ``dataset`` that cannot be had: which, why and what to do, and what is at hand."""
    known = sources()
    if dataset not in known:
        return str(error)
    there = ", ".join(source.title for name, source in known.items() if name != dataset and source.here())
    return f"{known[dataset].title} {NOT_HERE}: {error}. At hand are {there}."


def data_root() -> Path:
    """The folder stored sets are looked for and downloaded to: ``$LPC_DATA``, else ``~/.cache/lpc-lab``."""
    return Path(os.environ.get("LPC_DATA") or Path.home() / ".cache" / "lpc-lab")


def load(config: DataConfig, seed: int, progress: Progress = silent) -> Dataset:
    """Load the samples that ``config`` names; equal arguments give equal samples.

    Raises `DataError` for data that are missing or damaged, `ConfigError` for an unknown name and for more samples than
    there are.
    """
    return pick("dataset", sources(), config.dataset).load(config, seed, progress)
