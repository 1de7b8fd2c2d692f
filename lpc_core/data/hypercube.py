"""Gaussian classes around random vertices of the hypercube {−1, 1}^dim: the data of the paper's Figure 1."""

from __future__ import annotations

import numpy as np

from lpc_core.config import ConfigError, DataConfig
from lpc_core.data._base import Dataset, Form, Source
from lpc_core.data._split import SHARED, rng_for
from lpc_core.data._synthetic import synthetic
from lpc_core.progress import Progress


def _load(config: DataConfig, seed: int, progress: Progress) -> Dataset:
    centres = _vertices(config.classes, config.dim, rng_for(seed, SHARED))
    return synthetic("hypercube", config, seed, lambda labels, rng: centres[labels])


def _vertices(count: int, dim: int, rng: np.random.Generator) -> np.ndarray:
    """Different random vertices of the hypercube, (count, dim) of −1 and 1; `ConfigError` when it has fewer."""
    if count > 2**dim:
        raise ConfigError("classes", f"at most {2**dim}, the vertices of a hypercube with dim = {dim} (a dim of "
                                     f"{(count - 1).bit_length()} or more has enough)", count)
    found: dict[bytes, np.ndarray] = {}
    while len(found) < count:
        vertex = rng.choice([-1.0, 1.0], dim)
        found[vertex.tobytes()] = vertex
    return np.stack(list(found.values()))


SOURCE = Source("Hypercube Gaussians", "Clouds around random corners of a many-dimensional cube (paper, Figure 1).",
                ("classes", "noise", "dim"), _load, lambda config: Form((config.dim,), config.classes))
