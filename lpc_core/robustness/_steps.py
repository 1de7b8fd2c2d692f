"""What the step-by-step gradient attacks share: the margin that they make small, by which the class to be left is ahead
(hard or smooth), directions in which it falls, and a pace that slows down.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lpc_core.robustness._search import Search


def pace(step: int, steps: int, first: float, last: float) -> float:
    """From ``first`` to ``last`` along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * step / steps)) / 2


def losing_direction(search: Search, points: Tensor, rows: Tensor,
                     margin: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """At ``points`` (m, …): unit directions (m, …) in which ``margin`` falls, its values and slopes, both (m,).

    Where there is no gradient the slope is 0 and the direction random (as in foolbox), so that a flat spot is left.
    """
    leaf, logits = search.differentiable(points, rows)
    values = margin(logits, search.labels[rows])
    fall = -search.gradient(values, leaf, rows)
    slopes = search.norm(fall)
    flat = ~(slopes > 0) | ~slopes.isfinite()
    direction = fall / search.spread(torch.where(flat, 1.0, slopes))
    if bool(flat.any()):
        chance = search.noise(tuple(fall.shape))
        direction = torch.where(search.spread(flat), chance / search.spread(search.norm(chance)), direction)
    return direction, values.detach(), torch.where(flat, 0.0, slopes)


def shrink_to(search: Search, change: Tensor, radius: Tensor) -> Tensor:
    """``change`` (n, …) scaled so that its norms are ``radius`` (n,)."""
    return change * search.spread(radius / search.norm(change).clamp_min(torch.finfo(change.dtype).tiny))


def lengths_of(search: Search) -> Tensor:
    """Norms (n,) of the inputs, the scale of an attack; 1 for an input of zeros."""
    lengths = search.norm(search.inputs)
    return torch.where(lengths > 0, lengths, 1.0)


def hard_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """f_y − max_{k≠y} f_k, (n,); below 0 the answer has changed."""
    return _own(logits, labels) - _without_own(logits, labels).amax(1)


def smooth_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """f_y − log Σ_{k≠y} exp f_k, (n,).

    Cross-entropy is log(1 + exp(−this)), so its gradient has exactly this direction; but the gradient here keeps its
    length where the softmax of a confident network has rounded to 1 and cross-entropy has none left (masking).
    """
    return _own(logits, labels) - _without_own(logits, labels).logsumexp(1)


def _own(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.gather(1, labels[:, None])[:, 0]


def _without_own(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.scatter(1, labels[:, None], -torch.inf)
