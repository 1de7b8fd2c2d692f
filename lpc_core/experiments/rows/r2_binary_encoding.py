"""r2, 2024-04 to 2024-07: "Latent binary encoding", arXiv 2310.08224 v4; 800 epochs, γ × 1.05 per epoch to 1e6."""

from __future__ import annotations

from lpc_core.experiments._courses import GammaCourse, LrCourse, Regime
from lpc_core.experiments._row import Row
from lpc_core.experiments.rows._networks import DROPPED, OUTLINE, kinds, kinds_with_dropout

_GAMMA = GammaCourse(0.01, (Regime(1.05, 1, 1e6),), update="after", clipped=False)
_SVHN = GammaCourse(0.01, (Regime(1.025, 1, 1e4),), update="after", clipped=False)
_NODES = {"cifar10": (6, 512), "cifar100": (64, 512), "svhn": (4, 512)}


def _rows(data: str) -> tuple[Row, ...]:
    nodes, course = _NODES[data], _SVHN if data == "svhn" else _GAMMA
    trained = (*kinds(data, nodes, course, "Binary encoding (LPC)"), *kinds_with_dropout(data, nodes[0]))
    return tuple(Row(data, name, "r2", title, "authors' code of arXiv 2310.08224 v4", settings, 800, gamma,
                     LrCourse(halved_after=250), (1e-4, 2e-4, 4e-4), repeats=3,
                     notes=(OUTLINE, *((DROPPED,) if "dropout" in name else ())))
                 for name, title, settings, gamma in trained)


ROWS = (*_rows("cifar10"), *_rows("cifar100"), *_rows("svhn"))
