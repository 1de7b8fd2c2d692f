"""Wide latents in two or three dimensions: principal components, t-SNE (openTSNE) and UMAP (umap-learn)."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

import numpy as np
import torch

from lpc_core.inspection._base import blocks, upright
from lpc_core.progress import Progress, silent

METHODS = ("pca", "tsne", "umap")
TITLES = {"tsne": "t-SNE", "umap": "UMAP"}
FEWEST = 10  # samples that these place
MOST_POINTS = 20_000  # samples that t-SNE and UMAP place; more take minutes, and the eye sees no more
MOST_COVARIANCE = 4_096  # nodes up to which the covariance is formed and all its axes found
BEFORE = 50  # principal components that t-SNE and UMAP start from
TSNE_ROUNDS = (250, 500)  # early exaggeration, then the rest
TSNE_LOOKS = 25  # iterations between two reports
MISSING = "{what} needs the package {package}, which is not installed: pip install '{package}'"


@dataclass(frozen=True, eq=False)
class Components:
    """A linear view: ``(latents − mean) @ axes``."""

    mean: np.ndarray  # (d,) float64
    axes: np.ndarray  # (d, p) float64, orthonormal columns, the largest variance first

    def view(self, latents: np.ndarray) -> np.ndarray:
        """Coordinates (n, p) float32 of latents (n, d)."""
        out = np.empty((len(latents), self.axes.shape[1]), np.float32)
        for part, block in blocks(latents):
            out[part] = (block - self.mean) @ self.axes
        return out


def components(latents: np.ndarray, count: int, *, seed: int = 0) -> Components:
    """The first ``count`` principal components of latents (n, d), fewer when n or d is smaller.

    Exact up to float64: eigenvectors of the covariance, which is summed block by block without a copy of the latents.
    Beyond `MOST_COVARIANCE` nodes it is not formed, and Lanczos iterations (ARPACK, to machine precision, begun with
    ``seed``) find the first ones. Every axis points to where its largest entry is positive.
    """
    _check(latents)
    mean = latents.mean(axis=0, dtype=np.float64)
    size = max(float(np.abs(block - mean).max()) for _, block in blocks(latents))
    axes = (_from_covariance(latents, mean, size or 1.0) if latents.shape[1] <= MOST_COVARIANCE else
            _by_lanczos(latents, mean, size, count, seed))
    return Components(mean, upright(axes[:, :min(count, len(latents))]))


def _from_covariance(latents: np.ndarray, mean: np.ndarray, size: float) -> np.ndarray:
    """Eigenvectors (d, d), largest first, of latents over ``size``: collapsed ones would underflow."""
    sums = np.zeros((latents.shape[1],) * 2)
    for _, block in blocks(latents):
        centred = (block - mean) / size
        sums += centred.T @ centred
    axes: np.ndarray = np.linalg.eigh(sums)[1]
    return axes[:, ::-1]


def _by_lanczos(latents: np.ndarray, mean: np.ndarray, size: float, count: int, seed: int) -> np.ndarray:
    """The first ``count`` of the same, (d, p)."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    def product(vector: np.ndarray) -> np.ndarray:
        total = np.zeros(latents.shape[1])
        for _, block in blocks(latents):
            centred = (block - mean) / size
            total += centred.T @ (centred @ vector.ravel())
        return total

    d = latents.shape[1]
    if not size:  # all latents are equal
        return np.eye(d, count)
    start = np.random.default_rng(seed).normal(size=d)
    axes: np.ndarray = eigsh(LinearOperator((d, d), product, dtype=np.float64), count, v0=start, tol=0)[1]
    return axes[:, ::-1]


def _check(latents: np.ndarray) -> None:
    if latents.ndim != 2 or not latents.size or latents.dtype.kind != "f":
        raise ValueError(f"expected latents (n, d) of floats, got {latents.dtype} {latents.shape}; choose other "
                         "embeddings")


