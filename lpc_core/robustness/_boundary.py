"""Starting points beyond the decision boundary, and the way back to it, from decisions alone."""

from __future__ import annotations

import torch
from torch import Tensor

from lpc_core.robustness._search import Search
from lpc_core.robustness._steps import lengths_of

HALVINGS = 12  # of the segment to the boundary, which is then known to 2⁻¹² of its length
NOISE_SHARES = (0.1, 0.3, 1.0, 3.0, 10.0)  # of the input's norm, for starting points where no input has another class


def other_class(search: Search) -> Tensor:
    """A point of another class for every sample, (n, …): the nearest input that the model takes for one.

    Where every input is taken for the same class, the best that is known, else noise of growing size. Which of them do
    change the answer `search` knows.
    """
    points = search.best.clone()
    nearest, far = _nearest_other(search)
    rows = far.isfinite().nonzero().flatten()
    points[rows] = search.model.inputs[nearest[rows]]
    search.ask(points[rows], rows)
    for share in NOISE_SHARES:
        rows = (~search.found).nonzero().flatten()
        if len(rows) == 0:
            break
        noise = search.noise(tuple(points[rows].shape))
        length = share * lengths_of(search)[rows] / search.norm(noise)
        points[rows] = search.box.clip(search.inputs[rows] + search.spread(length) * noise)
        search.ask(points[rows], rows)
    return points


def _nearest_other(search: Search) -> tuple[Tensor, Tensor]:
    """Which of all N inputs is nearest with another predicted class, and how far, both (n,); infinity for none."""
    distances = torch.cdist(search.inputs.flatten(1), search.model.inputs.flatten(1))  # (n, N)
    same = search.logits.argmax(1) == search.labels[:, None]
    nearest = distances.masked_fill(same, torch.inf).min(1)
    return nearest.indices, nearest.values


def to_boundary(search: Search, points: Tensor, rows: Tensor) -> Tensor:
    """The last point of another class on the way from ``points`` (m, …) to the inputs, by bisection."""
    inputs = search.inputs[rows]
    inner = torch.zeros(len(rows), device=inputs.device, dtype=inputs.dtype)
    outer = torch.ones_like(inner)
    for _ in range(HALVINGS):
        middle = (inner + outer) / 2
        crossed = search.fools(torch.lerp(inputs, points, search.spread(middle)), rows)
        outer, inner = torch.where(crossed, middle, outer), torch.where(crossed, inner, middle)
    return torch.lerp(inputs, points, search.spread(outer))
