"""Fast minimum norm, FMN (Pintor et al. 2021, arXiv 2102.12827): a strong minimum-norm L2 attack on the margin."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lpc_core.models.any import Array, Model
from lpc_core.progress import Progress, silent
from lpc_core.robustness._base import BATCH, Attack, Bounds
from lpc_core.robustness._boundary import other_class, to_boundary
from lpc_core.robustness._result import AttackResult
from lpc_core.robustness._search import Search
from lpc_core.robustness._steps import hard_margin, lengths_of, losing_direction, pace, shrink_to

REACH = 2.0  # largest radius, as a multiple of the input's norm
FROM_INPUT, FROM_BOUNDARY = 1.0, 0.3  # first step as a share of the radius


@dataclass(frozen=True)
class Fmn(Attack):
    """Gradient steps in a ball that is fitted to the boundary, from the input and again from another class."""

    name = "fmn"
    title = "FMN"
    source = "Pintor et al. 2021, arXiv 2102.12827"
    gradients = 300

    steps: int = 150  # of each of the two walks
    gamma: float = 0.05  # share by which the ball changes at the first step; 0.001 at the last

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0.001 <= self.gamma < 1:
            raise ValueError(f"expected steps ≥ 1 and gamma from 0.001 to 1, got {self.steps}, {self.gamma}; the "
                             "defaults are 150 and 0.05")

    def run(self, search: Search) -> None:
        """See `fmn`."""
        self._walk(search, search.rows, None)
        points = other_class(search)
        rows = search.found.nonzero().flatten()
        if len(rows) == 0:
            return
        self._walk(search, rows, to_boundary(search, points[rows], rows))

    def _walk(self, search: Search, rows: Tensor, start: Tensor | None) -> None:
        """From ``start`` (m, …), points of another class, or from the inputs themselves (None)."""
        inputs, limit = search.inputs[rows], REACH * lengths_of(search)[rows]
        change = torch.zeros_like(inputs) if start is None else start - inputs
        known = torch.full_like(rows, start is not None, dtype=torch.bool)  # whether this walk has crossed the boundary
        radius = limit.clone() if start is None else search.norm(change)
        smallest = torch.where(known, radius, torch.inf)  # of this walk
        first = FROM_INPUT if start is None else FROM_BOUNDARY
        for step in range(self.steps):
            search.progress(((start is not None) + step / self.steps) / 2)
            direction, values, slopes = losing_direction(search, inputs + change, rows, hard_margin)
            fooled, size = search.last_fooled[rows], search.norm(change)
            smallest = torch.where(fooled, torch.minimum(smallest, size), smallest)
            share = pace(step, self.steps, self.gamma, 0.001)
            linear = torch.where(slopes > 0, size + values.abs() / slopes, torch.inf)  # where it is flat: the limit
            grown = torch.where(known, radius * (1 + share), linear)
            shrunk = torch.minimum(radius * (1 - share), smallest)
            radius, known = torch.minimum(torch.where(fooled, shrunk, grown), limit), known | fooled
            change = change + search.spread(radius * pace(step, self.steps, first, 0.01)) * direction
            change = shrink_to(search, change, torch.minimum(search.norm(change), radius))
            change = search.box.clip(inputs + change) - inputs
        search.ask(inputs + change, rows)


ATTACK = Fmn


def fmn(model: Model, inputs: Array, labels: Array | None = None, *, steps: int = 150, gamma: float = 0.05,
        bounds: Bounds | None = None, batch_size: int = BATCH, seed: int = 0,
        progress: Progress = silent) -> AttackResult:
    """FMN, L2, on all of ``inputs`` (N, …); the rest of the arguments and the errors are those of `Attack.__call__`.

    The published attack, but that its steps are a share of the present radius (1 → 0.01) where the paper has 1, so that
    the result does not depend on the inputs' unit, and that it always walks twice: from the input, and from the
    boundary on the way to the nearest other input that the model takes for another class (one of the paper's starts).
    At equal cost the second walk finds what twice as many steps from the input do not: on digits networks the attack
    without gradients was ahead of one walk of 300 steps on 17 to 22 % of samples, and of two walks of 150 on less than
    1 %. ``seed`` matters only where there is no gradient or no other class.
    """
    attack = Fmn(steps=steps, gamma=gamma)
    return attack(model, inputs, labels, bounds=bounds, batch_size=batch_size, seed=seed, progress=progress)