def project(latents: np.ndarray, method: str, *, dims: int = 2, seed: int = 0,
            progress: Progress = silent) -> np.ndarray:
    """Coordinates (n, ``dims``) float32 of latents (n, d) by "pca", "tsne" or "umap".

    t-SNE and UMAP start from at most `BEFORE` principal components and place at most `MOST_POINTS` samples, a seeded
    choice; the rest are rows of NaN (`placed` says which). Latents that are all equal have no view but one dot, zeros.
    ``progress(share, what)`` is called between the steps, every 25 of t-SNE's 750 iterations, and a few times a second
    while UMAP moves its points. Raises `ValueError` for bad arguments, `ImportError` naming a missing package and the
    command that installs it.
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}; choose one of them")
    if dims not in (2, 3):
        raise ValueError(f"dims: expected 2 or 3, got {dims}; choose one of them")
    _check(latents)
    progress(0.0, f"{method}: principal components")
    if method == "pca":
        view = components(latents, dims, seed=seed).view(latents)
        return np.pad(view, ((0, 0), (0, dims - view.shape[1])))  # 0 where there are fewer components than dimensions
    rows = placed(len(latents), seed)
    narrow = _narrow(latents[rows], seed)
    if not narrow.any():
        return np.zeros((len(latents), dims), np.float32)
    if len(narrow) < FEWEST:
        raise ValueError(f"{TITLES[method]}: expected at least {FEWEST} samples, got {len(narrow)}; choose pca")
    progress(0.1, f"{method}: neighbours of {len(rows):,} samples")
    embedded = (_tsne if method == "tsne" else _umap)(narrow, dims, seed, progress)
    progress(1.0, method)
    out = np.full((len(latents), dims), np.nan, np.float32)
    out[rows] = embedded
    return out


def placed(count: int, seed: int = 0) -> np.ndarray:
    """The rows (sorted) that t-SNE and UMAP place: all of them, or a seeded choice of `MOST_POINTS`."""
    if count <= MOST_POINTS:
        return np.arange(count)
    return np.sort(np.random.default_rng([seed, 11]).choice(count, MOST_POINTS, replace=False))


def _narrow(latents: np.ndarray, seed: int) -> np.ndarray:
    """At most `BEFORE` principal components, scaled to a largest value of 1: collapsed latents would underflow."""
    view = components(latents, BEFORE, seed=seed).view(latents)
    narrow: np.ndarray = view / max(float(np.abs(view).max()), np.finfo(np.float32).tiny)
    return narrow


def _tsne(narrow: np.ndarray, dims: int, seed: int, progress: Progress) -> np.ndarray:
    """t-SNE (van der Maaten & Hinton 2008) by openTSNE: perplexity 30, exact neighbours, started from the components.

    Exact neighbours are two to four times faster here than approximate ones up to `MOST_POINTS` samples.
    """
    try:
        from openTSNE import TSNE
    except ImportError as error:
        raise ImportError(MISSING.format(what="t-SNE", package="openTSNE")) from error
    done = 0

    def look(iteration: int, divergence: float, embedding: np.ndarray) -> bool:
        nonlocal done
        done += TSNE_LOOKS
        progress(0.2 + 0.8 * min(done / sum(TSNE_ROUNDS), 1.0), "tsne: moving the points")
        return False

    start = np.zeros((len(narrow), dims))
    start[:, : narrow.shape[1]] = narrow[:, :dims]
    spread = start[:, 0].std()
    start = start / spread * 1e-4 if spread > 0 else start
    start += np.random.default_rng([seed, 12]).normal(0, 1e-6, start.shape)  # equal samples must be able to part
    early, late = TSNE_ROUNDS
    maker = TSNE(dims, perplexity=min(30.0, (len(narrow) - 1) / 3), initialization=start, random_state=seed, n_jobs=1,
                 neighbors="exact", early_exaggeration_iter=early, n_iter=late, callbacks=look,
                 callbacks_every_iters=TSNE_LOOKS, negative_gradient_method="bh" if dims == 3 else "auto")
    return np.asarray(maker.fit(narrow), np.float32)


def _umap(narrow: np.ndarray, dims: int, seed: int, progress: Progress) -> np.ndarray:
    """UMAP (McInnes et al. 2018) by umap-learn: 15 neighbours, started from the components; seeded, so one thread."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
        try:
            import umap
        except ImportError as error:
            raise ImportError(MISSING.format(what="UMAP", package="umap-learn")) from error
    progress(0.3, "umap: neighbours")
    start = "pca" if narrow.shape[1] >= dims else "random"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_jobs value 1 overridden to 1 by setting random_state", UserWarning)
        maker = umap.UMAP(min(15, len(narrow) - 1), n_components=dims, random_state=seed, init=start,
                          tqdm_kwds={"disable": False, "file": _Epochs(progress), "bar_format": "{n_fmt}/{total_fmt}"})
        threads = torch.get_num_threads()  # Numba takes OpenMP's for as many as there are cores, and torch's with them
        try:
            return np.asarray(maker.fit_transform(narrow), np.float32)
        finally:
            torch.set_num_threads(threads)


class _Epochs:
    """The file that UMAP's progress bar writes to: epochs done become progress, and the place to stop."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def write(self, text: str) -> None:
        """Read "120/500" in what the bar draws."""
        found = re.search(r"(\d+)/(\d+)", text)
        if found:
            self._progress(0.4 + 0.6 * int(found[1]) / max(int(found[2]), 1), "umap: moving the points")

    def flush(self) -> None:
        """Nothing is kept back."""
