"""How γ and the learning rate move: pure functions of the step, the driver that lets a hand take over, and schedules
with the habits of torch's for a training loop of one's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lpc_core.config import ConfigError, OptimConfig, ScheduleConfig

HAND_FLOOR = 1e-6  # γ below this glides as if it were this, then jumps: a logarithm never reaches 0
HAND_DECADES_PER_STEP = 0.01  # the fastest γ glides to the hand's value: one decade in 100 steps
LATE = 0.2  # share of the run after which a late cosine begins
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


def _two_regime(config: ScheduleConfig, share: float) -> float:
    """×2 per period up to ``gamma_switch``, ×1.25 per period after it (paper, v5), stretched to ``ramp_steps``."""
    start, end = math.log(config.gamma_start), math.log(config.gamma_end)
    low, high = sorted((start, end))
    switch = min(max(math.log(max(config.gamma_switch, 1e-300)), low), high)
    fast, slow = (switch - start) / FAST, (end - switch) / SLOW  # periods spent in each regime
    done = share * (fast + slow)
    inside = abs(done) <= abs(fast)
    return math.exp(start + done * FAST if inside else switch + (done - fast) * SLOW)


def paper_gamma(epoch: float, *, start: float = 1e-4, switch: float = 1e3, end: float = 1e6, period: int = 5) -> float:
    """γ of the paper's v5 schedule in ``epoch`` (≥ 0): ×2 every ``period`` epochs to ``switch``, then ×1.25 to ``end``.

    γ stands still within a period. The paper's numbers, which are the defaults, are in its authors' code's convention
    (``convention="mean"``) and reach ``end`` after 275 of 1,000 epochs. Where a doubling would pass the switch, the
    rest of that period grows at the slower rate.
    """
    turn, done = min(max(switch, start), end), epoch // period
    fast, slow = math.log2(turn / start), math.log(end / turn, 1.25)  # periods in either regime
    if done <= fast:
        return float(start * 2.0**done)
    return end if done - fast >= slow else turn * 1.25 ** (done - fast)


def _linear(config: ScheduleConfig, share: float) -> float:
    return config.gamma_start + share * (config.gamma_end - config.gamma_start)


_SHAPES: dict[str, Callable[[ScheduleConfig, float], float]] = {
    "exponential": lambda config, share: float(config.gamma_start ** (1 - share) * config.gamma_end**share),
    "two-regime": _two_regime,
    "linear": _linear,
    "cosine": lambda config, share: _linear(config, (1 - math.cos(math.pi * share)) / 2),
    "constant": lambda config, share: config.gamma_end,
}


def lr_at(config: OptimConfig, base: float, step: int, steps: int) -> float:
    """The backbone's learning rate at ``step`` of ``steps``; ``base`` replaces ``config.lr`` when a hand changed it."""
    if config.lr_schedule == "constant":
        return base
    late = LATE if config.lr_schedule == "late-cosine" else 0.0
    share = min(max(step / steps - late, 0.0) / (1 - late), 1.0)
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


class HasGamma(Protocol):
    """Anything with a γ to set, such as a `lpc_core.LatentPenalty`."""

    gamma: float


class SteppedGamma:
    """γ as a function of how often `step` was called, with the habits of torch's schedulers. See `GammaSchedule`."""

    _made: Callable[..., Callable[[int], float]]  # takes the settings by name, checks them and makes the curve

    def __init__(self, target: HasGamma | Callable[[float], object], **settings: Any) -> None:
        self._configure(settings)
        if not (hasattr(target, "gamma") or callable(target)):
            raise ConfigError("target", "an object with a gamma, such as a LatentPenalty, or a function of γ", target)
        self._target, self._steps = target, 0
        self._set()

    def step(self) -> None:
        """Go one step on and set γ for the next training step; call it after ``optimizer.step()``."""
        self._steps += 1
        self._set()

    def get_last_gamma(self) -> float:
        """The γ set last: the one the next training step is taken with."""
        return self._last

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on, as plain numbers and texts."""
        return {**self._settings, "step": self._steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to where `state_dict` was taken, its settings included, and set γ; `ConfigError` for anything else."""
        wanted = {*self._settings, "step"}
        if not isinstance(state, Mapping) or set(state) != wanted:
            raise ConfigError("state", f"the state of a {type(self).__name__} ({', '.join(sorted(wanted))})", state)
        if type(state["step"]) is not int or state["step"] < 0:
            raise ConfigError("step", "a whole number of at least 0", state["step"])
        self._configure({name: value for name, value in state.items() if name != "step"})
        self._steps = state["step"]
        self._set()

    def _configure(self, settings: dict[str, Any]) -> None:
        self._curve, self._settings = self._made(**settings), settings

    def _set(self) -> None:
        self._last = self._curve(self._steps)
        if hasattr(self._target, "gamma"):
            self._target.gamma = self._last
        else:
            self._target(self._last)


class GammaSchedule(SteppedGamma):
    """Moves ``target.gamma`` (or calls ``target(γ)``) from ``start`` to ``end`` in ``steps`` calls of `step`.

    γ is set on construction and by every `step`, so that the k-th training step (from 0) is taken with `gamma_at` of
    step k, the very numbers of the lab's own trainer. It stays at ``end`` afterwards. ``kind``: "exponential",
    "two-regime" (×2 per period up to ``switch``, ×1.25 after it), "linear", "cosine" or "constant" (at ``end``).

    `ConfigError` for an unknown kind or a γ that is not allowed.
    """

    def __init__(self, target: HasGamma | Callable[[float], object], kind: str = "exponential", *, start: float,
                 end: float, steps: int, switch: float = 1e3) -> None:
        super().__init__(target, kind=kind, start=start, end=end, steps=steps, switch=switch)

    def _made(self, **settings: Any) -> Callable[[int], float]:
        config = _as_config(**settings)
        return lambda step: gamma_at(config, step)


class PaperGammaSchedule(SteppedGamma):
    """The paper's v5 schedule (`paper_gamma`) over a ``target`` as in `GammaSchedule`, by epochs.

    Call `step` once per epoch, or once per batch with ``steps_per_epoch`` the number of batches. Its numbers belong to
    a penalty with ``convention="mean"``.
    """

    def __init__(self, target: HasGamma | Callable[[float], object], steps_per_epoch: int = 1, *, start: float = 1e-4,
                 end: float = 1e6, period: int = 5, switch: float = 1e3) -> None:
        super().__init__(target, steps_per_epoch=steps_per_epoch, start=start, end=end, period=period, switch=switch)

    def _made(self, *, steps_per_epoch: int, start: float, end: float, period: int,
              switch: float) -> Callable[[int], float]:
        _as_config(kind="two-regime", start=start, end=end, steps=1, switch=switch)
        if not start <= end:
            raise ConfigError("end", f"a number of at least start, {start:g}", end)
        for name, value in (("steps_per_epoch", steps_per_epoch), ("period", period)):
            if type(value) is not int or value < 1:
                raise ConfigError(name, "a whole number of at least 1", value)
        return lambda step: paper_gamma(step // steps_per_epoch, start=start, end=end, period=period, switch=switch)


def _as_config(*, kind: str, start: float, end: float, steps: int, switch: float) -> ScheduleConfig:
    """The run's own settings of a schedule; errors name the arguments as they are called here."""
    names = {"gamma_schedule": "kind", "gamma_start": "start", "gamma_end": "end", "gamma_switch": "switch",
             "ramp_steps": "steps"}
    try:
        return ScheduleConfig(kind, start, switch, end, steps)
    except ConfigError as error:
        raise ConfigError(names[error.field], error.allowed, error.got) from None
