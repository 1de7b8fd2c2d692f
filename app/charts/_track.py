"""A followed run as the charts read it: its moments so far, metric by metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lpc_core.config import RunConfig
from lpc_core.metrics import Reading
from lpc_core.study import Moment, Study, tpt_step


class Column(NamedTuple):
    """One metric over time."""

    values: np.ndarray  # (T,) float64; NaN where undefined or not measured
    floors: np.ndarray  # (T,) float64; what rounding alone can give, NaN where it is not known
    at_floor: np.ndarray  # (T,) bool

    @property
    def drawn(self) -> np.ndarray:
        """(T,): the values, and the floor where a value at the floor is 0, which a log axis cannot show."""
        return np.where(self.at_floor & (self.values <= 0), self.floors, self.values)


@dataclass(frozen=True, eq=False)
class Track:
    """T moments of one run, T = 0 before the first."""

    moments: Sequence[Moment] = ()  # (T,) in order of their steps
    end: int = 1_000  # the run's length in steps
    class_names: Sequence[str] = ()  # (K,)

    @classmethod
    def of(cls, study: Study | None, run: RunConfig | None) -> Track:
        """What is known of ``run`` so far; ``study`` is None before its first moment."""
        end = cls.end if run is None else run.steps
        return cls(end=end) if study is None else cls(study.moments, end, study.class_names)

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def steps(self) -> np.ndarray:
        """(T,) int64."""
        return np.array([moment.step for moment in self.moments], np.int64)

    @property
    def gammas(self) -> np.ndarray:
        """(T,) γ in the run's own convention."""
        return self._each("gamma")

    @property
    def train_accuracy(self) -> np.ndarray:
        """(T,) 0…1."""
        return self._each("train_accuracy")

    @property
    def test_accuracy(self) -> np.ndarray:
        """(T,) 0…1."""
        return self._each("test_accuracy")

    def _each(self, name: str) -> np.ndarray:
        return np.array([getattr(moment, name) for moment in self.moments], np.float64)

    @property
    def tpt(self) -> int | None:
        """The step of the first moment in the terminal phase; None if there is none so far."""
        return tpt_step(self.moments)

    @property
    def classes(self) -> int:
        """K; 0 before the first moment."""
        return len(self.moments[-1].means) if self.moments else 0

    @property
    def nodes(self) -> int:
        """d; 0 before the first moment."""
        return self.moments[-1].latents.shape[1] if self.moments else 0

    @property
    def code(self) -> Mapping[str, Any] | None:
        """The code report of the last moment as plain values; None before the first."""
        return self.moments[-1].code if self.moments else None

    @property
    def newest(self) -> Mapping[str, Reading]:
        """All readings of the last moment; {} before the first."""
        return self.moments[-1].readings | _of_theory(self.moments[-1]) if self.moments else {}

    def last(self, name: str) -> float:
        """The newest value of the metric ``name``, NaN if it has none."""
        reading = self.newest.get(name)
        return math.nan if reading is None else reading.value

    def history(self, name: str) -> list[Reading | None]:
        """(T,) readings of the metric ``name``; None where a moment does not have it."""
        return [(moment.readings | _of_theory(moment)).get(name) for moment in self.moments]

    def column(self, name: str) -> Column:
        """The metric ``name`` over time."""
        found = self.history(name)
        values = np.array([math.nan if one is None else one.value for one in found], np.float64)
        floors = np.array([math.nan if one is None or one.floor is None else one.floor for one in found], np.float64)
        return Column(values, floors, np.array([one is not None and one.at_floor for one in found], bool))


def _of_theory(moment: Moment) -> dict[str, Reading]:
    """The radius that the head and γ predict: the mean of ‖z*_y‖ over the samples."""
    if moment.collapse_points is None:
        return {"predicted_radius": Reading(math.nan, reason="the theory does not apply to this run")}
    radii = np.linalg.norm(moment.collapse_points, axis=1)[moment.labels]
    value = float(radii.mean())
    return {"predicted_radius": Reading(value, reason="" if math.isfinite(value) else "no collapse point was found")}
