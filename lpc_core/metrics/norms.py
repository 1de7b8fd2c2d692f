"""How equal the sizes of the latents are: the radius of the shell, its thickness, and the size of single nodes."""

from __future__ import annotations

import math

import numpy as np


def norm_mean(latents: np.ndarray) -> float:
    """Mean of ‖z‖ over the samples of ``latents`` (n, d), in latent units. NaN without samples."""
    return float(_norms(latents).mean()) if len(latents) else math.nan


def norm_cv(latents: np.ndarray) -> float:
    """Standard deviation over mean of ‖z‖, the coefficient of variation; 0 when all lie on one shell."""
    return _variation(_norms(latents))


def abs_cv(latents: np.ndarray) -> float:
    """Standard deviation over mean of |z_ij| over all samples and nodes; 0 for a binary code ±a."""
    return _variation(np.abs(np.asarray(latents, np.float64)))


def _norms(latents: np.ndarray) -> np.ndarray:
    latents = np.asarray(latents, np.float64)
    return np.sqrt((latents * latents).sum(axis=1))


def _variation(sizes: np.ndarray) -> float:
    """Standard deviation / mean of non-negative sizes; NaN where the mean is 0 or nothing is there."""
    mean = float(sizes.mean()) if sizes.size else 0.0
    return float(sizes.std()) / mean if mean > 0 else math.nan
