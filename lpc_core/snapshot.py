"""One moment of a run: what a trainer yields, a frame carries, a film and a study keep, a chart draws.

`Snapshot`'s names are the names of these things everywhere: in frames, in files, in JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

Value = TypeVar("Value")

PLACED = ("means", "collapse_points", "forces")  # what lies among the latents (…, d), one for each class
OLD_NAMES = {  # of older films and studies
    "points": "collapse_points", "wrong": "predictions", "binarity": "node_peak_distance", "range": "hist_range"}


def renamed(parts: Mapping[str, Value]) -> dict[str, Value]:
    """The parts of a moment out of a file of any version by their present names; none takes another's place."""
    return {name if (now := OLD_NAMES.get(name, name)) in parts else now: value for name, value in parts.items()}


def placed(moment: object) -> dict[str, np.ndarray]:
    """Those of `PLACED` that ``moment`` has."""
    return {name: value for name in PLACED if (value := getattr(moment, name)) is not None}


def in_view(values: Mapping[str, np.ndarray], basis: np.ndarray) -> dict[str, np.ndarray]:
    """``values`` (…, d) as a view of ``basis`` (d, p) shows them: (…, p) float32."""
    return {name: (value @ basis).astype(np.float32) for name, value in values.items()}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a run, measured on the fixed probe set (n samples, K classes, d latent nodes). CPU NumPy arrays."""

    step: int
    gamma: float  # in the run's own convention
    gamma_sum: float  # the same in the paper's: the factor of ‖z‖² (gamma, or gamma / d under "mean")
    gamma_target: float  # where γ is heading: the hand's value, or gamma itself under the schedule
    gamma_mode: str  # "auto" (schedule) | "hand"
    lr: float
    head_lr: float
    latents: np.ndarray  # (n, d) float32
    labels: np.ndarray  # (n,) int64, the same array in every snapshot of a run
    predictions: np.ndarray  # (n,) int64
    weight: np.ndarray  # (K, d) float64, the head
    bias: np.ndarray  # (K,) float64
    means: np.ndarray  # (K, d) float64 class means by true label; NaN rows for classes absent from the probe
    collapse_points: np.ndarray | None  # (K, d) float64 predicted z*; None where the theory does not apply
    forces: np.ndarray | None  # (3, K, d): cross-entropy, penalty, tangential part of their sum, at the means
    metrics: dict[str, float] = field(default_factory=dict)  # {} when this snapshot carries positions only
    node_peak_distance: np.ndarray | None = None  # (d,) distance of each node's two peaks in peak widths
    reason: str = ""  # why the run stopped, when it did (diverged, ...)
