"""What an inspection finds: latents, where they came from, what was measured on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lpc_core.checkpoint import Embeddings
from lpc_core.metrics import Reading

BLOCK = 8_192  # rows that are converted and computed with at once


@dataclass(frozen=True, eq=False)
class Inspection:
    """Embeddings with everything measured on them. Plain data: `save` and `load` (safetensors) keep all of it."""

    embeddings: Embeddings
    source: dict[str, Any]  # file name, bytes, sha256, format, notes; data set and normalisation; versions; command
    layout: dict[str, Any] | None  # of a checkpoint: name, latent layer, head, missing and unexpected keys; else None
    readings: dict[str, Reading]  # every quantity of `lpc_core.metrics`
    code: dict[str, Any]  # the binary code report as plain values
    ambiguous: np.ndarray  # (m,) rows of the samples the head is least sure of, or that lie nearest to another class
    coordinates: dict[str, np.ndarray] = field(default_factory=dict)  # "pca", "tsne", "umap" → (n, 2 or 3) float32
    notes: tuple[str, ...] = ()
    pca_mean: np.ndarray | None = None  # (d,) float64; coordinates["pca"] are (latents − pca_mean) @ pca_axes
    pca_axes: np.ndarray | None = None  # (d, p) float64, orthonormal, the largest variance first
    misclassified: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # (w,) rows, most certain first


def blocks(values: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Runs of `BLOCK` rows of ``values`` (n, d), as slices and in float64: of all rows that may be too large a copy."""
    for start in range(0, len(values), BLOCK):
        part = slice(start, start + BLOCK)
        yield part, values[part].astype(np.float64, copy=False)


def upright(axes: np.ndarray) -> np.ndarray:
    """The columns of ``axes`` (d, p), each turned so that its largest entry is positive."""
    turned: np.ndarray = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return turned
