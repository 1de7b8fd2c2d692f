"""What an attack may ask of a model: answers and gradients, every one of them counted, the best finding kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lpc_core.models.any import OpenModel, gradient


@dataclass(frozen=True, eq=False)
class Box:
    """The values that inputs can take: ``low`` ≤ x ≤ ``high``, each broadcast to one input; None without limits."""

    low: Tensor | None = None
    high: Tensor | None = None

    def clip(self, points: Tensor) -> Tensor:
        """The nearest points (n, …) inside."""
        return points if self.low is None else torch.clamp(points, self.low, self.high)


class Search:
    """A batch of n samples under attack. ``rows`` everywhere are the numbers of samples, one for each point.

    Whatever is asked is first clipped into the box. The smallest perturbation ever seen to change the answer is kept in
    ``best``, so an attack returns nothing: what it found is what the model itself has confirmed.
    """

    def __init__(self, model: OpenModel, places: Tensor, labels: Tensor, logits: Tensor, *, box: Box, distance: str,
                 generator: torch.Generator) -> None:
        """``places`` (n,) of the batch among the N inputs of ``model``, and ``labels`` (N,) and ``logits`` (N, K)."""
        self.places, self.box, self.generator = places, box, generator
        self.inputs, self.labels = model.inputs[places], labels[places]  # (n, …), (n,)
        self.logits, self.clean = logits, logits[places]  # (N, K), (n, K)
        self.best = self.inputs.clone()
        self.best_norms = torch.full_like(self.labels, torch.inf, dtype=self.inputs.dtype)
        self.forwards = torch.ones_like(self.labels)  # one for ``logits``
        self.backwards = torch.zeros_like(self.labels)
        self.last_fooled = torch.zeros_like(self.labels, dtype=torch.bool)  # by the latest question
        self.progress: Callable[[float], None] = lambda share: None
        self.model = model  # with all inputs; code of others may ask it, which then is neither counted nor kept
        self._order = torch.inf if distance == "linf" else 2

    @property
    def rows(self) -> Tensor:
        """Every sample, (n,)."""
        return torch.arange(len(self.inputs), device=self.inputs.device)

    @property
    def found(self) -> Tensor:
        """(n,) bool, whether some perturbation has changed the answer."""
        return self.best_norms.isfinite()

    def spread(self, values: Tensor) -> Tensor:
        """``values`` (n,) with as many axes as the inputs, to multiply them."""
        return values.view(-1, *[1] * (self.inputs.ndim - 1))

    def norm(self, change: Tensor) -> Tensor:
        """The size (n,) of changes (n, …), in the attack's distance."""
        lengths: Tensor = torch.linalg.vector_norm(change, self._order, dim=tuple(range(1, change.ndim)))
        return lengths

    def noise(self, shape: tuple[int, ...]) -> Tensor:
        """Standard normal numbers from the seeded stream."""
        return torch.randn(shape, generator=self.generator, dtype=self.inputs.dtype, device=self.inputs.device)

    @torch.no_grad()
    def ask(self, points: Tensor, rows: Tensor) -> Tensor:
        """Logits (m, K) at ``points`` (m, …)."""
        points = self.box.clip(points)
        logits = self.model(points)
        self._note(points, logits, rows)
        return logits

    def fools(self, points: Tensor, rows: Tensor) -> Tensor:
        """Whether each of ``points`` (m, …) changes the answer, (m,) bool."""
        self.ask(points, rows)
        return self.last_fooled[rows]

    @torch.no_grad()
    def probe(self, points: Tensor, rows: Tensor) -> Tensor:
        """The same for b ``points`` (m, b, …) of every sample, (m, b) bool. Probes are not kept as findings."""
        count = points.shape[1]
        self.forwards[rows] += count
        logits = self.model(self.box.clip(points.flatten(0, 1)))
        return self._fooled(logits, self.labels[rows].repeat_interleave(count)).view(-1, count)

    def differentiable(self, points: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """A leaf with the clipped ``points`` (m, …) and its logits (m, K), for `gradient`."""
        leaf, logits = self.model.differentiable(self.box.clip(points))
        self._note(leaf.detach(), logits.detach(), rows)
        return leaf, logits

    def again(self, points: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The same at ``points`` that were asked about before, inside the box: counted, but no news."""
        self.forwards[rows] += 1
        return self.model.differentiable(points)

    def gradient(self, values: Tensor, leaf: Tensor, rows: Tensor, *, keep: bool = False) -> Tensor:
        """Gradients (m, …) of ``values`` (m,), one per sample; ``rows`` are those it is counted for. ``keep`` the graph
        for another.
        """
        self.backwards[rows] += 1
        return gradient(values.sum(), leaf, keep=keep)

    def _note(self, points: Tensor, logits: Tensor, rows: Tensor) -> None:
        self.forwards[rows] += 1
        self.last_fooled[rows] = fooled = self._fooled(logits, self.labels[rows])
        points, rows = points[fooled], rows[fooled]
        norms = self.norm(points - self.inputs[rows])
        better = norms < self.best_norms[rows]
        chosen = rows[better]
        self.best[chosen], self.best_norms[chosen] = points[better], norms[better]

    @staticmethod
    def _fooled(logits: Tensor, labels: Tensor) -> Tensor:
        """Another class is ahead. An answer that is not a number is no answer."""
        return (logits.argmax(1) != labels) & logits.isfinite().all(1)
