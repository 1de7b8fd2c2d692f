"""How γ, the learning rate and the angular margins move from epoch to epoch in the published code, from epoch 1 on."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

UPDATES = ("before", "after")


@dataclass(frozen=True)
class Regime:
    """γ is multiplied by ``factor`` every ``every`` epochs, the first time at the regime's first epoch."""

    factor: float
    every: int  # epochs
    until: float = math.inf  # where the next regime begins, one epoch after this was reached


@dataclass(frozen=True)
class GammaCourse:
    """γ by epoch, in the code's convention (averaged over the nodes)."""

    start: float
    regimes: tuple[Regime, ...]
    update: str = "before"  # whether an epoch trains with γ as multiplied before or after it
    clipped: bool = True  # whether γ stops exactly at a regime's end, or at the first multiple beyond it
    hold: int = 0  # epochs at ``start`` before the first regime
    decades: bool = False  # rounded down to a power of ten from 1e-3 up, as in the authors' notebook of Figure 1

    def at(self, epoch: int) -> float:
        """γ that ``epoch`` (≥ 1) trains with."""
        value = self._reached(epoch - self.hold - (self.update == "after"))
        return 10.0 ** math.floor(math.log10(value) + 1e-9) if self.decades and value >= 1e-3 else value

    def _reached(self, epoch: int) -> float:
        value = self.start
        first: float = 1
        for regime in self.regimes:
            times = (epoch - first) // regime.every + 1 if epoch >= first else 0
            needed = _times(value, regime)
            if times < needed:
                return value * regime.factor**times
            value = regime.until if self.clipped else value * regime.factor**needed
            first += (needed - 1) * regime.every + 1
        return value

    @property
    def end(self) -> float:
        """Where γ stays; infinite for a course without an end."""
        return self._reached(10**9) if math.isfinite(self.regimes[-1].until) else math.inf

    def epochs(self) -> int:
        """The first epoch that trains with `end`; 0 for a course without one."""
        if not math.isfinite(self.end):
            return 0
        return bisect.bisect_left(range(1, 10**6), self.end, key=self.at) + 1


def _times(value: float, regime: Regime) -> float:
    """How often ``value`` is multiplied until the regime ends."""
    if not math.isfinite(regime.until):
        return math.inf
    return math.ceil(math.log(regime.until / value) / math.log(regime.factor) - 1e-9)


@dataclass(frozen=True)
class LrCourse:
    """The backbone's learning rate by epoch; the head's is constant in every published version."""

    halved_after: int = 0  # epochs; 0: never
    halved_every: int = 50
    cosine_after: int = 0  # epochs; 0: never
    cosine_epochs: int = 1
    floor: float = 0.0  # where the cosine ends
    warm_up: int = 0  # epochs from a tenth of the rate, linearly

    def at(self, lr: float, epoch: int) -> float:
        """The rate of ``epoch`` (≥ 1) where the base is ``lr``."""
        if epoch <= self.warm_up:
            return lr * (0.1 + 0.9 * (epoch - 1) / self.warm_up)
        if self.halved_after:
            return float(lr * 0.5 ** (max(epoch - 1 - self.halved_after, 0) // self.halved_every))
        if self.cosine_after:
            share = min(max(epoch - 1 - self.cosine_after, 0) / self.cosine_epochs, 1.0)
            return self.floor + (lr - self.floor) * (1 + math.cos(math.pi * share)) / 2
        return lr


@dataclass(frozen=True)
class MarginCourse:
    """ArcFace's scale and margin by epoch: both grow by a step per epoch to an end."""

    scale: tuple[float, float, float]  # start, step, end
    margin: tuple[float, float, float]  # radians

    def at(self, epoch: int) -> tuple[float, float]:
        """Scale and margin of ``epoch`` (≥ 1)."""
        scale, margin = (min(start + step * (epoch - 1), end) for start, step, end in (self.scale, self.margin))
        return scale, margin
