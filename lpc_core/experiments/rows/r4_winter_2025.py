"""r4, 2025-02-06 (commit 5272420): by its date the code of arXiv 2310.08224 v5; SupCon, ArcFace, CosFace join."""

from __future__ import annotations

from lpc_core.experiments._courses import GammaCourse, LrCourse, Regime
from lpc_core.experiments._row import Row
from lpc_core.experiments.rows._networks import OUTLINE, kinds, linear, none
from lpc_core.experiments.rows._rivals import ANGULAR, rivals

_GAMMA = GammaCourse(0.01, (Regime(1.05, 1, 1e6),))
_NODES = {"cifar10": (64, 128, 16), "cifar100": (128, 256, 32)}  # LPC, wide, narrow
_COSFACE = {"loss": "cosface", "margin": 0.25, "scale": 32.0}


def _rows(data: str) -> tuple[Row, ...]:
    nodes = _NODES[data]
    source, course, lrs = "authors' code, commit 5272420", LrCourse(halved_after=250), tuple(
        1e-4 * 2**power for power in range(5))
    plain = tuple(Row(data, name, "r4", title, source, settings, 800, gamma, course, lrs, notes=(OUTLINE,))
                  for name, title, settings, gamma in kinds(data, nodes, _GAMMA))
    cosface = Row(data, "no-pen-cosface", "r4", "NoPen, CosFace", source, {**none(data), **_COSFACE}, 800, None, course,
                  lrs, notes=(OUTLINE, ANGULAR))
    return (*plain, *rivals(data, "r4", source, linear(data, nodes[0]), none(data), 800, _GAMMA, course, lrs), cosface)


ROWS = (*_rows("cifar10"), *_rows("cifar100"))
