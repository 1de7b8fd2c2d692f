"""r5, 2025-05-19 (commit bfd801a): 1,500 epochs, γ × 1.5 every five epochs, cosine learning rate from epoch 300."""

from __future__ import annotations

from lpc_core.experiments._courses import GammaCourse, LrCourse, Regime
from lpc_core.experiments._row import Row
from lpc_core.experiments.rows._networks import OUTLINE, kinds, linear, none
from lpc_core.experiments.rows._rivals import rivals

_GAMMA = GammaCourse(1e-4, (Regime(1.5, 5, 1e6),))
_LR = LrCourse(cosine_after=300, cosine_epochs=1_200, floor=1e-8)
_LRS = tuple(1e-4 * 2**power for power in range(5))
_SOURCE, _GUESSED = "authors' code, commit bfd801a", "the cosine is taken to end at epoch 1,500 at 1e-8, as in r6"


def _rows(data: str) -> tuple[Row, ...]:
    return (*(Row(data, name, "r5", title, _SOURCE, settings, 1_500, gamma, _LR, _LRS, notes=(OUTLINE, _GUESSED))
              for name, title, settings, gamma in kinds(data, (64, 128, 32), _GAMMA)),
            *rivals(data, "r5", _SOURCE, linear(data, 64), none(data), 1_500, _GAMMA, _LR, _LRS))


ROWS = (*_rows("cifar10"), *_rows("cifar100"))
