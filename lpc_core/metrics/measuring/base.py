"""What a metric is in words, and what one measured value is: a number, its noise floor, and why it is not one."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

PAPER, PAPYAN = "Sbailò & Ghiringhelli, arXiv 2310.08224", "Papyan, Han & Donoho 2020"  # sources of several metrics
AXES = ("log", "linear", "percent")


@dataclass(frozen=True)
class Metric:
    """One measured quantity, in words for a learner: all that any page, file or command says of it."""

    name: str  # key in `Snapshot.metrics` and of `measure`
    title: str  # what an axis or a table shows
    formula: str
    meaning: str  # what it says, and which way is which
    source: str
    axis: str  # log (spans decades during a run), linear, or percent (a share, 0…1)
    short: str = ""  # beside a line or over a column; by default the title
    unit: str = ""  # of the value; "" for a pure number
    theory: bool = False  # rests on the predicted collapse points, so a run whose theory does not apply has none

    def __post_init__(self) -> None:
        if self.axis not in AXES:
            raise ValueError(f"{self.name}: expected axis to be one of {', '.join(AXES)}, got {self.axis!r}")

    def words(self) -> dict[str, Any]:
        """All of it as texts and one truth value, for JSON."""
        return dataclasses.asdict(self) | {"short": self.short or self.title}


@dataclass(frozen=True)
class Reading:
    """One measured value with how far it can be trusted."""

    value: float  # NaN where it is undefined; `reason` then says why
    floor: float | None = None  # what rounding of the latents alone can give; at or below it the value says nothing
    reason: str = ""  # why it is NaN, or what a reader must know (the reference used, samples left out, …)

    def __post_init__(self) -> None:
        if math.isnan(self.value) and not self.reason:
            raise ValueError("expected a reason beside a NaN, got none; say why the value is undefined")

    @property
    def at_floor(self) -> bool:
        """Whether rounding alone could have given this value."""
        return self.floor is not None and self.value <= self.floor
