"""RunGroup: what is trained as one: a single run, or up to four side by side on the same data from the same seed."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lpc_core.config import ConfigError, DataConfig, RunConfig, ScheduleConfig, flatten, restored, unflatten

MOST = 4
SHARED = (*(field.name for field in dataclasses.fields(DataConfig)), "seed", "steps")  # equal in all runs
_GAMMA = {field.name for field in dataclasses.fields(ScheduleConfig)}


@dataclass(frozen=True)
class RunGroup:
    """Runs that share data, seed and length. Equal seeds also give equal first weights to layers of equal shape, as far
    as no layer before them differs in shape; and the same order of samples, cut into batches of each run's own size.
    """

    runs: tuple[RunConfig, ...]
    titles: tuple[str, ...]  # what each differs in, for a heading
    follows: tuple[bool, ...]  # whether the shared γ moves the run; others keep their own schedule

    def __post_init__(self) -> None:
        if not 1 <= len(self.runs) <= MOST:
            raise ConfigError("runs", f"1 to {MOST} runs", len(self.runs))
        if not len(self.runs) == len(self.titles) == len(self.follows):
            raise ConfigError("runs", "a title and a word on γ for each run", (self.titles, self.follows))
        first, *others = map(flatten, self.runs)
        for run, name in itertools.product(others, SHARED):
            if run[name] != first[name]:
                raise ConfigError(name, f"the same value in all runs of a comparison, {first[name]}", run[name])

    @property
    def data(self) -> DataConfig:
        """The samples all of them see."""
        return self.runs[0].data

    @property
    def seed(self) -> int:
        """The seed all of them start from."""
        return self.runs[0].seed


def alone(run: RunConfig) -> RunGroup:
    """``run`` by itself, whose γ follows the hand."""
    return RunGroup((run,), ("",), (True,))


def compare(base: RunConfig, overrides: Sequence[Mapping[str, Any]], titles: Sequence[str]) -> RunGroup:
    """``base`` once per item of ``overrides``, with those settings replaced; who sets γ's course does not follow."""
    if not 2 <= len(overrides) <= MOST:
        raise ConfigError("runs", f"2 to {MOST} runs to compare", len(overrides))
    runs = tuple(unflatten(dict(settings), base) for settings in overrides)
    return RunGroup(runs, tuple(titles), tuple(not _GAMMA & settings.keys() for settings in overrides))


def to_plain(comparison: RunGroup) -> dict[str, Any]:
    """The comparison as JSON knows it; `from_plain` is the inverse."""
    return vars(comparison) | {"runs": [flatten(run) for run in comparison.runs]}


def from_plain(plain: object) -> RunGroup:
    """The inverse of `to_plain`; `ConfigError` for whatever else ``plain`` may be."""
    match plain:
        case {"runs": [*runs], "titles": [*titles], "follows": [*follows]}:
            if all(type(title) is str for title in titles) and all(type(word) is bool for word in follows):
                return RunGroup(tuple(map(restored, runs)), tuple(titles), tuple(follows))
    raise ConfigError("runs", "lists of runs, their titles, and whether γ moves them", plain)
