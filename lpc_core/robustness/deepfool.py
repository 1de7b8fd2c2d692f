"""DeepFool (Moosavi-Dezfooli, Fawzi & Frossard 2016, arXiv 1511.04599), L2, a whole batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lpc_core.models.any import Array, Model
from lpc_core.progress import Progress, silent
from lpc_core.robustness._base import BATCH, Attack, Bounds
from lpc_core.robustness._result import AttackResult
from lpc_core.robustness._search import Search

TINY = 1e-4  # added to every step's length, as the published code does, in units of the inputs


@dataclass(frozen=True)
class DeepFool(Attack):
    """Steps to the nearest boundary of the linearised classifier until the answer changes."""

    name = "deepfool"
    title = "DeepFool"
    source = "Moosavi-Dezfooli, Fawzi & Frossard 2016, arXiv 1511.04599"
    gradients = 100

    candidates: int = 10  # classes with the largest logits, the own one included
    overshoot: float = 0.02  # share by which the whole perturbation is stretched
    steps: int = 50

    def __post_init__(self) -> None:
        if self.candidates < 2 or self.steps < 1 or not 0 <= self.overshoot < torch.inf:
            raise ValueError(f"expected candidates ≥ 2, steps ≥ 1 and overshoot ≥ 0, got {self.candidates}, "
                             f"{self.steps}, {self.overshoot}; the defaults are 10, 50 and 0.02")

    def run(self, search: Search) -> None:
        """See `deepfool`."""
        rows, rivals, inputs = search.rows, self._rivals(search), search.inputs
        points, total = inputs, torch.zeros_like(inputs)
        for step in range(self.steps):
            search.progress(step / self.steps)
            move, stuck = _to_nearest_boundary(search, points, rows, rivals)
            total += move
            points = search.box.clip(torch.add(inputs, total, alpha=1 + self.overshoot))
            search.ask(points, rows)
            going = (~search.last_fooled[rows] & ~stuck).nonzero().flatten()  # the first change of the answer ends it
            if len(going) == 0:
                return
            rows, rivals, inputs, points, total = (part[going] for part in (rows, rivals, inputs, points, total))

    def _rivals(self, search: Search) -> Tensor:
        """The other candidate classes of each sample, (n, C − 1), the largest logit first."""
        others = search.clean.scatter(1, search.labels[:, None], -torch.inf)
        return others.topk(min(self.candidates, others.shape[1]) - 1, dim=1).indices


def _to_nearest_boundary(search: Search, points: Tensor, rows: Tensor, rivals: Tensor) -> tuple[Tensor, Tensor]:
    """Steps (m, …) from ``points`` (m, …) to the nearest of the boundaries with ``rivals`` (m, C − 1), were all logits
    linear; and which samples have none, (m,) bool: no rival has a gradient there, and they stay.

    The boundary with class k lies |f_k − f_y| / ‖∇(f_k − f_y)‖ away. One pass forward serves all rivals, and each has
    one backward over the whole batch.
    """
    leaf, logits = search.again(points, rows)
    gaps = logits.gather(1, rivals) - logits.gather(1, search.labels[rows, None])
    nearest, steps = torch.full_like(gaps[:, 0], torch.inf), torch.zeros_like(points)
    for k, gap in enumerate(gaps.unbind(1), 1):
        slopes = search.gradient(gap, leaf, rows, keep=k < gaps.shape[1])
        lengths = search.norm(slopes)
        distances = gap.detach().abs() / lengths
        scale = (distances + TINY) / lengths
        nearer = (distances < nearest) & lengths.isfinite() & scale.isfinite()
        nearest = distances.where(nearer, nearest)
        steps = (search.spread(scale) * slopes).where(search.spread(nearer), steps)
    return steps, nearest.isinf()


ATTACK = DeepFool


def deepfool(model: Model, inputs: Array, labels: Array | None = None, *, candidates: int = 10,
             overshoot: float = 0.02, steps: int = 50, bounds: Bounds | None = None, batch_size: int = BATCH,
             progress: Progress = silent) -> AttackResult:
    """DeepFool on all of ``inputs`` (N, …); the rest of the arguments and the errors are those of `Attack.__call__`.

    At each step every sample moves to the nearest boundary of its linearised logits, among the ``candidates`` classes
    with the largest logits; the sum of its steps is stretched by 1 + ``overshoot``; the first change of the answer ends
    it. This is the published algorithm with its authors' settings, sample by sample: a batch shares passes through the
    model, never a decision. The paper's robustness is ``deepfool(model, inputs).relative.mean()``: no labels (every
    sample, right or wrong, is to leave the class it was given) and no bounds.

    Where a network is flat around its samples, as after a collapse, |f| / ‖∇f‖ is far too long a step, and DeepFool
    reports it whole: put a minimum-norm attack beside it (`report` does).
    """
    attack = DeepFool(candidates=candidates, overshoot=overshoot, steps=steps)
    return attack(model, inputs, labels, bounds=bounds, batch_size=batch_size, progress=progress)
