"""PGD in the cube: the share of samples that withstand a change of every input value by at most ε."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lpc_core.models.any import Array, Model
from lpc_core.progress import Progress, silent
from lpc_core.robustness._base import BATCH, Bounds
from lpc_core.robustness._pgd import Pgd
from lpc_core.robustness._result import AttackResult


@dataclass(frozen=True)
class PgdLinf(Pgd):
    """See `Pgd`."""

    name = "pgd-linf"
    title = "PGD L∞"
    distance = "linf"


ATTACK = PgdLinf


def pgd_linf(model: Model, inputs: Array, labels: Array | None = None, *, epsilons: Sequence[float] = (),
             steps: int = 40, bounds: Bounds | None = None, batch_size: int = BATCH, seed: int = 0,
             progress: Progress = silent) -> AttackResult:
    """PGD L∞ over rising ``epsilons``; ``result.accuracy_at(epsilons)`` is the curve.

    As `pgd_l2`, with signs of the gradient for directions and the largest change of a value for a norm; the default
    ``epsilons`` are shares of each input's largest value, and ``relative`` norms are measured against it.
    """
    attack = PgdLinf(epsilons=tuple(map(float, epsilons)), steps=steps)
    return attack(model, inputs, labels, bounds=bounds, batch_size=batch_size, seed=seed, progress=progress)
