"""What an attack found, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True, eq=False)
class AttackResult:
    """The smallest perturbations an attack found for N inputs.

    A sample that is **misclassified from the start** needs no perturbation: its norm is 0, it counts as a success and
    nothing is spent on it. A sample whose answer **could not be changed** has the norm infinity, which says no more
    than that this attack found nothing; it is never left out in silence.
    """

    attack: str  # name in the registry
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
    def evaluations(self) -> np.ndarray:
        """(N,) forwards + backwards."""
        both: np.ndarray = self.forwards + self.backwards
        return both

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
