"""What an attack found, sample by sample; and the share of samples that it leaves standing, strength by strength."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from lpc_core.files.plain_json import number

STRENGTHS = 41  # ε of a curve
SMALLEST = "smallest known"


@dataclass(frozen=True, eq=False)
class AttackResult:
    """The smallest perturbations an attack found for N inputs.

    A sample that is **misclassified from the start** needs no perturbation: its norm is 0, it counts as a success and
    nothing is spent on it. A sample whose answer **could not be changed** has the norm infinity, which says no more
    than that this attack found nothing; it is never left out in silence.
    """

    attack: str  # name in the registry
    title: str
    white_box: bool  # whether gradients were used
    distance: str  # "l2" or "linf"
    norms: np.ndarray  # (N,) float64, ‖perturbation‖ in units of the model's inputs
    relative: np.ndarray  # (N,) float64, norms over ‖input‖ (the paper's unit); NaN for an input of zeros
    success: np.ndarray  # (N,) bool
    initially_wrong: np.ndarray  # (N,) bool
    forwards: np.ndarray  # (N,) int64, times the model was asked for this sample's answer
    backwards: np.ndarray  # (N,) int64, gradients taken for this sample
    perturbed: Tensor  # (N, …) what changes the answer; the input itself where nothing was found or needed
    labels: np.ndarray  # (N,) int64, the classes that were to be left
    classes: int  # K
    seconds: float

    @property
    def attacked(self) -> np.ndarray:
        """(N,) bool, the samples that were right from the start."""
        return ~self.initially_wrong

    def accuracy_at(self, epsilons: Sequence[float] | np.ndarray) -> np.ndarray:
        """Share of all samples that no perturbation within ε was found for, (E,), for ``epsilons`` (E,) in the unit of
        ``norms``. At ε = 0 it is the accuracy. An upper bound on what a better attack would leave.
        """
        shares: np.ndarray = (self.norms > np.asarray(epsilons, float)[:, None]).mean(axis=1)
        return shares


def robust_share(relative: Mapping[str, Sequence[object]]) -> list[tuple[str, float, float]]:
    """(attack, ε, share) for every attack and for the smallest of all: the share of samples that are right, and for
    which no perturbation within ε·‖x‖ is known. From ‖δ‖/‖x‖ of each sample as JSON has it: 0 where the sample was
    wrong (or None, where ‖x‖ is 0), infinite where none was found.
    """
    found = {name: np.nan_to_num([number(value) for value in values], nan=0.0, posinf=math.inf)
             for name, values in relative.items()}
    if not found:
        return []
    found[SMALLEST] = np.min(list(found.values()), axis=0)
    top = max(float(norms[np.isfinite(norms)].max(initial=0.0)) for norms in found.values())
    return [(name, float(epsilon), float((norms > epsilon).mean())) for name, norms in found.items()
            for epsilon in np.linspace(0.0, top, STRENGTHS)]
