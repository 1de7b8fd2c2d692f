"""What a run looks like at one moment: everything a snapshot or a film keeps, for one run or many of one shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from lpc_core.config import LossConfig
from lpc_core.engine._probe import Probe
from lpc_core.losses import gamma_sum
from lpc_core.metrics.binarity import live_peaks
from lpc_core.metrics.live import Labels, LatentSet, measured
from lpc_core.theory import collapse_points, forces


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

    @cached_property
    def finite(self) -> np.ndarray:
        """Which networks gave finite numbers alone: (G,) bool."""
        parts, good = (self.logits, self.latents, self.weight, self.bias), np.ones(len(self.weight), bool)
        with np.errstate(over="ignore", invalid="ignore"):
            if all(math.isfinite(part.sum()) for part in parts):  # then all are; else some number may just be huge
                return good
        for part in parts:
            good &= np.isfinite(part).reshape(len(part), -1).all(axis=1)
        return good

    def without(self, bad: np.ndarray) -> Outputs:
        """The same with zeros in the place of the networks that are ``bad`` (G,)."""
        parts = (self.logits, self.latents, self.weight, self.bias)
        return Outputs(*(np.where(bad.reshape(-1, *[1] * (part.ndim - 1)), 0, part) for part in parts))


@dataclass(frozen=True, eq=False)
class Look:
    """G runs at one moment on the probe's n samples. A run that is not finite has NaN for all that was computed."""

    latents: np.ndarray  # (G, n, d) float32
    predictions: np.ndarray  # (G, n) int64
    means: np.ndarray  # (G, K, d)
    points: np.ndarray | None  # (G, K, d) collapse points; NaN where γ is 0. None where the theory does not apply
    forces: np.ndarray | None  # (G, 3, K, d), likewise
    metrics: dict[str, np.ndarray]  # (G,) each; {} when only positions were wanted
    peaks: np.ndarray | None  # (G, d), likewise


class Observer:
    """Looks at the runs of one configuration, which differ in their γ, moment after moment.

    Collapse points are solved from where they were at the last moment.
    """

    def __init__(self, loss: LossConfig, theory: bool) -> None:
        self._loss, self._theory = loss, theory
        self._points: np.ndarray | None = None
        self._labels = Labels(np.zeros(0, np.int64), 1)
        self._memory = np.zeros((3, 0, 0))

    def forget(self) -> None:
        """What comes next is another moment of time, or another run."""
        self._points = None

    def look(self, probe: Probe, outputs: Outputs, gamma: np.ndarray, metrics: bool) -> Look:
        """The runs with ``gamma`` (G,), in their own convention; `Outputs` of test samples too if with ``metrics``."""
        good, (_, classes, d), n = outputs.finite, outputs.weight.shape, len(probe.labels)
        latents = np.ascontiguousarray(outputs.latents[:, :, :n].swapaxes(1, 2))
        seen = outputs if good.all() else outputs.without(~good)
        gamma = gamma * gamma_sum(1.0, self._loss.convention, d)  # as the paper has it
        best, predictions = (t.numpy() for t in torch.from_numpy(seen.logits).max(1))  # (G, N) both
        points = self._predict(seen, gamma) if self._theory else None
        if self._labels.numbers is not probe.labels:
            self._labels = Labels(probe.labels, classes)
        if self._memory.shape[1:] != (d, n):
            self._memory = np.empty((3, d, n))
        means, peaks, found = np.empty_like(seen.weight), np.empty((len(gamma), d)), []
        for g in range(len(gamma)):
            latent_set = LatentSet(seen.latents[g, :, :n], self._labels, predictions[g, :n], seen.weight[g],
                                   None if points is None else points[g], self._memory)
            means[g] = latent_set.means
            if metrics:
                found.append(self._losses(probe, seen.logits[g, :, :n], best[g], predictions[g], latent_set, gamma[g])
                             | measured(latent_set))
                peaks[g] = latent_set.once(live_peaks)
        pushes = None
        if points is not None:
            pushes = forces(means, seen.weight, seen.bias, gamma, label_smoothing=self._loss.label_smoothing)
            pushes = pushes.swapaxes(0, 1)
        numbers = {name: np.array([each[name] for each in found]) for name in (found[0] if found else ())}
        if seen is not outputs:
            for values in (means, peaks, points, pushes, *numbers.values()):
                if values is not None:
                    values[~good] = np.nan
        return Look(latents, predictions[:, :n], means, points, pushes, numbers, peaks if metrics else None)

    def _predict(self, outputs: Outputs, gamma: np.ndarray) -> np.ndarray:
        """Collapse points, NaN where γ is 0 and where none was found."""
        some = gamma > 0
        if not some.any():
            return np.full(outputs.weight.shape, np.nan)
        start = None if self._points is None else np.nan_to_num(self._points)
        if some.all():
            self._points = self._solve(outputs.weight, outputs.bias, gamma, start)
            return self._points.copy()
        points = np.full(outputs.weight.shape, np.nan)
        points[some] = self._solve(outputs.weight[some], outputs.bias[some], gamma[some],
                                   None if start is None else start[some])
        self._points = points
        return points.copy()

    def _solve(self, weight: np.ndarray, bias: np.ndarray, gamma: np.ndarray, start: np.ndarray | None) -> np.ndarray:
        return collapse_points(weight, bias, gamma, start, label_smoothing=self._loss.label_smoothing,
                               unsolved_as_nan=True)

    def _losses(self, probe: Probe, logits: np.ndarray, best: np.ndarray, predictions: np.ndarray,  # noqa: PLR0917
                latent_set: LatentSet, gamma: float) -> dict[str, float]:
        """Cross-entropy, penalty (γ included), their sum, and the accuracies, for logits (K, n) and their maxima."""
        labels, smoothing, n = probe.labels, self._loss.label_smoothing, len(probe.labels)
        away = np.subtract(logits, best[:n], dtype=np.float64)  # (K, n)
        own = away.take(self._labels.own).sum() / n
        ce = -(1 - smoothing) * own - (smoothing * away.mean() if smoothing else 0)
        ce += np.log(np.exp(away, out=away).sum(axis=0)).sum() / n
        penalty = gamma * latent_set.squared_norms.sum() / n
        return {"loss": ce + penalty, "ce": ce, "penalty": penalty,
                "train_accuracy": np.count_nonzero(predictions[:n] == labels) / n,
                "test_accuracy": np.count_nonzero(predictions[n:] == probe.test_labels) / len(probe.test_labels)}
