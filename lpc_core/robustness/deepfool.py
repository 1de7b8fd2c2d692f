"""DeepFool (Moosavi-Dezfooli, Fawzi & Frossard 2016, arXiv 1511.04599), L2, a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lpc_core.metrics._model import Array, Model
from lpc_core.robustness._base import BATCH, Attack, Bounds
from lpc_core.robustness._result import AttackResult
from lpc_core.robustness._search import Progress, Search

TRUST = 2.0  # no class's gradient is taken to be more than this many times as long as the longest seen at a sample
PIECE = 64  # fewest samples worth a graph of their own
TINY = 1e-4  # added to every step's length, as the published code does, in units of the inputs


@dataclass(frozen=True)
class DeepFool(Attack):
    """Steps to the nearest boundary of the linearised classifier until the answer changes."""

    name = "deepfool"
    title = "DeepFool"
    source = "Moosavi-Dezfooli, Fawzi & Frossard 2016, arXiv 1511.04599"
    white_box = True

    candidates: int = 10  # classes with the largest logits, the own one included
    overshoot: float = 0.02  # share by which the whole perturbation is stretched
    steps: int = 50

    def __post_init__(self) -> None:
        if self.candidates < 2 or self.steps < 1 or self.overshoot < 0:
            raise ValueError(f"expected candidates ≥ 2, steps ≥ 1 and overshoot ≥ 0, got {self.candidates}, "
                             f"{self.steps}, {self.overshoot}; the paper's are 10, 50 and 0.02")

    def run(self, search: Search) -> None:
        """See `deepfool`."""
        rivals = self._rivals(search)
        total, points = torch.zeros_like(search.inputs), search.inputs.clone()
        rows, logits = search.rows, search.clean
        for step in range(self.steps):
            search.progress(step / self.steps)
            for some in _pieces(rows, _gaps(logits, search.labels[rows], rivals[rows])):
                total[some] += _to_nearest_boundary(search, points[some], rivals[some], some)
            points[rows] = search.box.clip(search.inputs[rows] + (1 + self.overshoot) * total[rows])
            logits = search.ask(points[rows], rows)
            going = ~search.found[rows]  # the first change of the answer ends it
            rows, logits = rows[going], logits[going]
            if len(rows) == 0:
                return

    def _rivals(self, search: Search) -> Tensor:
        """The other candidate classes of each sample, (n, C − 1)."""
        others = search.clean.scatter(1, search.labels[:, None], -torch.inf)
        return others.topk(min(self.candidates, others.shape[1]) - 1, dim=1).indices


def _gaps(logits: Tensor, labels: Tensor, rivals: Tensor) -> Tensor:
    """f_k − f_y for the rivals k, (m, C − 1)."""
    return logits.gather(1, rivals) - logits.gather(1, labels[:, None])


def _pieces(rows: Tensor, gaps: Tensor) -> list[Tensor]:
    """``rows`` in pieces of samples that need about as many gradients, so that few are taken in vain."""
    sizes = gaps.detach().abs()
    needed = (sizes <= TRUST * sizes.amin(1, keepdim=True)).sum(1)
    ordered = rows[needed.argsort()]
    return [piece for piece in ordered.split(max(PIECE, len(rows) // 4)) if len(piece)]


def _to_nearest_boundary(search: Search, points: Tensor, rivals: Tensor, rows: Tensor) -> Tensor:
    """The step (m, …) from ``points`` to the boundary that is nearest when all logits are taken as linear.

    The boundary to class k lies |f_k − f_y| / ‖∇(f_k − f_y)‖ away. Classes are looked at in the order of the numerator,
    and a sample is done when the next gradient would have to be more than `TRUST` times as long as any seen to win.
    A sample whose gradients are all zero has no step.
    """
    leaf, logits = search.differentiable(points, rows)
    gaps = _gaps(logits, search.labels[rows], rivals)  # (m, C − 1)
    order = gaps.detach().abs().argsort(1)
    nearest, step = torch.full_like(gaps[:, 0].detach(), torch.inf), torch.zeros_like(points)
    longest = torch.zeros_like(nearest)
    for rank in range(order.shape[1]):
        gap = gaps.gather(1, order[:, rank:rank + 1])[:, 0]
        size = gap.detach().abs()
        open_ = (longest == 0) | (size < TRUST * nearest * longest)
        if not bool(open_.any()):
            break
        slope = search.gradient(gap * open_, leaf, rows[open_], keep=True)
        length = search.norm(slope)
        better = open_ & (size / length < nearest)
        nearest, longest = torch.where(better, size / length, nearest), torch.maximum(longest, length * open_)
        scale = torch.where(better, (nearest + TINY) / length, 0.0)
        step = torch.where(search.spread(better), search.spread(scale) * slope, step)
    return step


ATTACK = DeepFool


def deepfool(model: Model, inputs: Array, labels: Array | None = None, *, candidates: int = 10,
             overshoot: float = 0.02, steps: int = 50, bounds: Bounds | None = None, batch_size: int = BATCH,
             progress: Progress = lambda share, what: None) -> AttackResult:
    """DeepFool on all of ``inputs`` (N, …); the rest of the arguments and the errors are those of `Attack.__call__`.

    At each step every sample moves to the nearest boundary of its linearised logits, among the ``candidates`` classes
    with the largest logits; the sum of its steps is stretched by 1 + ``overshoot``; the first change of the answer ends
    it. The paper's robustness is ``deepfool(model, inputs).relative.mean()``: no labels (every sample, right or wrong,
    is to leave the class it was given) and no bounds.

    Where a network is flat around its samples, as after a collapse, |f| / ‖∇f‖ is far too long a step, and DeepFool
    reports it whole: put a minimum-norm attack beside it (`report` does).
    """
    attack = DeepFool(candidates=candidates, overshoot=overshoot, steps=steps)
    return attack(model, inputs, labels, bounds=bounds, batch_size=batch_size, progress=progress)
