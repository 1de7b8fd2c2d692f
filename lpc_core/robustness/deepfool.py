"""DeepFool (Moosavi-Dezfooli, Fawzi & Frossard 2016, arXiv 1511.04599), L2, a whole batch at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from scipy.special import bdtrik
from torch import Tensor

from lpc_core.models.any import Array, Model
from lpc_core.robustness._base import BATCH, Attack, Bounds
from lpc_core.robustness._result import AttackResult
from lpc_core.robustness._search import Progress, Search

SMALL = 2**19  # numbers in a batch of inputs, up to which calls cost more than arithmetic
INSIDE, SURE = 0.9, 0.95  # share of the gradients' lengths that is to be within reach, and with what confidence
TINY = 1e-4  # added to every step's length, as the published code does, in units of the inputs


@dataclass(frozen=True)
class DeepFool(Attack):
    """Steps to the nearest boundary of the linearised classifier until the answer changes."""

    name = "deepfool"
    title = "DeepFool"
    source = "Moosavi-Dezfooli, Fawzi & Frossard 2016, arXiv 1511.04599"
    white_box = True
    opens_with_gradient = True

    candidates: int = 10  # classes with the largest logits, the own one included
    overshoot: float = 0.02  # share by which the whole perturbation is stretched
    steps: int = 50
    trust: float = 1.75  # rivals with up to this multiple of the least gap are always looked at

    def __post_init__(self) -> None:
        if self.candidates < 2 or self.steps < 1 or self.overshoot < 0 or not self.trust >= 1:
            raise ValueError(f"expected candidates ≥ 2, steps ≥ 1, overshoot ≥ 0 and trust ≥ 1, got {self.candidates}, "
                             f"{self.steps}, {self.overshoot}, {self.trust}; the defaults are 10, 50, 0.02 and 1.75")

    def run(self, search: Search) -> None:
        """See `deepfool`."""
        rows, logits, rivals = search.rows, search.clean, self._rivals(search)
        inputs = points = search.inputs
        total, reach = torch.zeros_like(inputs), _Reach(self.trust)
        for step in range(self.steps):
            search.progress(step / self.steps)
            gaps = _gaps(logits, search.labels[rows], rivals).abs()
            passed = search.again(points, rows) if step else search.at_inputs()
            distances, move = _to_nearest_boundary(search, passed, rows, rivals, gaps, reach=reach)
            total += move
            points = search.box.clip(torch.add(inputs, total, alpha=1 + self.overshoot))
            logits = search.ask(points, rows)
            # the first change of the answer ends it, and so does a spot without any gradient
            going = (~search.last_fooled[rows] & distances.isfinite()).nonzero().flatten()
            if len(going) == 0:
                return
            rows, logits, rivals, inputs, points, total = (
                part[going] for part in (rows, logits, rivals, inputs, points, total))

    def _rivals(self, search: Search) -> Tensor:
        """The other candidate classes of each sample, (n, C − 1)."""
        others = search.clean.scatter(1, search.labels[:, None], -torch.inf)
        return others.topk(min(self.candidates, others.shape[1]) - 1, dim=1).indices


class _Reach:
    """Up to which multiple of its least gap a sample's rivals are looked at. It is learnt on the way.

    A rival whose gap is t times the least can only be nearer by a gradient more than t times as long as that of the
    least-gap rival. The limit is where, with `SURE` confidence, at most 1 − `INSIDE` of all gradients are so long: a
    tolerance limit, which is an order statistic of those measured (Wilks 1941). Fewer than 29 are not enough to tell,
    and leave no rival out. A sample whose own least-gap gradient is uncommonly short gets more: whatever a gradient of
    the batch's median length could bring nearest.
    """

    def __init__(self, least: float) -> None:
        self.limit = self._least = least
        self._seen = torch.empty(0)
        self._common: Tensor | None = None

    def multiples(self, lengths: Tensor) -> Tensor:
        """That multiple (m,) for samples with least-gap gradients of these ``lengths`` (m,); those first seen set the
        median. NaN, which nothing is larger than, where a sample has no gradient or no gap.
        """
        self._common = lengths.nanmedian() if self._common is None else self._common
        return (self._common / lengths).clamp_min(self.limit)

    def learn(self, ratios: Tensor) -> bool:
        """Take in ``ratios`` (p,) of lengths; whether the limit has grown."""
        self._seen = torch.cat([self._seen.to(ratios), ratios[~ratios.isnan()]]).sort().values
        count = len(self._seen)
        below = math.ceil(bdtrik(SURE, count, INSIDE)) if count else 0  # how many may lie below it by chance
        before = self.limit
        self.limit = max(self._least, float(self._seen[below]) if below < count else math.inf)
        return self.limit > before


def _to_nearest_boundary(search: Search, passed: tuple[Tensor, Tensor], rows: Tensor, rivals: Tensor, gaps: Tensor,
                         *, reach: _Reach) -> tuple[Tensor, Tensor]:
    """Distances (m,) and steps (m, …) to the nearest of all boundaries with ``rivals`` (m, C − 1).

    ``passed`` are the points (m, …), a leaf, and their logits; ``gaps`` (m, C − 1) the |f_k − f_y| there. That pass
    serves each sample's rival with the least gap. Any other within reach has a pass of its own, in batches over all
    samples: a backward pass per rank would be for ever smaller batches, or for ever more that have no such rival.
    """
    gaps, order = gaps.sort(1)
    rivals, points = rivals.gather(1, order), passed[0].detach()
    distances, steps = _to_boundary(search, passed, rows, rivals[:, 0])
    lengths = gaps[:, 0] / distances
    left = torch.ones_like(rivals[:, 1:], dtype=torch.bool)  # to be looked at yet
    together = max(len(search.inputs), SMALL // points[0].numel())
    growing = True
    while growing:
        within = left & ~(gaps[:, 1:] > reach.multiples(lengths)[:, None] * gaps[:, :1])
        left &= ~within
        pairs, ratios = within.nonzero(), [lengths[:0]]
        for piece in pairs.split(together) if len(pairs) else ():
            sample, rank = piece[:, 0], piece[:, 1] + 1
            passed = search.again(points[sample], rows[sample])
            away, there = _to_boundary(search, passed, rows[sample], rivals[sample, rank])
            ratios.append(gaps[sample, rank] / away / lengths[sample])
            least = distances.scatter_reduce(0, sample, away, "amin")
            wins = (away == least[sample]) & (away < distances[sample])
            steps[sample[wins]], distances = there[wins], least
        growing = reach.learn(torch.cat(ratios))
    return distances, steps


def _gaps(logits: Tensor, labels: Tensor, rivals: Tensor) -> Tensor:
    """f_k − f_y for the rivals k, (m, C − 1)."""
    return logits.gather(1, rivals) - logits.gather(1, labels[:, None])


def _to_boundary(search: Search, passed: tuple[Tensor, Tensor], rows: Tensor,
                 rival: Tensor) -> tuple[Tensor, Tensor]:
    """Distances (p,) and steps (p, …) to the boundary with one ``rival`` (p,) each, when all logits are linear.

    That boundary lies |f_k − f_y| / ‖∇(f_k − f_y)‖ away. Where there is no gradient it is ∞, and a sample stays.
    """
    leaf, logits = passed
    gaps = _gaps(logits, search.labels[rows], rival[:, None])[:, 0]
    slopes = search.gradient(gaps, leaf, rows)
    lengths = search.norm(slopes)
    distances = gaps.detach().abs() / lengths
    scale = (distances + TINY) / lengths
    lost = ~((lengths > 0) & lengths.isfinite() & scale.isfinite())
    steps = search.spread(scale) * slopes
    steps[lost] = 0.0  # and not 0 · ∞
    return distances.where(~lost, torch.inf), steps


ATTACK = DeepFool


def deepfool(model: Model, inputs: Array, labels: Array | None = None, *, candidates: int = 10,
             overshoot: float = 0.02, steps: int = 50, trust: float = 1.75, bounds: Bounds | None = None,
             batch_size: int = BATCH, progress: Progress = lambda share, what: None) -> AttackResult:
    """DeepFool on all of ``inputs`` (N, …); the rest of the arguments and the errors are those of `Attack.__call__`.

    At each step every sample moves to the nearest boundary of its linearised logits, among the ``candidates`` classes
    with the largest logits; the sum of its steps is stretched by 1 + ``overshoot``; the first change of the answer ends
    it. The paper's robustness is ``deepfool(model, inputs).relative.mean()``: no labels (every sample, right or wrong,
    is to leave the class it was given) and no bounds.

    The published loop takes the gradients of all candidates. Here those rivals are left out whose logit gaps are too
    large a multiple of the least one: more than ``trust``, and so much more that a gradient long enough to make up for
    it would be among the longest tenth of those measured so far in the batch, and longer than their median.
    ``trust=math.inf`` leaves out none, and so does a batch of a few samples. `benchmarks._attacks` prints what that
    does to mean norms.

    Where a network is flat around its samples, as after a collapse, |f| / ‖∇f‖ is far too long a step, and DeepFool
    reports it whole: put a minimum-norm attack beside it (`report` does).
    """
    attack = DeepFool(candidates=candidates, overshoot=overshoot, steps=steps, trust=trust)
    return attack(model, inputs, labels, bounds=bounds, batch_size=batch_size, progress=progress)
