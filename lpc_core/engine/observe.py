"""What a run looks like at one moment: everything a snapshot or a film keeps, for one run or many of one shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from lpc_core.config import LossConfig
from lpc_core.engine.probe import Probe
from lpc_core.losses import gamma_sum
from lpc_core.metrics.binarity import live_peaks
from lpc_core.metrics.live import Labels, LatentSet, measured
from lpc_core.theory import balance, blocks, forces_of


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
        answers = (t.detach().to("cpu", torch.float32).numpy() for t in (logits, latents))
        return cls(*answers, *(t.detach().cpu().numpy().astype(np.float64) for t in (weight, bias)))

    @cached_property
    def finite(self) -> np.ndarray:
        """Which networks gave finite numbers alone: (G,) bool."""
        parts = [part.reshape(len(part), -1) for part in (self.logits, self.latents, self.weight, self.bias)]
        with np.errstate(over="ignore", invalid="ignore"):
            good: np.ndarray = np.isfinite(sum(np.vecdot(part, part) for part in parts))
        if not good.all():  # or numbers whose squares are too large
            good = np.logical_and.reduce([np.isfinite(part).all(axis=1) for part in parts])
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
    collapse_points: np.ndarray | None  # (G, K, d); NaN where γ is 0. None where the theory does not apply
    forces: np.ndarray | None  # (G, 3, K, d), likewise
    metrics: dict[str, np.ndarray]  # (G,) each; {} when only positions were wanted
    node_peak_distance: np.ndarray | None  # (G, d), likewise


class Observer:
    """Looks at the runs of one configuration, which differ in their γ, moment after moment.

    Collapse points are solved from where they were at the last moment.
    """

    def __init__(self, loss: LossConfig, theory: bool) -> None:
        self._loss, self._theory = loss, theory
        self._points: tuple[np.ndarray, ...] = ()  # of the last two moments, the latter first
        self._labels = Labels(np.zeros(0, np.int64), 1)
        self._memory = np.zeros((3, 0, 0))

    def forget(self) -> None:
        """What comes next is another moment of time, or another run."""
        self._points = ()

    def look(self, probe: Probe, outputs: Outputs, gamma: np.ndarray, metrics: bool) -> Look:
        """The runs with ``gamma`` (G,), in their own convention; `Outputs` of test samples too if with ``metrics``."""
        good, n = outputs.finite, len(probe.labels)
        seen = outputs if good.all() else outputs.without(~good)
        predictions = _largest(seen.logits)  # (G, N)
        runs, classes, d = seen.weight.shape
        gamma = gamma * gamma_sum(1.0, self._loss.convention, d)  # as the paper has it
        self._prepare(probe, classes, d)
        means, peaks, found = np.empty_like(seen.weight), np.empty((runs, d)), []
        points, pushes, start = np.empty_like(means), np.empty((runs, 3, classes, d)), self._start(means.shape)
        for part in blocks(means.shape):
            if self._theory:
                head, smoothing = (seen.weight[part], seen.bias[part], gamma[part]), self._loss.label_smoothing
                points[part], _ = balance(*head, start[part], smoothing)
            for g in range(runs)[part]:
                own = LatentSet(seen.latents[g, :, :n], self._labels, predictions[g, :n], seen.weight[g],
                                points[g] if self._theory else None, self._memory)
                means[g] = own.means
                if metrics:
                    found.append(self._losses(probe, seen.logits[g, :, :n], predictions[g], own, gamma[g])
                                 | measured(own))
                    peaks[g] = own.once(live_peaks)
            if self._theory:
                at_means = forces_of(means[part], *head, labels=np.arange(classes), smoothing=smoothing)
                pushes[part] = at_means.swapaxes(0, 1)
        self._points = (points, *self._points)[:2] if self._theory else ()
        numbers = dict(zip(found[0], np.array([[*each.values()] for each in found]).T, strict=True)) if found else {}
        for values in (means, peaks, points, pushes, *numbers.values()) if seen is not outputs else ():
            values[~good] = np.nan
        return Look(outputs.latents[:, :, :n].swapaxes(1, 2), predictions[:, :n], means,
                    points if self._theory else None, pushes if self._theory else None, numbers,
                    peaks if metrics else None)

    def _prepare(self, probe: Probe, classes: int, d: int) -> None:
        """What the labels alone say, and memory for a set of latents."""
        if self._labels.numbers is not probe.labels or self._labels.classes != classes:
            self._labels = Labels(probe.labels, classes)
        if self._memory.shape[1:] != (d, len(probe.labels)):
            self._memory = np.empty((3, d, len(probe.labels)))

    def _start(self, shape: tuple[int, ...]) -> np.ndarray:
        """Where collapse points are likely to be now: as far from the last ones as those are from the ones before."""
        if len(self._points) < 2:
            return self._points[0] if self._points else np.zeros(shape)
        last, before = self._points
        start: np.ndarray = 2 * last - before
        return start

    def _losses(self, probe: Probe, logits: np.ndarray, predictions: np.ndarray, latent_set: LatentSet,
                gamma: float) -> dict[str, float]:
        """Cross-entropy, penalty (γ included), their sum, and the accuracies, for logits (K, n)."""
        labels, smoothing, n = probe.labels, self._loss.label_smoothing, len(probe.labels)
        away = np.subtract(logits, logits.max(axis=0), dtype=np.float64)  # (K, n)
        own = away.take(self._labels.own).sum() / n
        ce = -(1 - smoothing) * own - (smoothing * away.mean() if smoothing else 0)
        ce += np.log(np.exp(away, out=away).sum(axis=0)).sum() / n
        penalty = gamma * latent_set.squared_norms.sum() / n
        return {"loss": ce + penalty, "ce": ce, "penalty": penalty,
                "train_accuracy": np.count_nonzero(predictions[:n] == labels) / n,
                "test_accuracy": np.count_nonzero(predictions[n:] == probe.test_labels) / len(probe.test_labels)}


def _largest(logits: np.ndarray) -> np.ndarray:
    """``logits.argmax(axis=1)`` of finite (G, K, N), in passes along the samples: (G, N) int64."""
    classes = logits.shape[1]
    first = np.arange(classes, 0, -1, dtype=np.min_scalar_type(classes))[:, None]  # of equals the first counts most
    largest: np.ndarray = classes - ((logits == logits.max(axis=1, keepdims=True)) * first).max(axis=1).astype(np.int64)
    return largest
