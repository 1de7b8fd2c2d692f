"""NCI (Liu & Qin 2023, arXiv 2311.01479): how far a latent lies along its class's weights, and its size."""

from __future__ import annotations

import numpy as np

ALPHA = 1e-3  # of the norm; the publication chooses it per data set


def nci_doubt(train_latents: np.ndarray, latents: np.ndarray, predictions: np.ndarray, weight: np.ndarray,
              alpha: float = ALPHA) -> np.ndarray:
    """−(w_ŷ · (z − μ)/‖z − μ‖ + ``alpha``·‖z‖₁) (m,): higher where a latent is less to be trusted.

    μ is the mean of ``train_latents`` (n, d); ``latents`` (m, d) with ``predictions`` (m,), rows of ``weight`` (K, d).
    A latent at μ has no direction and scores by its norm alone.
    """
    given, centre = np.asarray(latents, np.float64), np.asarray(train_latents, np.float64).mean(axis=0)
    away = given - centre
    sizes = np.linalg.norm(away, axis=1)
    along = np.einsum("md,md->m", np.asarray(weight, np.float64)[predictions], away)
    cosine = np.divide(along, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    doubt: np.ndarray = -(cosine + alpha * np.abs(given).sum(axis=1))
    return doubt
