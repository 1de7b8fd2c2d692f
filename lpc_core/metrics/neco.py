"""NECO (Ammar et al. 2024, arXiv 2310.06823): how much of a latent lies in the space that the training latents span."""

from __future__ import annotations

import numpy as np

KEPT = 0.9  # share of the training latents' variance in the directions that are kept


def neco_doubt(train_latents: np.ndarray, latents: np.ndarray, directions: int | None = None) -> np.ndarray:
    """−‖P z‖/‖z‖ (m,): higher where a latent of ``latents`` (m, d) is stranger to ``train_latents`` (n, d).

    z is standardised on the training latents; P are their first principal ``directions``, by default as many as hold
    `KEPT` of the variance, but fewer than d (with all of them every score is 1). A latent at the centre scores 0, as a
    stranger. The published score may be multiplied by the largest logit, which is left out. One node has no share: 0.
    """
    train, given = np.asarray(train_latents, np.float64), np.asarray(latents, np.float64)
    centre, scale = train.mean(axis=0), train.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    z, x = (train - centre) / scale, (given - centre) / scale
    values, vectors = np.linalg.eigh(z.T @ z)
    shares = np.cumsum(values[::-1].clip(0)) / max(values.clip(0).sum(), np.finfo(float).tiny)
    wanted = directions if directions is not None else min(int((shares < KEPT).sum()) + 1, z.shape[1] - 1)
    if not 0 <= wanted <= z.shape[1]:
        raise ValueError(f"expected directions from 0 to {z.shape[1]}, got {wanted}; there are no more than nodes")
    sizes = np.linalg.norm(x, axis=1)
    inside = np.linalg.norm(x @ vectors[:, ::-1][:, :wanted], axis=1)
    share: np.ndarray = np.divide(inside, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    return -share
