"""How γ and the learning rate move: pure functions of the step, and the driver that lets a hand take over."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lpc_core.config import ConfigError, OptimConfig, ScheduleConfig

HAND_FLOOR = 1e-6  # γ below this glides as if it were this, then jumps: a logarithm never reaches 0
HAND_DECADES_PER_STEP = 0.01  # the fastest γ glides to the hand's value: one decade in 100 steps
FAST, SLOW = math.log(2.0), math.log(1.25)  # growth per period in the two regimes of the paper's schedule


def gamma_at(config: ScheduleConfig, step: float) -> float:
    """γ of the schedule at ``step`` (≥ 0), in the run's own convention; held at ``gamma_end`` after the ramp."""
    share = min(max(step / config.ramp_steps, 0.0), 1.0)
    return _SHAPES[config.gamma_schedule](config, share)


def step_of(config: ScheduleConfig, gamma: float) -> float:
    """The step at which the schedule's γ is nearest to ``gamma`` (schedules are monotone; ties go to the earliest)."""
    low, high = 0.0, float(config.ramp_steps)
    rising = gamma_at(config, high) >= gamma_at(config, low)
    for _ in range(60):
        middle = (low + high) / 2
        if (gamma_at(config, middle) < gamma) == rising:
            low = middle
        else:
            high = middle
    return high if gamma_at(config, low) != gamma else low


def _exponential(config: ScheduleConfig, share: float) -> float:
    return config.gamma_start ** (1 - share) * config.gamma_end**share


def _two_regime(config: ScheduleConfig, share: float) -> float:
    """×2 per period up to ``gamma_switch``, ×1.25 per period after it (paper, v5), stretched to ``ramp_steps``."""
    start, end = math.log(config.gamma_start), math.log(config.gamma_end)
    low, high = sorted((start, end))
    switch = min(max(math.log(max(config.gamma_switch, 1e-300)), low), high)
    fast, slow = (switch - start) / FAST, (end - switch) / SLOW  # periods spent in each regime
    done = share * (fast + slow)
    inside = abs(done) <= abs(fast)
    return math.exp(start + done * FAST if inside else switch + (done - fast) * SLOW)


def _linear(config: ScheduleConfig, share: float) -> float:
    return config.gamma_start + share * (config.gamma_end - config.gamma_start)


def _cosine(config: ScheduleConfig, share: float) -> float:
    return _linear(config, (1 - math.cos(math.pi * share)) / 2)


def _constant(config: ScheduleConfig, share: float) -> float:
    return config.gamma_end


_SHAPES = {
    "exponential": _exponential,
    "two-regime": _two_regime,
    "linear": _linear,
    "cosine": _cosine,
    "constant": _constant,
}


def lr_at(config: OptimConfig, base: float, step: int, steps: int) -> float:
    """The backbone's learning rate at ``step`` of ``steps``; ``base`` replaces ``config.lr`` when a hand changed it."""
    if config.lr_schedule == "constant":
        return base
    share = min(step / steps, 1.0)
    return base * (config.lr_end + (1 - config.lr_end) * (1 + math.cos(math.pi * share)) / 2)


@dataclass
class GammaDriver:
    """γ step by step, by schedule or by hand, without jumps when it changes hands.

    A hand's value is approached at most `HAND_DECADES_PER_STEP` per step, because a γ that outruns the head collapses
    everything. Given back, the schedule goes on from the value γ has then, at the schedule's own pace.
    """

    config: ScheduleConfig
    value: float
    target: float
    mode: str = "auto"
    clock: float = 0.0  # where the schedule is, in steps; stands still while a hand holds γ
    gliding: bool = False  # on the way to the target after γ changed hands

    @classmethod
    def start(cls, config: ScheduleConfig) -> GammaDriver:
        """The schedule's beginning."""
        first = gamma_at(config, 0)
        return cls(config, first, first)

    def hold(self, gamma: float) -> None:
        """A hand takes γ towards ``gamma`` (≥ 0, finite), else `ConfigError`."""
        if not (isinstance(gamma, int | float) and math.isfinite(gamma) and gamma >= 0):
            raise ConfigError("gamma", "a finite number of at least 0", gamma)
        self.mode, self.target, self.gliding = "hand", float(gamma), True

    def release(self) -> None:
        """Give γ back to the schedule."""
        if self.mode == "hand":
            self.mode, self.clock, self.gliding = "auto", step_of(self.config, self.value), True

    def advance(self) -> float:
        """Move one step on and return the γ to train that step with."""
        if self.mode == "auto":
            self.target = gamma_at(self.config, self.clock)
            self.clock += 1
        self.value = _approach(self.value, self.target) if self.gliding else self.target
        self.gliding = self.value != self.target
        return self.value


def _approach(value: float, target: float) -> float:
    near, far = (math.log10(max(g, HAND_FLOOR)) for g in (value, target))
    if abs(far - near) <= HAND_DECADES_PER_STEP:
        return target
    return 10 ** (near + math.copysign(HAND_DECADES_PER_STEP, far - near))
