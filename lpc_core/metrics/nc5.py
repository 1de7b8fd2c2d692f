"""Neural collapse NC5: whether inputs of another kind lie at right angles to every class mean (Ammar et al. 2024).

arXiv 2310.06823, equation 5: the mean over classes of |cos(μ_c, μ_OOD)|, means about the origin.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lpc_core.metrics.arithmetic.rows import Rows
from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.given import given
from lpc_core.metrics.measuring.group import undefined


def nc5(latents: Any, labels: Any, ood_latents: Any) -> Reading:
    """NC5 of ``latents`` (n, d) with ``labels`` (n,) and ``ood_latents`` (m, d): 0 at right angles, 1 along.

    NaN with a reason where a mean is 0 and has no direction. In d nodes a random direction reads about √(2/(πd)).
    """
    found, other = given(latents, labels), Rows(ood_latents, "ood_latents")
    if other.d != found.latents.d:
        raise ValueError(f"expected latents (n, d) and ood_latents (m, d) of one width, got {found.latents.d} and "
                         f"{other.d}; pass latents of one layer")
    means, centre = found.by_label.means, other.some(slice(None)).mean(axis=0)
    sizes = np.linalg.norm(means, axis=1) * np.linalg.norm(centre)
    if not sizes.all():
        return undefined("a class mean, or that of the inputs of another kind, is 0 and has no direction")
    return Reading(float(np.abs(means @ centre / sizes).mean()))


METRICS = (
    Metric("nc5", "NC5, strangers at right angles", "mean over classes of |cos(μ_c, μ_OOD)|",
           "Whether inputs of another kind lie at right angles to every class mean. 0: they do, and are easily told.",
           "Ammar et al. 2024, arXiv 2310.06823, equation 5", "linear"),
)
