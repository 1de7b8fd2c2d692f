"""Projected gradient descent, PGD (Madry et al. 2018, arXiv 1706.06083), over a grid of ε: accuracy against ε."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from lpc_core.robustness._base import Attack
from lpc_core.robustness._search import Search
from lpc_core.robustness._steps import hard_margin, lengths_of, losing_direction, shrink_to

SHARES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5)  # default ε, as shares of the input's norm
INSIDE = 1 - 1e-6  # of ε, so that rounding of the perturbation leaves it not just outside


@dataclass(frozen=True)
class Pgd(Attack):
    """PGD at one ε after another, each for the samples that all smaller ones left standing.

    In L2 it steps along the gradient and shortens what leaves the ball; in L∞ along its signs, and clips every value.
    """

    gradients = 1_000
    source = "Madry et al. 2018, arXiv 1706.06083"

    epsilons: tuple[float, ...] = ()  # radii in the inputs' unit, rising; () takes `SHARES` of each input's own norm
    steps: int = 40
    pace: float = 0.1  # length of a step as a share of ε

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in pairwise((0.0, *self.epsilons, torch.inf)))
        if not rising or self.steps < 1 or not 0 < self.pace < torch.inf:
            raise ValueError(f"expected rising epsilons above 0, steps ≥ 1 and pace > 0, got {self.epsilons}, "
                             f"{self.steps}, {self.pace}; the default steps and pace are 40 and 0.1")

    def run(self, search: Search) -> None:
        """See the class."""
        radii = self._radii(search)
        for number, radius in enumerate(radii):
            search.progress(number / len(radii))
            self._attack(search, (~search.found).nonzero().flatten(), radius)

    def _radii(self, search: Search) -> list[Tensor]:
        """Each ε as one number per sample, (n,)."""
        if self.epsilons:
            return [torch.full_like(search.best_norms, epsilon) for epsilon in self.epsilons]
        return [share * lengths_of(search) for share in SHARES]

    def _attack(self, search: Search, rows: Tensor, radii: Tensor) -> None:
        """Steps within ``radii`` (n,) for the samples ``rows``, from a random start; a sample that falls leaves."""
        radius = radii[rows]
        change = self._inside(search, rows, search.noise(tuple(search.inputs[rows].shape)), radius / 2)
        for _ in range(self.steps):
            if len(rows) == 0:
                return
            direction, _, _ = losing_direction(search, search.inputs[rows] + change, rows, hard_margin)
            going = ~search.found[rows]
            rows, radius, change, direction = (part[going] for part in (rows, radius, change, direction))
            step = direction.sign() if self.distance == "linf" else direction
            change = change + search.spread(self.pace * radius) * step
            change = self._inside(search, rows, change, radius)
        search.ask(search.inputs[rows] + change, rows)

    def _inside(self, search: Search, rows: Tensor, change: Tensor, radius: Tensor) -> Tensor:
        """``change`` (m, …) in the ball and in the box."""
        inputs = search.inputs[rows]
        # the sum is rounded too, and by more than that where inputs are large beside ε
        rounding = torch.finfo(inputs.dtype).eps * (search.norm(inputs) + radius)
        inside = (INSIDE * radius - rounding).clamp_min(0)
        change = (change.clamp(-search.spread(inside), search.spread(inside)) if self.distance == "linf" else
                  shrink_to(search, change, torch.minimum(search.norm(change), inside)))
        return search.box.clip(inputs + change) - inputs
