"""What a run looks like at one moment: everything a snapshot or a film keeps, for one run or many of one shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from lpc_core.config import LossConfig
from lpc_core.engine.probe import Probe
from lpc_core.losses import gamma_sum
from lpc_core.metrics.live import LatentSets
from lpc_core.theory import collapse_points, forces

BLOCK = 1 << 18  # latent values measured together: 2 MB in float64


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
        good = np.ones(len(self.weight), bool)
        for part in (self.logits, self.latents, self.weight, self.bias):
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

    def forget(self) -> None:
        """What comes next is another moment of time, or another run."""
        self._points = None

    def look(self, probe: Probe, outputs: Outputs, gamma: np.ndarray, metrics: bool) -> Look:
        """The runs with ``gamma`` (G,), in their own convention; `Outputs` of test samples too if with ``metrics``."""
        good, d, n = outputs.finite, outputs.weight.shape[2], len(probe.labels)
        latents = np.ascontiguousarray(outputs.latents[:, :, :n].swapaxes(1, 2))
        seen = outputs if good.all() else outputs.without(~good)
        predictions = seen.logits.argmax(axis=1)  # (G, N)
        gamma = gamma * gamma_sum(1.0, self._loss.convention, d)  # as the paper has it
        points = self._predict(seen, gamma) if self._theory else None
        size = max(1, BLOCK // (n * d))
        parts = [self._measure(probe, seen, predictions, gamma, points, slice(at, at + size), metrics)
                 for at in range(0, len(gamma), size)]
        found = parts[0] if len(parts) == 1 else {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        for values in found.values() if seen is not outputs else ():
            values[~good] = np.nan
        if points is not None:
            points[~good] = np.nan
        means, pushes, peaks = found.pop("means"), found.pop("forces", None), found.pop("peaks", None)
        return Look(latents, predictions[:, :n], means, points, pushes, found, peaks)

    def _predict(self, outputs: Outputs, gamma: np.ndarray) -> np.ndarray:
        """Collapse points, NaN where γ is 0 and where none was found."""
        points, some = np.full(outputs.weight.shape, np.nan), gamma > 0
        if some.any():
            start = None if self._points is None else np.nan_to_num(self._points[some])
            points[some] = collapse_points(outputs.weight[some], outputs.bias[some], gamma[some], start,
                                           label_smoothing=self._loss.label_smoothing, unsolved_as_nan=True)
            self._points = points
        return points

    def _measure(self, probe: Probe, outputs: Outputs, predictions: np.ndarray, gamma: np.ndarray,  # noqa: PLR0917
                 points: np.ndarray | None, part: slice, metrics: bool) -> dict[str, np.ndarray]:
        """Everything about some of the runs that follows from their latents, each with a first dimension of runs."""
        n, weight = len(probe.labels), outputs.weight[part]
        sets = LatentSets(outputs.latents[part, :, :n], probe.labels, weight.shape[1])
        found = {"means": sets.means}
        if points is not None:
            found["forces"] = forces(sets.means, weight, outputs.bias[part], gamma[part],
                                     label_smoothing=self._loss.label_smoothing).swapaxes(0, 1)
        if metrics:
            found |= self._losses(probe, outputs.logits[part, :, :n], sets, gamma[part], predictions[part])
            found |= sets.metrics(predictions[part, :n], weight, None if points is None else points[part])
            found["peaks"] = sets.peaks
        return found

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
        right = predictions == np.concatenate([labels, probe.test_labels])  # (G, N)
        return {"loss": ce + penalty, "ce": ce, "penalty": penalty, "train_accuracy": right[:, :n].mean(axis=1),
                "test_accuracy": right[:, n:].mean(axis=1)}
