"""Checks: what a learner must have brought about, as data that the page and the tests judge in the same way.

`Condition.plain` is what the page is sent; `app/static/learn/check.js` reads it as `holds` does here, and
`tests/js/learn.test.js` holds both to the same table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lpc_core.metrics import METRICS

Row = Mapping[str, float]  # the live metrics of one run at one measured moment, and its "step" and "gamma"
ALSO = ("step", "gamma")  # what a moment has besides metrics
MOST_RUNS = 4


@dataclass(frozen=True)
class Value:
    """A live metric of run ``run`` of the stage: as it is now, or its largest or smallest value of the run so far."""

    name: str
    run: int = 0
    when: Literal["now", "largest", "smallest"] = "now"

    def __post_init__(self) -> None:
        if self.name not in METRICS and self.name not in ALSO:
            raise ValueError(f"check: expected the name of a live metric, step or gamma, got {self.name!r}")
        if self.when not in ("now", "largest", "smallest") or self.run not in range(MOST_RUNS):
            raise ValueError(f"check: expected now, largest or smallest of a run from 0 to {MOST_RUNS - 1}, got "
                             f"{self.when!r} of {self.run!r}")

    def of(self, histories: Sequence[Sequence[Row]]) -> float:
        """Its value in ``histories``, one list of rows for each run; NaN where it was not measured."""
        rows = histories[self.run] if self.run < len(histories) else []
        seen = [float(row.get(self.name, math.nan)) for row in rows]
        if self.when == "now":
            return seen[-1] if seen else math.nan
        known = [value for value in seen if math.isfinite(value)]
        return (max if self.when == "largest" else min)(known, default=math.nan)


@dataclass(frozen=True)
class Condition:
    """``value`` lies above or below ``bound``, or ``bound`` times ``of`` where that is given. NaN is neither."""

    value: Value
    sign: Literal["<", ">"]
    bound: float
    of: Value | None = None

    def __post_init__(self) -> None:
        if self.sign not in ("<", ">") or not math.isfinite(self.bound):
            raise ValueError(f"check: expected < or > and a finite number, got {self.sign!r} {self.bound!r}")

    def holds(self, histories: Sequence[Sequence[Row]]) -> bool:
        """Whether it holds at the last moment of ``histories``."""
        bound = self.bound * (1.0 if self.of is None else self.of.of(histories))
        value = self.value.of(histories)
        return value < bound if self.sign == "<" else value > bound

    def plain(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {"value": vars(self.value), "sign": self.sign, "bound": self.bound,
                "of": None if self.of is None else vars(self.of)}


def below(name: str, bound: float, of: Value | None = None, run: int = 0) -> Condition:
    """``name`` is below ``bound`` (times ``of``)."""
    return Condition(Value(name, run), "<", bound, of)


def above(name: str, bound: float, of: Value | None = None, run: int = 0) -> Condition:
    """``name`` is above ``bound`` (times ``of``)."""
    return Condition(Value(name, run), ">", bound, of)


def met(check: Sequence[Condition], histories: Sequence[Sequence[Row]]) -> bool:
    """Whether all of ``check`` holds at the last moment of ``histories``."""
    return all(condition.holds(histories) for condition in check)
