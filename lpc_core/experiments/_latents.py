"""The latents of a run of few nodes at every look, for the figures that show them: one safetensors file, bounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lpc_core.files import tensors

NODES, SAMPLES = 8, 500  # at most; looks are few


@dataclass(frozen=True, eq=False)
class Latents:
    """T looks at the same n training samples."""

    steps: np.ndarray  # (T,)
    gammas: np.ndarray  # (T,)
    latents: np.ndarray  # (T, n, d) float32
    labels: np.ndarray  # (n,)

    @classmethod
    def none(cls, labels: np.ndarray, nodes: int) -> Latents:
        """No look yet."""
        labels = labels[:SAMPLES]
        return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros((0, len(labels), nodes), np.float32), labels)

    def before(self, step: int) -> Latents:
        """The looks up to ``step``."""
        kept = self.steps <= step
        return Latents(self.steps[kept], self.gammas[kept], self.latents[kept], self.labels)

    def after(self, step: int, gamma: float, latents: np.ndarray) -> Latents:
        """With one look more, at ``latents`` (m, d), of which the first n are kept."""
        grown = np.concatenate([self.latents, latents[None, : len(self.labels)]]).astype(np.float32)
        return Latents(np.append(self.steps, step), np.append(self.gammas, gamma), grown, self.labels)

    def pack(self) -> bytes:
        """As a file; `unpack` is the inverse."""
        return tensors.pack(vars(self), kind="latents of a row")


def unpack(raw: bytes) -> Latents:
    """The inverse of `Latents.pack`; `TensorFileError` or `ValueError` for another file."""
    found = tensors.arrays(raw)
    if set(found) != {"steps", "gammas", "latents", "labels"}:
        raise ValueError("expected steps, gammas, latents and labels, got other arrays; run the row again")
    return Latents(**found)
