"""What a metric is in words, and what one measured value is: a number, its noise floor, and why it is not one."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One measured quantity, in words for a learner."""

    name: str  # key in `Snapshot.metrics`
    title: str  # what an axis or a table shows
    formula: str
    meaning: str  # what it says, and which way is which
    source: str
    log_axis: bool  # spans decades during a run


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
