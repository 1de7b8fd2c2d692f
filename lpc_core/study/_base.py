"""What a study consists of: moments of one run, or the ends of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lpc_core.config import RunConfig
from lpc_core.metrics import Reading

TPT_ACCURACY = 0.999  # of the training samples, from which on the paper speaks of the terminal phase (TPT)


class StudyError(ValueError):
    """A study that cannot be made, saved or opened; the message says what was expected, what was found, what to do."""


@dataclass(frozen=True, eq=False)
class Moment:
    """One moment of a run, fully measured on its probe: n training samples, stratified, K classes, d latent nodes."""

    step: int
    gamma: float  # in the run's own convention
    train_accuracy: float  # on the probe, 0…1
    test_accuracy: float  # on at most as many held-out samples
    readings: dict[str, Reading]  # everything `lpc_core.metrics.readings` gives
    code: dict[str, Any]  # the binary code report as plain values
    latents: np.ndarray  # (n, d) float32
    labels: np.ndarray  # (n,) int64
    predictions: np.ndarray  # (n,) int64
    means: np.ndarray  # (K, d) float64 by true label; NaN rows for classes absent from the probe
    collapse_points: np.ndarray | None = None  # (K, d) float64 predicted z*; None where the theory does not apply

    @property
    def in_tpt(self) -> bool:
        """Whether the run is in the terminal phase: at least 99.9 % of the probe's training samples are right."""
        return self.train_accuracy >= TPT_ACCURACY


def tpt_step(moments: Sequence[Moment]) -> int | None:
    """The step of the first moment in the terminal phase, as exact as the moments are dense; None if there is none."""
    return next((moment.step for moment in moments if moment.in_tpt), None)


@dataclass(frozen=True)
class SweepRow:
    """The end of one run of a sweep: how separated its classes are, and how far inputs must move to change class.

    Robustness is the mean of ‖δ‖/‖x‖ over the samples an attack succeeded on, as in the paper; it means nothing without
    the share of successes and the accuracy beside it. "smallest" stands beside the attacks: of every sample the
    smallest perturbation that any of them found, which bounds its robustness from above most tightly.
    """

    title: str  # what the run differs in
    config: RunConfig
    gamma: float  # at the end, in the run's own convention
    train_accuracy: float  # on the probe, 0…1
    test_accuracy: float
    separation_ratio: float  # 𝓡 of the probe's latents, grouped by prediction
    samples: int  # held-out samples attacked
    robustness: dict[str, float] = field(default_factory=dict)  # attack → mean relative norm; NaN when none succeeded
    success: dict[str, float] = field(default_factory=dict)  # attack → share of the samples it changed the class of
    reason: str = ""  # why numbers are missing, or what a reader must know
    longer: dict[str, float] = field(default_factory=dict)  # attack → share of its successes with ‖δ‖ > ‖x‖


@dataclass(frozen=True, eq=False)
class Study:
    """A study as its folder holds it, finished or not."""

    task: str  # "follow" | "sweep"
    configs: tuple[RunConfig, ...]  # one to follow, or all that are swept
    titles: tuple[str, ...]  # one per run
    class_names: tuple[str, ...]  # of the followed run's data; () for a sweep
    planned: int  # moments or rows it will have
    moments: tuple[Moment, ...] = ()
    rows: tuple[SweepRow, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all that was planned is there."""
        return len(self.moments) + len(self.rows) >= self.planned
