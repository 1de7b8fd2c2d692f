"""r3, 2024-10: "LPC induces an information bottleneck", whose tables are the yardstick; noise 0.01, 800 epochs."""

from __future__ import annotations

from lpc_core.experiments._courses import GammaCourse, LrCourse, Regime
from lpc_core.experiments._row import Row
from lpc_core.experiments.rows._networks import DROPPED, OUTLINE, kinds, kinds_with_dropout

_GAMMA = GammaCourse(0.01, (Regime(1.05, 1, 1e6),), update="after", clipped=False)
_SVHN = GammaCourse(0.01, (Regime(1.03, 1, 1e5),), update="after", clipped=False)
_NODES = {"cifar10": (8, 512, 4), "cifar100": (64, 2_048, 8), "svhn": (8, 512, 6)}  # LPC, wide, narrow


def _rows(data: str) -> tuple[Row, ...]:
    nodes, course = _NODES[data], _SVHN if data == "svhn" else _GAMMA
    trained = (*kinds(data, nodes, course), *kinds_with_dropout(data, nodes[0]))
    return tuple(Row(data, name, "r3", title, "authors' code of \"LPC induces an information bottleneck\"", settings,
                     800, gamma, LrCourse(halved_after=250), (1e-4, 2e-4), noise=0.01, entropy_norm="max",
                     notes=(OUTLINE, *((DROPPED,) if "dropout" in name else ())))
                 for name, title, settings, gamma in trained)


ROWS = (*_rows("cifar10"), *_rows("cifar100"), *_rows("svhn"))
