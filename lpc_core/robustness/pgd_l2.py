"""PGD in the Euclidean ball: the share of samples that withstand perturbations of norm ε."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lpc_core.models.any import Array, Model
from lpc_core.progress import Progress, silent
from lpc_core.robustness._base import BATCH, Bounds
from lpc_core.robustness._pgd import Pgd
from lpc_core.robustness._result import AttackResult


@dataclass(frozen=True)
class PgdL2(Pgd):
    """See `Pgd`."""

    name = "pgd-l2"
    title = "PGD L2"


ATTACK = PgdL2


def pgd_l2(model: Model, inputs: Array, labels: Array | None = None, *, epsilons: Sequence[float] = (),
           steps: int = 40, bounds: Bounds | None = None, batch_size: int = BATCH, seed: int = 0,
           progress: Progress = silent) -> AttackResult:
    """PGD L2 over rising ``epsilons``; ``result.accuracy_at(epsilons)`` is the curve.

    Steps follow the unit gradient of the logit margin, a tenth of ε each, from a random start within ε/2. A sample that
    falls at one ε is not attacked at larger ones, so the curve never rises. ``epsilons`` are in the unit of ``inputs``;
    by default each sample has its own, 0.5 to 50 % of its norm. The rest is as in `Attack.__call__`.
    """
    attack = PgdL2(epsilons=tuple(map(float, epsilons)), steps=steps)
    return attack(model, inputs, labels, bounds=bounds, batch_size=batch_size, seed=seed, progress=progress)
