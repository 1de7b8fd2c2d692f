"""HopSkipJump (Chen, Jordan & Wainwright 2020, arXiv 1904.02144), L2: only the model's decisions are used."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lpc_core.models.any import Array, Model
from lpc_core.progress import Progress, silent
from lpc_core.robustness._base import BATCH, Attack, Bounds
from lpc_core.robustness._boundary import HALVINGS, other_class, to_boundary
from lpc_core.robustness._result import AttackResult
from lpc_core.robustness._search import Search

STEP_HALVINGS = 12  # before a step along the boundary's normal is given up
CHUNK = 1_024  # probes asked at once


@dataclass(frozen=True)
class HopSkipJump(Attack):
    """Walks along the decision boundary, its normal estimated from which random probes change the answer."""

    name = "hopskipjump"
    title = "HopSkipJump"
    source = "Chen, Jordan & Wainwright 2020, arXiv 1904.02144"
    white_box = False
    gradients = 1_500

    iterations: int = 15
    probes: int = 50  # per sample at the first iteration; √t times as many at the t-th

    def __post_init__(self) -> None:
        if self.iterations < 0 or self.probes < 2:
            raise ValueError(f"expected iterations ≥ 0 and probes ≥ 2, got {self.iterations}, {self.probes}; the "
                             "defaults are 15 and 50")

    def run(self, search: Search) -> None:
        """See `hopskipjump`."""
        points = other_class(search)
        rows = search.found.nonzero().flatten()
        if len(rows) == 0:
            return
        points = to_boundary(search, points[rows], rows)
        for t in range(1, self.iterations + 1):
            search.progress((t - 1) / self.iterations)
            away = search.norm(points - search.inputs[rows])  # (m,)
            normal = self._normal(search, points, rows, away, round(self.probes * math.sqrt(t)))
            points = _along(search, points, rows, normal, away / math.sqrt(t))
            points = to_boundary(search, points, rows)

    def _normal(self, search: Search, points: Tensor, rows: Tensor, away: Tensor, count: int) -> Tensor:
        """Unit directions (m, …) that lead across the boundary: the mean of random ones, by what they do to the answer.

        The decisions' own mean is taken off first, which lowers the variance where the two sides are unequal (Eq. 16 of
        the paper). The probes' radius is √D times the uncertainty of the boundary, as there.
        """
        radius = away * math.sqrt(points[0].numel()) / 2 ** HALVINGS
        per_chunk = max(1, CHUNK // count)
        parts = []
        for some in torch.split(torch.arange(len(rows), device=rows.device), per_chunk):
            chance = search.noise((len(some), count, points[0].numel()))
            chance = chance / torch.linalg.vector_norm(chance, dim=2, keepdim=True)
            steps = (chance * radius[some, None, None]).view(len(some), count, *points.shape[1:])
            votes = 2.0 * search.probe(points[some, None] + steps, rows[some]).to(points.dtype) - 1  # (m', count)
            mixed = votes.abs().mean(1) > votes.mean(1).abs()
            votes = votes - torch.where(mixed, votes.mean(1), 0.0)[:, None]
            parts.append(torch.einsum("mc,mcd->md", votes, chance).view_as(points[some]))
        summed = torch.cat(parts)
        return summed / search.spread(search.norm(summed).clamp_min(torch.finfo(summed.dtype).tiny))


def _along(search: Search, points: Tensor, rows: Tensor, normal: Tensor, length: Tensor) -> Tensor:
    """``points`` (m, …) moved along ``normal`` by ``length`` (m,), halved until the answer is changed there too."""
    moved = points.clone()
    waiting = torch.arange(len(rows), device=rows.device)
    for _ in range(STEP_HALVINGS):
        if len(waiting) == 0:
            break
        there = search.box.clip(points[waiting] + search.spread(length[waiting]) * normal[waiting])
        crossed = search.fools(there, rows[waiting])
        moved[waiting[crossed]] = there[crossed]
        waiting = waiting[~crossed]
        length = length / 2
    return moved


ATTACK = HopSkipJump


def hopskipjump(model: Model, inputs: Array, labels: Array | None = None, *, iterations: int = 15, probes: int = 50,
                bounds: Bounds | None = None, batch_size: int = BATCH, seed: int = 0,
                progress: Progress = silent) -> AttackResult:
    """HopSkipJump on all of ``inputs`` (N, …); the rest of the arguments and the errors are those of `Attack.__call__`.

    It never sees a logit or a gradient, so nothing can be masked from it: where it beats the gradient attacks, their
    numbers are wrong. It starts from the nearest of the other inputs that the model takes for another class (the paper
    starts from noise; noise is used where there is none), and asks about 2,500 times per sample with the defaults,
    which are far fewer than the paper's: it detects masking, it does not compete.
    """
    attack = HopSkipJump(iterations=iterations, probes=probes)
    return attack(model, inputs, labels, bounds=bounds, batch_size=batch_size, seed=seed, progress=progress)
