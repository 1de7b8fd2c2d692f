"""What an attack is. Its author writes only `Attack.run`; bounds, success, norms and counts are seen to here."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from lpc_core.models.any import Array, Model, as_labels, opened
from lpc_core.progress import Progress, silent
from lpc_core.robustness._result import AttackResult
from lpc_core.robustness._search import Box, Search

Bounds = tuple[float | Array, float | Array]
BATCH = 256  # samples attacked at once


@dataclass(frozen=True)
class Attack(ABC):
    """A search for the smallest perturbation that changes a classifier's answer. Settings are the subclass's fields."""

    name: ClassVar[str]  # that of its module, with hyphens
    title: ClassVar[str]
    source: ClassVar[str]
    white_box: ClassVar[bool] = True  # whether it uses gradients
    distance: ClassVar[str] = "l2"
    gradients: ClassVar[int] = 200  # per sample, about: for how long it takes

    @abstractmethod
    def run(self, search: Search) -> None:
        """Look for small perturbations of ``search.inputs`` by asking ``search``, which keeps the best."""

    def __call__(self, model: Model, inputs: Array, labels: Array | None = None, *, bounds: Bounds | None = None,
                 batch_size: int = BATCH, seed: int = 0, progress: Progress = silent) -> AttackResult:
        """Attack every input that ``model`` gets right.

        ``model`` gives logits (N, K); it is evaluated and put back into its mode. ``inputs`` (N, …) are as the model
        takes them. ``labels`` (N,) are the true classes; without them every sample is attacked from the class that the
        model predicts, as the paper's authors do. ``bounds`` (low, high) are the values inputs can take, numbers or
        arrays that broadcast to one input; without them a perturbation may go anywhere. ``seed`` sets all chance.
        Raises `ValueError` ("expected X, got Y; do Z") for models, inputs, labels and bounds of another form.
        """
        if batch_size < 1:
            raise ValueError(f"expected batch_size ≥ 1, got {batch_size}; it is how many samples are attacked at once")
        begin = time.perf_counter()
        with opened(model, inputs) as asked:
            logits = asked.logits(batch_size)
            predictions = logits.argmax(1)
            truth = predictions if labels is None else as_labels(labels, logits)
            box, generator = as_box(bounds, asked.inputs), torch.Generator(asked.inputs.device).manual_seed(seed)
            right = (predictions == truth).nonzero().flatten()
            searches = [Search(asked, places, truth, logits, box=box, distance=self.distance, generator=generator)
                        for places in right.split(batch_size) if len(places)]
            for number, search in enumerate(searches):
                search.progress = self._tell(progress, number, len(searches))
                search.progress(0.0)
                self.run(search)
        progress(1.0, self.title)
        return self._result(asked.inputs, truth, predictions != truth, searches, logits.shape[1],
                            time.perf_counter() - begin)

    def _tell(self, progress: Progress, done: int, searches: int) -> Callable[[float], None]:
        return lambda share: progress((done + share) / searches, self.title)

    def _result(self, inputs: Tensor, truth: Tensor, wrong: Tensor, searches: list[Search],  # noqa: PLR0917
                classes: int, seconds: float) -> AttackResult:
        """What the searches found, in the order of the inputs; those that were ``wrong`` (N,) need nothing."""
        perturbed, success = inputs.clone(), wrong.clone()
        forwards, backwards = torch.ones_like(truth), torch.zeros_like(truth)
        for search in searches:
            perturbed[search.places], success[search.places] = search.best, search.found
            forwards[search.places], backwards[search.places] = search.forwards, search.backwards
        changed, lengths = sizes(perturbed - inputs, self.distance), sizes(inputs, self.distance)
        norms = np.where(success.cpu().numpy(), changed, np.inf)
        return AttackResult(
            attack=self.name, title=self.title, white_box=self.white_box, distance=self.distance, norms=norms,
            relative=norms / np.where(lengths > 0, lengths, np.nan), success=success.cpu().numpy(),
            initially_wrong=wrong.cpu().numpy(), forwards=forwards.cpu().numpy(), backwards=backwards.cpu().numpy(),
            perturbed=perturbed, labels=truth.cpu().numpy(), classes=classes, seconds=seconds)


def sizes(vectors: Tensor, distance: str) -> np.ndarray:
    """Norms (N,) float64 of ``vectors`` (N, …) in "l2" or "linf"."""
    order, axes = torch.inf if distance == "linf" else 2, tuple(range(1, vectors.ndim))
    lengths: Tensor = torch.linalg.vector_norm(vectors, order, dim=axes, dtype=torch.float64)
    return lengths.cpu().numpy()


def as_box(bounds: Bounds | None, inputs: Tensor) -> Box:
    """``bounds`` beside ``inputs`` (N, …); `ValueError` where they don't fit, or the inputs lie outside."""
    if bounds is None:
        return Box()
    if not isinstance(bounds, tuple | list) or len(bounds) != 2:
        raise ValueError(f"expected bounds (low, high), got {bounds!r}; pass the smallest and largest input value")
    low, high = (torch.as_tensor(end, dtype=inputs.dtype, device=inputs.device) for end in bounds)
    try:
        shape = np.broadcast_shapes(low.shape, high.shape, inputs.shape[1:])
    except ValueError:
        shape = ()
    if shape != inputs.shape[1:]:
        raise ValueError(f"expected bounds that broadcast to one input {tuple(inputs.shape[1:])}, got "
                         f"{tuple(low.shape)} and {tuple(high.shape)}; give a channel's bounds the shape (C, 1, 1)")
    if not bool((low < high).all()):
        raise ValueError(f"expected bounds with low < high, got {bounds!r}; pass (low, high)")
    if bool(beyond(inputs, low, high).any()):
        raise ValueError(f"expected inputs inside the bounds, got values from {float(inputs.min()):g} to "
                         f"{float(inputs.max()):g} for {_range(low, high)}; give the bounds of the inputs as the model "
                         "takes them, after normalisation")
    # an input that rounding has put just outside is not to be moved
    return Box(torch.minimum(low, inputs.amin(0)), torch.maximum(high, inputs.amax(0)))


def beyond(points: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Which of ``points`` (n, …) lie outside ``low``…``high`` by more than rounding of a normalisation does, (n,)."""
    span = (high - low).where((high - low).isfinite(), points.amax() - points.amin())  # bounds may be infinite
    slack = 1e-5 * span
    return ((points < low - slack) | (points > high + slack)).flatten(1).any(1)


def _range(low: Tensor, high: Tensor) -> str:
    return f"bounds from {float(low.min()):g} to {float(high.max()):g}"
