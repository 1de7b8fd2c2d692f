"""How many samples of each class, and which: balanced labels, stratified subsets, samples to look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lpc_core.config import ConfigError, DataConfig
from lpc_core.data._base import Dataset

TRAIN, TEST, SHARED = 1, 2, 3  # second word of every data seed, so that train and test never draw the same numbers

Labelled = tuple[Sequence[np.ndarray], np.ndarray]  # parts (Nᵢ, …) that follow one another, and all labels (ΣNᵢ,)


class TooManyAsked(ConfigError):
    """More samples of a stored set than there are; ``most`` is how many there are."""

    def __init__(self, field: str, most: int, got: int) -> None:
        super().__init__(field, f"at most {most}, all there are", got)
        self.most = most


def rng_for(seed: int, purpose: int) -> np.random.Generator:
    """Return the random numbers of one purpose (`TRAIN`, `TEST` or `SHARED`) under ``seed``."""
    return np.random.default_rng([seed, purpose])


def balanced(count: int, classes: int, rng: np.random.Generator, field: str = "samples") -> np.ndarray:
    """``count`` labels 0…classes−1 in random order, (count,) int64; class sizes differ by at most one.

    Raises `ConfigError` for ``field`` when there are fewer samples than classes.
    """
    _check_every_class_fits(count, classes, field)
    return rng.permutation(np.arange(count, dtype=np.int64) % classes)


def stratified(labels: np.ndarray, count: int, rng: np.random.Generator, field: str = "samples") -> np.ndarray:
    """Indices (count,) of a random subset, in random order, that keeps the class frequencies of ``labels`` (N,).

    Class sizes are rounded by largest remainder, then no class is left empty. Raises `ConfigError` for ``field`` when
    ``count`` is more than there is, or fewer than one per class.
    """
    values, sizes = np.unique(labels, return_counts=True)  # (K,), (K,)
    if count > len(labels):
        raise TooManyAsked(field, len(labels), count)
    _check_every_class_fits(count, len(values), field)
    chosen = [rng.permutation(np.flatnonzero(labels == value))[:quota]
              for value, quota in zip(values, _quotas(sizes, count), strict=True)]
    return rng.permutation(np.concatenate(chosen))


def spread(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """``count`` sorted indices (or all), stratified: samples are dealt class by class in a seeded random order."""
    if count >= len(labels):
        return np.arange(len(labels))
    shuffled = np.random.default_rng([seed, 7]).permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, starts, sizes = np.unique(labels[by_class], return_index=True, return_counts=True)
    rank = np.arange(len(labels)) - np.repeat(starts, sizes)  # (N,) place of a sample within its class
    share = (rank + 0.5) / np.repeat(sizes, sizes)
    first_come = np.lexsort((share, rank > 0))  # one of every class before the second of any
    return np.sort(by_class[first_come[:count]])


def subset(name: str, names: tuple[str, ...], train: Labelled, test: Labelled, *, config: DataConfig,
           seed: int) -> Dataset:
    """Stratified, seeded subsets of a stored set's training and test samples, as many of each as ``config`` asks."""
    train_rows = stratified(train[1], config.samples, rng_for(seed, TRAIN), "samples")
    test_rows = stratified(test[1], config.test_samples, rng_for(seed, TEST), "test_samples")
    return Dataset(name, _take(train[0], train_rows), train[1][train_rows].astype(np.int64),
                   _take(test[0], test_rows), test[1][test_rows].astype(np.int64), names)


def _check_every_class_fits(count: int, classes: int, field: str) -> None:
    if count < classes:
        raise ConfigError(field, f"at least {classes}, one sample for each class", count)


def _quotas(sizes: np.ndarray, count: int) -> np.ndarray:
    """How many of each class, (K,): ``count · sizes / sum(sizes)`` rounded so that the sum is ``count``, each ≥ 1."""
    quotas, remainders = np.divmod(sizes.astype(np.int64) * count, sizes.sum())
    quotas[np.argsort(-remainders, kind="stable")[:count - quotas.sum()]] += 1
    for empty in np.flatnonzero(quotas == 0):
        quotas[quotas.argmax()] -= 1
        quotas[empty] = 1
    return quotas


def _take(parts: Sequence[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """``np.concatenate(parts)[rows]`` without the memory of joining the parts."""
    taken = np.empty((len(rows), *parts[0].shape[1:]), parts[0].dtype)
    start = 0
    for part in parts:
        here = np.flatnonzero((rows >= start) & (rows < start + len(part)))
        taken[here] = part[rows[here] - start]
        start += len(part)
    return taken
