"""Neural collapse NC5: whether inputs of another kind lie at right angles to every class mean (Ammar et al. 2024).

arXiv 2310.06823, equation 5: the mean over classes of |cos(μ_c, μ_OOD)|, means about the origin.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lpc_core.metrics.collapse import class_means
from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.group import undefined


def nc5(latents: Any, labels: Any, ood_latents: Any) -> Reading:
    """NC5 of ``latents`` (n, d) with ``labels`` (n,) 0…K−1 and ``ood_latents`` (m, d): 0 at right angles, 1 along.

    NaN with a reason where a mean is 0 and has no direction. In d nodes a random direction reads about √(2/(πd)).
    """
    own, other = np.asarray(latents, np.float64), np.asarray(ood_latents, np.float64)
    if own.ndim != 2 or other.ndim != 2 or own.shape[1] != other.shape[1] or not len(own) or not len(other):
        raise ValueError(f"expected latents (n, d) and ood_latents (m, d) of one width, got {own.shape} and "
                         f"{other.shape}; pass latents of one layer")
    if not (np.isfinite(own).all() and np.isfinite(other).all()):
        raise ValueError("expected finite latents, got NaN or infinity; leave those rows out")
    means = class_means(own, np.asarray(labels))
    means, centre = means[~np.isnan(means[:, 0])], other.mean(axis=0)
    sizes = np.linalg.norm(means, axis=1) * np.linalg.norm(centre)
    if not sizes.all():
        return undefined("a class mean, or that of the inputs of another kind, is 0 and has no direction")
    return Reading(float(np.abs(means @ centre / sizes).mean()))


METRICS = (
    Metric("nc5", "NC5, strangers at right angles", "mean over classes of |cos(μ_c, μ_OOD)|",
           "Whether inputs of another kind lie at right angles to every class mean. 0: they do, and are easily told.",
           "Ammar et al. 2024, arXiv 2310.06823, equation 5", "linear"),
)
