"""What a run looks like at one moment: everything a snapshot or a film keeps, for one run or many of one shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from lpc_core.config import LossConfig
from lpc_core.engine._probe import Probe
from lpc_core.losses import gamma_sum
from lpc_core.metrics.live import NAMES, LatentSets
from lpc_core.theory import collapse_points, forces

BLOCK = 1 << 18  # latent values measured together: 2 MB in float64
LOSSES = ("loss", "ce", "penalty", "train_accuracy", "test_accuracy")


@dataclass(frozen=True, eq=False)
class Outputs:
    """What G networks of one shape answered. On the CPU; the samples are the probe's n, then its test samples."""

    logits: np.ndarray  # (G, K, N) float32
    latents: np.ndarray  # (G, d, N) float32
    weight: np.ndarray  # (G, K, d) float64, the heads
    bias: np.ndarray  # (G, K) float64

    @classmethod
    def of(cls, logits: Tensor, latents: Tensor, weight: Tensor, bias: Tensor) -> Outputs:
        """The same from tensors on any device, heads (G, K, d) and (G, K)."""
        return cls(logits.float().cpu().numpy(), latents.float().cpu().numpy(),
                   weight.detach().double().cpu().numpy(), bias.detach().double().cpu().numpy())

    @property
    def finite(self) -> np.ndarray:
        """Which networks left no number that is not finite: (G,) bool."""
        parts = (self.logits, self.latents, self.weight, self.bias)
        return np.all([np.isfinite(part).reshape(len(part), -1).all(axis=1) for part in parts], axis=0)


@dataclass(frozen=True, eq=False)
class Look:
    """G runs at one moment on the probe's n samples. A run that is not finite has NaN for all that was computed."""

    latents: np.ndarray  # (G, n, d) float32
    predictions: np.ndarray  # (G, n) int64
    means: np.ndarray  # (G, K, d)
    points: np.ndarray | None  # (G, K, d) collapse points; NaN where γ is 0. None where the theory does not apply
    forces: np.ndarray | None  # (3, G, K, d), likewise
    metrics: dict[str, np.ndarray]  # (G,) each; {} when only positions were wanted
    peaks: np.ndarray | None  # (G, d), likewise


class Observer:
    """Looks at the runs of one configuration, which differ in their γ, moment after moment.

    Collapse points are solved from where they were at the last moment.
    """

    def __init__(self, loss: LossConfig, theory: bool) -> None:
        self._loss, self._theory = loss, theory
        self._points: np.ndarray | None = None

    def forget(self) -> None:
        """What comes next is another moment of time, or another run."""
        self._points = None

    def look(self, probe: Probe, outputs: Outputs, gamma: np.ndarray, metrics: bool) -> Look:
        """The runs with ``gamma`` (G,), in their own convention; `Outputs` of test samples too if with ``metrics``."""
        good, (count, classes, d), n = outputs.finite, outputs.weight.shape, len(probe.labels)
        predictions = outputs.logits.argmax(axis=1)  # (G, N)
        means, peaks = np.full((count, classes, d), np.nan), np.full((count, d), np.nan)
        gamma_paper = gamma * gamma_sum(1.0, self._loss.convention, d)
        points, pushes = self._predict(outputs, gamma_paper, good)
        numbers = {name: np.full(count, np.nan) for name in (*LOSSES, *NAMES)} if metrics else {}
        for some in _blocks(np.flatnonzero(good), max(1, BLOCK // (n * d))):
            sets = LatentSets(outputs.latents[some, :, :n], probe.labels, classes)
            means[some] = sets.means
            if pushes is not None:
                pushes[:, some] = forces(sets.means, outputs.weight[some], outputs.bias[some], gamma_paper[some],
                                         label_smoothing=self._loss.label_smoothing)
            if metrics:
                peaks[some] = sets.peaks
                found = self._losses(probe, outputs.logits[some, :, :n], sets, gamma_paper[some], predictions[some])
                found |= sets.metrics(predictions[some, :n], outputs.weight[some],
                                      None if points is None else points[some])
                for name, values in found.items():
                    numbers[name][some] = values
        latents = np.ascontiguousarray(outputs.latents[:, :, :n].swapaxes(1, 2))
        return Look(latents, predictions[:, :n], means, points, pushes, numbers, peaks if metrics else None)

    def _predict(self, outputs: Outputs, gamma: np.ndarray, good: np.ndarray) -> tuple[np.ndarray | None, ...]:
        """Collapse points, and room for the forces; None where the theory says nothing."""
        if not self._theory:
            return None, None
        points, some = np.full(outputs.weight.shape, np.nan), good & (gamma > 0)
        if some.any():
            start = None if self._points is None else np.nan_to_num(self._points[some])
            points[some] = collapse_points(outputs.weight[some], outputs.bias[some], gamma[some], start,
                                           label_smoothing=self._loss.label_smoothing, unsolved_as_nan=True)
            self._points = points
        return points, np.full((3, *points.shape), np.nan)

    def _losses(self, probe: Probe, logits: np.ndarray, sets: LatentSets, gamma: np.ndarray,
                predictions: np.ndarray) -> dict[str, np.ndarray]:
        """Cross-entropy, penalty (γ included), their sum, and the accuracies, (G,) each."""
        labels, smoothing, n = probe.labels, self._loss.label_smoothing, len(probe.labels)
        away = logits - logits.max(axis=1, keepdims=True).astype(np.float64)  # (G, K, n)
        own = away[:, labels, np.arange(n)].mean(axis=1)
        ce = np.log(np.exp(away).sum(axis=1)).mean(axis=1) - (1 - smoothing) * own
        if smoothing:
            ce -= smoothing * away.mean(axis=(1, 2))
        penalty = gamma * sets.squared_norms.mean(axis=1)
        return {"loss": ce + penalty, "ce": ce, "penalty": penalty,
                "train_accuracy": (predictions[:, :n] == labels).mean(axis=1),
                "test_accuracy": (predictions[:, n:] == probe.test_labels).mean(axis=1)}


def _blocks(indices: np.ndarray, size: int) -> list[np.ndarray | slice]:
    """``indices`` in runs of at most ``size``, as slices where they are consecutive."""
    parts = [indices[at:at + size] for at in range(0, len(indices), size)]
    return [slice(p[0], p[-1] + 1) if p[-1] - p[0] == len(p) - 1 else p for p in parts]
