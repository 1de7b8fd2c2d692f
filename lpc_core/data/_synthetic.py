"""What all synthetic sources share: balanced labels, a shape without noise, Gaussian noise on top."""

from __future__ import annotations

import string
from collections.abc import Callable

import numpy as np

from lpc_core.config import DataConfig
from lpc_core.data._base import Dataset, Form, Source
from lpc_core.data._split import TEST, TRAIN, balanced, rng_for
from lpc_core.progress import Progress

Shape = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # labels (N,) → points without noise (N, D)


def synthetic(name: str, config: DataConfig, seed: int, shape: Shape) -> Dataset:
    """Training and test samples around ``shape``, each with noise of standard deviation ``config.noise``.

    Raises `ConfigError` when there are fewer samples than classes.
    """
    train = _sample(config, "samples", rng_for(seed, TRAIN), shape)
    test = _sample(config, "test_samples", rng_for(seed, TEST), shape)
    return Dataset(name, *train, *test, class_names(config.classes))


def in_plane(name: str, title: str, help: str,
             points: Callable[[np.ndarray, int, np.random.Generator], np.ndarray]) -> Source:
    """A source in the plane: ``points`` gives those without noise (N, 2) of labels (N,) among so many classes."""

    def load(config: DataConfig, seed: int, progress: Progress) -> Dataset:
        return synthetic(name, config, seed, lambda labels, rng: points(labels, config.classes, rng))

    return Source(title, help, ("classes", "noise"), load, lambda config: Form((2,), config.classes))


def class_names(classes: int) -> tuple[str, ...]:
    """A, B, C, … as far as the alphabet goes, else 1, 2, 3, …."""
    letters = tuple(string.ascii_uppercase[:classes])
    return letters if len(letters) == classes else tuple(str(k + 1) for k in range(classes))


def _sample(config: DataConfig, field: str, rng: np.random.Generator, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    labels = balanced(getattr(config, field), config.classes, rng, field)
    points = shape(labels, rng)  # (N, D)
    return (points + config.noise * rng.standard_normal(points.shape)).astype(np.float32), labels
