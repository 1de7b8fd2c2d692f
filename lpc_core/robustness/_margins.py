"""By how much the class to be left is ahead, hard and smooth: what gradient attacks make small."""

from __future__ import annotations

import torch
from torch import Tensor


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
