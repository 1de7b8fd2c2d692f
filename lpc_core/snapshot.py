"""The door between the halves: what a trainer yields, a frame carries, a chart draws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


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
