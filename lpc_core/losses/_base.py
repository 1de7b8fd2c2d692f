"""What a loss is, and the way to the library that the metric-learning ones come from."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from lpc_core.config import ConfigError, LossConfig

Objective = Callable[[Tensor, Tensor, Tensor], Tensor]  # logits (B, K), latents (B, d), labels (B,) -> scalar


@dataclass(frozen=True)
class Loss:
    """One entry of the registry; every module of this package with a loss defines ``LOSS``.

    ``make`` gets the settings and the model's head, whose weights it may read.
    """

    make: Callable[[LossConfig, nn.Linear], Objective]
    uses: tuple[str, ...] = ()  # which of margin, scale, temperature and label_smoothing it reads
    by_angle: bool = False  # it sees only directions: the logits are scale · cos θ and the head has no bias
    all_pairs: bool = False  # it compares all pairs of a batch, which takes memory and time by the batch's square


def library(loss: str) -> Any:
    """The module `pytorch_metric_learning.losses`; `ConfigError` with the command that installs it when it is missing.

    It is imported here, by the runs that need it, and not with this package: it takes a second.
    """
    try:
        return importlib.import_module("pytorch_metric_learning.losses")
    except ImportError as error:
        raise ConfigError("loss", f"cross-entropy, or the package pytorch-metric-learning ({error}; "
                                  "pip install pytorch-metric-learning)", loss) from None


def with_head(loss: nn.Module, head: nn.Linear) -> Objective:
    """``loss`` with the head's weights (K, d) in the place of its own W (d, K), so that the model keeps them once."""
    loss.to(head.weight.device, head.weight.dtype)
    own = dict(loss.named_parameters())
    if {name: tuple(p.shape) for name, p in own.items()} != {"W": tuple(head.weight.T.shape)}:
        raise ValueError(f"expected a loss whose one parameter is W {tuple(head.weight.T.shape)}, got "
                         f"{[(name, tuple(p.shape)) for name, p in own.items()]}")
    return lambda logits, latents, labels: functional_call(loss, {"W": head.weight.T}, (latents, labels))
