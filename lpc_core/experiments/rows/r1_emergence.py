"""r1, 2023-11 to 2024-03: "Emergence of latent binary encoding", arXiv 2310.08224 v1 to v3; 200 epochs."""

from __future__ import annotations

from lpc_core.experiments._courses import GammaCourse, Regime
from lpc_core.experiments._row import Row
from lpc_core.experiments.rows._networks import OUTLINE, kinds

_GAMMA = GammaCourse(0.01, (Regime(1.084, 1),), update="after")
_LRS = tuple(1e-5 * 1.5**power for power in range(18))
_NODES = {"cifar10": (4,), "cifar100": (36,)}


def _rows(data: str) -> tuple[Row, ...]:
    return tuple(Row(data, name, "r1", title, "authors' code of arXiv 2310.08224 v1-v3", settings, 200, gamma,
                     lrs=_LRS, notes=(OUTLINE,))
                 for name, title, settings, gamma in kinds(data, _NODES[data], _GAMMA, "Binary encoding (LPC)"))


ROWS = (*_rows("cifar10"), *_rows("cifar100"))
