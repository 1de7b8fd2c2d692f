"""The median size of the latents."""

from __future__ import annotations

import numpy as np

from lpc_core.metrics.measuring.base import Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group


def _measure(found: Given) -> dict[str, Reading]:
    return {"median_norm": Reading(float(np.median(found.radii)))}


METRICS = (Metric("median_norm", "Median radius", "median of ‖z‖", "Half of the latents lie nearer to the origin.",
                  "standard", "log"),)
GROUP = Group(("median_norm",), _measure)
