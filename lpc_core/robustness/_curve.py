"""R(ε): the share of samples that are right, and for which no perturbation within ε·‖x‖ is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from lpc_core.files.plain_json import number

STRENGTHS = 41  # ε of a curve
SMALLEST = "smallest known"


def robust_share(relative: Mapping[str, Sequence[object]]) -> list[tuple[str, float, float]]:
    """(attack, ε, share) for every attack and for the smallest of all, from ‖δ‖/‖x‖ of each sample as JSON has it:
    0 where the sample was wrong (or None, where ‖x‖ is 0), infinite where none was found.
    """
    found = {name: np.nan_to_num([number(value) for value in values], nan=0.0, posinf=math.inf)
             for name, values in relative.items()}
    if not found:
        return []
    found[SMALLEST] = np.min(list(found.values()), axis=0)
    top = max(float(norms[np.isfinite(norms)].max(initial=0.0)) for norms in found.values())
    return [(name, float(epsilon), float((norms > epsilon).mean())) for name, norms in found.items()
            for epsilon in np.linspace(0.0, top, STRENGTHS)]
