"""A row of a published table as a frozen configuration with its source, and what of it can be chosen by name."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lpc_core.config import ConfigError, RunConfig, flatten, unflatten
from lpc_core.experiments._courses import UPDATES, GammaCourse, LrCourse, MarginCourse
from lpc_core.registry import pick

NORMS = ("euclidean", "max")
SELECTIONS = ("one", "test")
OPTIONS = {
    "gamma-update": "before or after: whether the first epoch already trains with γ multiplied. The text does not say; "
                    "the code of 2023 and 2024 multiplies after an epoch, that of 2025 before it.",
    "noise": "standard deviation of the Gaussian noise on normalised training pictures. 0.01 in one generation (r3) "
             "only; it acts where pictures are flipped and cropped.",
    "entropy-norm": "euclidean or max: the ball of the k-nearest-neighbour entropy. The tables of r3 rest on the max "
                    "norm, k = 100 and raw latents; later code on the Euclidean one, k = 20, standardised.",
    "selection": "one or test: train one learning rate of the grid, or all of them and keep the one with the best "
                 "*test* accuracy, as the authors do; that accuracy is then no longer a held-out one.",
    "gamma-decades": "yes or no: γ rounded down to a power of ten, as in the authors' notebook of Figure 1.",
    "lr": "the learning rate, instead of the row's own.",
}


@dataclass(frozen=True)
class Row:
    """One row: what is trained, how, for how long, and where that is published.

    ``settings`` are those of a `RunConfig` by their flat names; learning rates, γ and margins by epoch are the
    courses'. γ is in the code's convention (averaged over the d nodes).
    """

    data: str  # first half of the name: which samples
    name: str  # second half
    generation: str  # "r1" … "r6", "demo"; "" for a stand-in of this project
    title: str
    source: str
    settings: Mapping[str, Any]
    epochs: int
    gamma: GammaCourse | None = None
    lr: LrCourse = field(default_factory=LrCourse)
    lrs: tuple[float, ...] = (2e-4,)  # the grid
    lr_kept: float = 0.0  # of the grid, where one is trained; 0: its middle
    margins: MarginCourse | None = None
    contrast: float = 0.0  # weight of SupCon on the backbone's features, beside the loss
    noise: float = 0.0
    entropy_norm: str = "euclidean"
    selection: str = "one"
    repeats: int = 5  # in the publication
    notes: tuple[str, ...] = field(default=())  # what differs from the publication, or must be known
    obstacle: str = ""  # why it cannot be trained here; it is listed all the same

    @property
    def key(self) -> str:
        """``cifar10/lpc@r6``; a stand-in has no generation."""
        return f"{self.data}/{self.name}" + (f"@{self.generation}" if self.generation else "")

    @property
    def all_settings(self) -> dict[str, Any]:
        """The row's settings, and the defaults for what it leaves out."""
        return {**flatten(RunConfig()), **self.settings}

    @property
    def base_lr(self) -> float:
        """The learning rate that is trained where one is: of backbone and head at the start."""
        return self.lr_kept or self.lrs[len(self.lrs) // 2]

    def with_options(self, options: Mapping[str, str]) -> Row:
        """The row with ``options`` (see `OPTIONS`) in the place of what it has; `ConfigError` for others."""
        row = self
        for name, value in options.items():
            row = pick("option", _CHANGES, name)(row, value)
        return row

    def config(self, seed: int, scale: float = 1.0, lr: float | None = None) -> RunConfig:
        """The run of this row; ``scale`` is the share of its epochs (the courses are squeezed with them).

        Its γ ramp is an outline of the course, for whoever opens the file; training follows the course itself.
        """
        rate, samples, batch = lr or self.base_lr, self.all_settings["samples"], self.all_settings["batch_size"]
        steps = max(1, math.ceil(self.run_epochs(scale) * samples / batch))
        return unflatten({**self.settings, "dataset": self.settings.get("dataset", self.data), "convention": "mean",
                          "lr": rate, "head_lr": rate, "lr_schedule": "constant", "momentum": 0.9, "beta2": 0.999,
                          "steps": steps, "seed": seed, **self._ramp(scale)})

    def run_epochs(self, scale: float) -> int:
        """How many epochs a run at ``scale`` has."""
        if not (math.isfinite(scale) and 0 < scale <= 10):
            raise ConfigError("scale", "a number above 0, at most 10: the share of the row's epochs to train", scale)
        return max(1, round(self.epochs * scale))

    def _ramp(self, scale: float) -> dict[str, Any]:
        course = self.gamma
        if course is None:
            return {"gamma_schedule": "constant", "gamma_end": 0.0}
        end = course.at(self.epochs)
        epochs = min(course.epochs() or self.epochs, self.epochs) * scale
        samples, batch = self.all_settings["samples"], self.all_settings["batch_size"]
        switch = course.regimes[0].until if len(course.regimes) > 1 else end
        return {"gamma_schedule": "two-regime" if len(course.regimes) > 1 else "exponential",
                "gamma_start": course.start, "gamma_switch": switch, "gamma_end": end,
                "ramp_steps": max(1, round(epochs * samples / batch))}


def _one_of(name: str, allowed: tuple[str, ...], value: str) -> str:
    if value not in allowed:
        raise ConfigError(name, "one of " + ", ".join(allowed), value)
    return value


def _number(name: str, value: str, low: float, high: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise ConfigError(name, f"a number from {low:g} to {high:g}", value)
    return number


def _course(row: Row, **changes: Any) -> Row:
    """The row with another course of γ; a row without γ stays as it is."""
    return row if row.gamma is None else dataclasses.replace(row, gamma=dataclasses.replace(row.gamma, **changes))


_CHANGES: dict[str, Callable[[Row, str], Row]] = {
    "gamma-update": lambda row, value: _course(row, update=_one_of("gamma-update", UPDATES, value)),
    "noise": lambda row, value: dataclasses.replace(row, noise=_number("noise", value, 0.0, 1.0)),
    "entropy-norm": lambda row, value: dataclasses.replace(row, entropy_norm=_one_of("entropy-norm", NORMS, value)),
    "selection": lambda row, value: dataclasses.replace(row, selection=_one_of("selection", SELECTIONS, value)),
    "gamma-decades": lambda row, value: _course(row, decades=_one_of("gamma-decades", ("yes", "no"), value) == "yes"),
    "lr": lambda row, value: dataclasses.replace(row, lr_kept=_number("lr", value, 1e-7, 10.0)),
}
