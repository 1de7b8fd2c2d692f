"""r3, 2024-10: "LPC induces an information bottleneck", whose tables are the yardstick; noise 0.01, 800 epochs."""

from __future__ import annotations

from lpc_core.experiments._courses import GammaCourse, LrCourse, Regime
from lpc_core.experiments._row import Row
from lpc_core.experiments.rows._networks import OUTLINE, linear, none, nonlinear

_GAMMA = GammaCourse(0.01, (Regime(1.05, 1, 1e6),), update="after", clipped=False)
_SVHN = GammaCourse(0.01, (Regime(1.03, 1, 1e5),), update="after", clipped=False)
_NODES = {"cifar10": (8, 512, 4), "cifar100": (64, 2_048, 8), "svhn": (8, 512, 6)}  # LPC, wide, narrow
_DROPPED = "the dropout acts on the backbone's features, before the penultimate layer where there is one"


def _rows(data: str) -> tuple[Row, ...]:
    (d, wide, narrow), gamma = _NODES[data], _SVHN if data == "svhn" else _GAMMA
    kinds = (("lpc", "LPC", linear(data, d), gamma), ("lpc-wide", "LPC-Wide", linear(data, wide), gamma),
             ("lpc-narrow", "LPC-Narrow", linear(data, narrow), gamma), ("no-pen", "NoPen", none(data), None),
             ("lin-pen", "LinPen", linear(data, d), None), ("nonlin-pen", "NonlinPen", nonlinear(data, d), None),
             ("no-pen-dropout", "NoPen + dropout", none(data, 0.5), None),
             ("lin-pen-dropout", "LinPen + dropout", linear(data, d, 0.5), None))
    return tuple(Row(data, name, "r3", title, "authors' code of \"LPC induces an information bottleneck\"", settings,
                     800, gamma, LrCourse(halved_after=250), (1e-4, 2e-4), noise=0.01, entropy_norm="max",
                     notes=(OUTLINE, *((_DROPPED,) if "dropout" in name else ())))
                 for name, title, settings, gamma in kinds)


ROWS = (*_rows("cifar10"), *_rows("cifar100"), *_rows("svhn"))
