"""What is to be run: a row under a seed, at a scale, with options; its name is the folder it is stored in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lpc_core.config import MAX_SEED, ConfigError, RunConfig
from lpc_core.data import load
from lpc_core.experiments._catalogue import all_rows, rows_named
from lpc_core.experiments._row import Row

MOST_SEEDS = 100


@dataclass(frozen=True)
class Planned:
    """One run to be made; small and plain, so that it can be sent to another process or machine."""

    key: str  # of the row
    seed: int
    scale: float = 1.0
    lr: float | None = None  # None: the row's own
    options: tuple[tuple[str, str], ...] = ()

    @property
    def row(self) -> Row:
        """The row with its options; `ConfigError` for a row that this version does not have."""
        if self.key not in all_rows():
            raise ConfigError("row", "a row of this version, see `lpc paper list`", self.key)
        return all_rows()[self.key].with_options(dict(self.options))

    @property
    def config(self) -> RunConfig:
        """The run's settings."""
        return self.row.config(self.seed, self.scale, self.lr)

    @property
    def variant(self) -> str:
        """What it differs in from the row as published: ``scale=0.5,noise=0``; "" for nothing."""
        parts = [f"scale={self.scale:g}"] if self.scale != 1 else []
        parts += [f"lr={self.lr:g}"] if self.lr is not None else []
        return ",".join([*parts, *(f"{name}={value}" for name, value in self.options if name != "selection")])

    @property
    def name(self) -> str:
        """The run's folder in a store: ``digits/lpc/seed-0``."""
        return f"{self.key}/seed-{self.seed}" + (f",{self.variant}" if self.variant else "")

    def plain(self) -> dict[str, Any]:
        """For JSON; `planned_of` is the inverse."""
        return vars(self) | {"options": dict(self.options)}


def planned_of(plain: Mapping[str, Any]) -> Planned:
    """The inverse of `Planned.plain`; `ValueError` for anything else."""
    match plain:
        case {"key": str(key), "seed": int(seed), "scale": float(scale) | int(scale), "lr": lr, "options": options}:
            if isinstance(options, dict) and (lr is None or isinstance(lr, float)):
                return Planned(key, seed, float(scale), lr, tuple((str(k), str(v)) for k, v in options.items()))
    raise ValueError("expected key, seed, scale, lr and options of a run, got others")


def plan(names: Sequence[str], seeds: int = 1, *, first_seed: int = 0, scale: float = 1.0,
         options: Mapping[str, str] | None = None) -> list[Planned]:
    """The runs of the rows ``names`` under ``seeds`` seeds from ``first_seed`` on; `ConfigError` for what cannot be.

    With the option selection=test every learning rate of a row's grid is a run.
    """
    if not 1 <= seeds <= MOST_SEEDS:
        raise ConfigError("seeds", f"1 to {MOST_SEEDS} seeds", seeds)
    if not 0 <= first_seed <= MAX_SEED - seeds:
        raise ConfigError("first_seed", f"0 to {MAX_SEED - seeds}", first_seed)
    chosen = tuple(sorted((options or {}).items()))
    found = [row.with_options(dict(chosen)) for name in names for row in rows_named(name)]
    for row in found:
        row.run_epochs(scale)
    runs = [Planned(row.key, seed, scale, lr, chosen) for seed in range(first_seed, first_seed + seeds) for row in found
            for lr in (row.lrs if row.selection == "test" else (None,))]
    return list(dict.fromkeys(runs))


def check(runs: Sequence[Planned]) -> None:
    """Refuse what cannot be trained before anything is: rows with an obstacle, settings, data that are not there."""
    for run in runs:
        if run.row.obstacle:
            raise ConfigError("row", f"one that can be trained here; {run.row.obstacle}", run.key)
    for data, seed in {run.config.data: run.seed for run in reversed(runs)}.items():
        load(data, seed)
