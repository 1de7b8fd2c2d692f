"""The latents of a run at every look, for figures and for Inspect: one safetensors file of at most `BYTES`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lpc_core.data import spread
from lpc_core.files import tensors

SAMPLES = 500  # at most
BYTES = 16 * 2**20  # of a run: with 26 looks at more than 322 nodes samples are fewer, 78 of 2,048 nodes


@dataclass(frozen=True, eq=False)
class Latents:
    """T looks at the same n training samples."""

    steps: np.ndarray  # (T,)
    gammas: np.ndarray  # (T,)
    latents: np.ndarray  # (T, n, d) float32
    labels: np.ndarray  # (n,)
    rows: np.ndarray  # (n,) which of the samples that were looked at

    @classmethod
    def none(cls, labels: np.ndarray, nodes: int, looks: int) -> Latents:
        """None of ``looks`` looks yet at samples with ``labels`` (m,), of which as many are kept as there is room for,
        by class shares.
        """
        rows = spread(labels, max(1, min(SAMPLES, BYTES // (looks * nodes * 4))), 0)
        return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros((0, len(rows), nodes), np.float32), labels[rows], rows)

    def before(self, step: int) -> Latents:
        """The looks up to ``step``."""
        kept = self.steps <= step
        return Latents(self.steps[kept], self.gammas[kept], self.latents[kept], self.labels, self.rows)

    def after(self, step: int, gamma: float, latents: np.ndarray) -> Latents:
        """With one look more, at ``latents`` (m, d), of which n are kept."""
        grown = np.concatenate([self.latents, latents[None, self.rows]]).astype(np.float32)
        return Latents(np.append(self.steps, step), np.append(self.gammas, gamma), grown, self.labels, self.rows)

    def pack(self) -> bytes:
        """As a file; `unpack` is the inverse."""
        return tensors.pack(vars(self), kind="latents of a row")


def unpack(raw: bytes) -> Latents:
    """The inverse of `Latents.pack`; `TensorFileError` or `ValueError` for another file."""
    found = tensors.arrays(raw)
    if set(found) - {"rows"} != {"steps", "gammas", "latents", "labels"}:
        raise ValueError("expected steps, gammas, latents and labels, got other arrays; run the row again")
    return Latents(**{"rows": np.arange(len(found["labels"])), **found})  # files without rows hold the first samples'

