"""Neural collapse NC2: whether the class means are equally long and equally far apart in angle (Papyan 2020).

The arrangement that has NC2 = 0, the simplex equiangular tight frame, needs d ≥ K − 1 nodes. With fewer the best that
exists is another one, and the values cannot reach 0; `reference` says which, and what it reads there.

Noise floor. A class mean is off by δ with ‖δ‖² = e_c, the error of its latents (`Rows.error`): after collapse they all
round alike, so averaging gains nothing. That changes ‖μ_c − μ‖ by up to √e_c and turns μ_c − μ by up to
δ_c = √e_c / ‖μ_c − μ‖. So equinorm may read √(mean e_c) / mean ‖μ_c − μ‖, and a cosine changes by up to
√(δ_c² + δ_c'²), whose root mean square over pairs is √(2·mean δ_c²).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lpc_core.metrics.measuring.base import PAPYAN, Metric, Reading
from lpc_core.metrics.measuring.given import Given
from lpc_core.metrics.measuring.group import Group, undefined

_NAMES = ("nc2_equinorm", "nc2_equiangular", "nc2_maxangle")


@dataclass(frozen=True)
class Reference:
    """The most regular arrangement of K class means in d nodes, and its NC2 values (NaN where no one value exists)."""

    name: str  # "simplex ETF", "orthoplex", "hypercube code" or "none (K > 2^d)"
    condition: str  # why it is this one
    equinorm: float
    equiangular: float
    maxangle: float
    exact: bool  # the values are the arrangement's own; else ``equiangular`` is the least for means of equal lengths


def reference(classes: int, d: int) -> Reference:
    """Which arrangement of ``classes`` ≥ 2 points exists in ``d`` nodes.

    Simplex ETF (d ≥ K − 1): all cosines −1/(K−1). Orthoplex (K ≤ 2d): ±e_j, cosines 0 and −1; with K < 2d points
    its largest cosine, 0, is still the least possible (Rankin 1955). Hypercube code (K ≤ 2^d): vertices of {±1}^d,
    the paper's binary code. Beyond 2^d classes two must share a vertex.

    K unit vectors that sum to 0 have mean cosine −1/(K−1), and mean squared cosine at least (K/d − 1)/(K−1) (Welch
    1974), so their standard deviation is at least √((K/d − 1)/(K−1) − 1/(K−1)²). The full orthoplex and every code of
    balanced, uncorrelated nodes attain it, the full hypercube among them.
    """
    if classes < 2 or d < 1:
        raise ValueError(f"expected two classes or more and d >= 1, got K={classes} and d={d}; NC2 compares classes")
    if d >= classes - 1:
        return Reference("simplex ETF", f"d = {d} ≥ K − 1 = {classes - 1}", 0.0, 0.0, 0.0, exact=True)
    least = math.sqrt(max((classes / d - 1) / (classes - 1) - 1 / (classes - 1) ** 2, 0.0))
    short = f"no simplex ETF: d = {d} < K − 1 = {classes - 1}"
    for name, most, maxangle in (("orthoplex", 2 * d, _maxangle_of_orthoplex),
                                 ("hypercube code", 2 ** d, _maxangle_of_cube)):
        if classes <= most:
            full = classes == most
            values = (0.0, least, maxangle(d)) if full else (math.nan, least, math.nan)
            return Reference(name, short, *values, exact=full)
    return Reference("none (K > 2^d)", short, math.nan, least, math.nan, exact=False)


def _maxangle_of_orthoplex(d: int) -> float:
    """Mean over pairs of |cos + 1/(K−1)|: each point has one opposite, all others at right angles."""
    others = 2 * d - 1
    return 2 * (1 / others) * (1 - 1 / others)


def _maxangle_of_cube(d: int) -> float:
    """Mean over the vertices at Hamming distance h = 1…d of |1 − 2h/d + 1/(2^d − 1)|."""
    others = 2 ** d - 1
    total: float = sum(math.comb(d, h) * abs(1 - 2 * h / d + 1 / others) for h in range(1, d + 1))
    return total / float(others)


def _measure(found: Given) -> dict[str, Reading]:
    groups = found.by_label
    centred, errors = groups.centred, groups.errors[groups.present]  # (K', d), (K',)
    if len(centred) < 2:
        return dict.fromkeys(_NAMES, undefined("NC2 compares classes, and there is only one"))
    lengths, best = np.sqrt((centred ** 2).sum(axis=1)), reference(len(centred), found.latents.d)
    if not lengths.any():
        return dict.fromkeys(_NAMES, undefined("the class means coincide"))
    equinorm = Reading(float(lengths.std() / lengths.mean()), float(math.sqrt(errors.mean()) / lengths.mean()),
                       _words(best, "nc2_equinorm"))
    if not lengths.all():
        central = undefined("a class mean lies on the global mean and has no direction; " + _words(best))
        return {"nc2_equinorm": equinorm, "nc2_equiangular": central, "nc2_maxangle": central}
    directions = centred / lengths[:, None]
    cosines = np.clip((directions @ directions.T)[np.triu_indices(len(centred), 1)], -1, 1)  # (pairs,)
    floor = math.sqrt(2 * (errors / lengths ** 2).mean())
    return {"nc2_equinorm": equinorm,
            "nc2_equiangular": Reading(float(cosines.std()), floor, _words(best, "nc2_equiangular")),
            "nc2_maxangle": Reading(float(np.abs(cosines + 1 / (len(centred) - 1)).mean()), floor,
                                    _words(best, "nc2_maxangle"))}


def _words(best: Reference, name: str = "") -> str:
    """Name of the reference, why it is this one, and what it reads by that ``name``."""
    text, value = f"reference: {best.name} ({best.condition})", getattr(best, name.removeprefix("nc2_"), math.nan)
    if math.isnan(value):
        return text
    bound = name == "nc2_equiangular" and not best.exact
    return f"{text}; {f'means of equal lengths read at least {value:.3g}' if bound else f'there {name} = {value:.3g}'}"


METRICS = (
    Metric("nc2_equinorm", "NC2, equal lengths", "std / mean over classes of ‖μ_c − μ‖",
           "How unequal the distances of the class means from their middle are. 0: all alike, as in a simplex, an "
           "orthoplex or a hypercube code.", PAPYAN, "log"),
    Metric("nc2_equiangular", "NC2, equal angles", "std over pairs of cos(μ_c − μ, μ_c' − μ)",
           "How unequal the angles between class means are. 0 needs a simplex, which exists for d ≥ K − 1; with fewer "
           "nodes a binary code reads more than 0.", PAPYAN, "log"),
    Metric("nc2_maxangle", "NC2, largest angles", "mean over pairs of |cos(μ_c − μ, μ_c' − μ) + 1/(K − 1)|",
           "How far the class means are from the largest angles K classes can all have, those of a simplex. 0 needs "
           "d ≥ K − 1.", PAPYAN, "log"),
)
GROUP = Group(_NAMES, _measure, needs_samples=True, moments=_NAMES)
