"""Classes as points: their means, and how far they have shrunk to them: scatter, spread and NC1 (Papyan 2020).

Two passes in float64: subtract the mean, then square. No value can be negative, and latents that collapsed to the
last bits of float32 give the scatter of those bits instead of the error of the formula.

These functions hold a float64 copy of the latents, as a live run can afford. `scatter` measures any number of samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dgesdd


@dataclass(frozen=True, eq=False)
class ByClass:
    """n latents of K classes, in float64. A class may be absent: its count is 0 and its mean NaN."""

    labels: np.ndarray  # (n,) class of each sample, 0…K−1
    counts: np.ndarray  # (K,) samples per class
    means: np.ndarray  # (K, d) μ_c
    deviations: np.ndarray  # (n, d) z − μ_c of the sample's own class

    @property
    def present(self) -> np.ndarray:
        """Which classes have samples: (K,) bool."""
        return self.counts > 0


def by_class(latents: np.ndarray, labels: np.ndarray, classes: int | None = None) -> ByClass:
    """Group ``latents`` (n, d) by ``labels`` (n,) in 0…K−1; ``classes`` is K, by default the largest label + 1."""
    latents, labels = np.asarray(latents, np.float64), np.asarray(labels)
    if latents.ndim != 2 or labels.shape != latents.shape[:1]:
        raise ValueError(f"expected latents (n, d) and labels (n,), got {latents.shape} and {labels.shape}; "
                         "pass one label per latent")
    classes = int(labels.max(initial=-1)) + 1 if classes is None else classes
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(f"expected labels from 0 to {classes - 1}, got {labels.min()} to {labels.max()}; "
                         "pass classes=K")
    counts = np.bincount(labels, minlength=classes)
    means = _means(latents, labels, counts)
    return ByClass(labels, counts, means, latents - means[labels])


def class_means(latents: np.ndarray, labels: np.ndarray, classes: int | None = None) -> np.ndarray:
    """Mean latent of every class: (K, d) float64, NaN rows for absent classes."""
    return by_class(latents, labels, classes).means


def sigma_w_trace(groups: ByClass) -> float:
    """Within-class scatter tr Σ_W: the mean over classes of the mean squared distance of a sample to its class mean.

    Classes of a single sample say nothing about scatter and are left out; NaN when no class has two.
    """
    weights = class_weights(groups.counts)[groups.labels]  # (n,)
    return float(weights @ (groups.deviations ** 2).sum(axis=1)) if weights.any() else math.nan


def sigma_b_trace(groups: ByClass) -> float:
    """Between-class scatter tr Σ_B: the mean over classes of ‖μ_c − μ‖², with μ the mean of the class means.

    NaN below two classes.
    """
    centred = _centred_means(groups)
    return float((centred ** 2).sum(axis=1).mean()) if len(centred) > 1 else math.nan


def within_class_spread(groups: ByClass, norm_mean: float) -> float:
    """√(tr Σ_W) over the mean norm of the latents: the size of a class as a share of its distance from the origin."""
    return math.sqrt(sigma_w_trace(groups)) / norm_mean if norm_mean > 0 else math.nan


def nc1_pinv(groups: ByClass) -> float:
    """NC1, tr(Σ_W Σ_B⁺)/K over the K classes present (Papyan, Han & Donoho 2020); 0 is perfect collapse.

    Σ_B = MᵀM/K with M the centred class means, so with M = USVᵀ this is Σ_k mean_c var_c(z·v_k) / s_k²: neither
    d × d matrix is formed. Directions no wider than the rounding of the means count as absent from Σ_B.
    NaN when the class means coincide, or no class has two samples.
    """
    weights, centred = class_weights(groups.counts)[groups.labels], _centred_means(groups)  # (n,), (K', d)
    if len(centred) < 2 or not weights.any():
        return math.nan
    rounding = np.finfo(np.float64).eps * max(centred.shape) * np.linalg.norm(groups.means[groups.present])
    sizes, directions = between_directions(centred, rounding)
    if not sizes.size:
        return math.nan
    along = groups.deviations @ directions  # (n, r)
    return float((weights @ along ** 2 / sizes ** 2).sum())


def between_directions(centred: np.ndarray, rounding: float) -> tuple[np.ndarray, np.ndarray]:
    """Singular values (r,) above ``rounding`` and right singular vectors (d, r) of the centred class means (K', d)."""
    _, sizes, directions, failed = dgesdd(centred, full_matrices=0)  # `np.linalg.svd`, in half the time
    if failed:
        raise np.linalg.LinAlgError("SVD did not converge")
    kept = sizes > rounding
    kept[len(centred) - 1:] = False  # K centred means span K − 1 directions
    return sizes[kept], directions[kept].T


def class_weights(counts: np.ndarray) -> np.ndarray:
    """Weight of a sample of each class (K,) that turns a sum over samples into a mean over classes of class means; 0
    for a class of one sample, which has no scatter.
    """
    usable = counts > 1
    weights: np.ndarray = np.where(usable, 1 / np.maximum(counts * usable.sum(), 1), 0.0)
    return weights


def _centred_means(groups: ByClass) -> np.ndarray:
    means: np.ndarray = groups.means[groups.present]
    return np.asarray(means - means.mean(axis=0)) if len(means) else means


def _means(latents: np.ndarray, labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    means = np.full((len(counts), latents.shape[1]), np.nan)
    present = counts > 0
    if present.any():
        ends = counts[present].cumsum()
        ordered = latents[np.argsort(labels, kind="stable")]
        sums = np.add.reduceat(ordered, ends - counts[present], axis=0)
        means[present] = sums / counts[present, None]
    return means
