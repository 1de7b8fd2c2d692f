"""Muon (K. Jordan 2024, https://kellerjordan.github.io/posts/muon): momentum whose directions are made equally large.

The momentum of each convolution and each matrix of the backbone is replaced by a matrix with (nearly) the same singular
vectors and singular values near 1; the penultimate layer, the head, norms and biases get AdamW. A convolution's weights
are brought back to unit filters on average before each step, as in cifar10-airbench: in the backbones here a norm
follows each, so that only their direction matters. Other matrices have the decoupled weight decay instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lpc_core.config import ConfigError, OptimConfig
from lpc_core.optimizers._adam import KEPT, factors
from lpc_core.optimizers._base import Call, Flat, Groups, Optimizer

QUINTIC = (3.4445, -4.7750, 2.0315)  # Jordan's: singular values end in 0.7…1.2, those near 0 grow quickest
SMALLEST = 1e-7  # added to a matrix's norm, so that no momentum stays none
HALF_FROM = 128  # rows and columns from which on CUDA computes in bfloat16


def is_matrix(name: str, shape: Sequence[int]) -> bool:
    """Whether the parameter ``name`` of a classifier is a convolution or a matrix of its backbone."""
    return name.startswith("backbone.") and len(shape) >= 2


def orthogonalised(matrices: Tensor, steps: int) -> Tensor:
    """Each of ``matrices`` (R, n, m) with all singular values near 1, by ``steps`` Newton–Schulz iterations."""
    wide = matrices if matrices.shape[-2] <= matrices.shape[-1] else matrices.mT
    half = matrices.is_cuda and wide.shape[-2] >= HALF_FROM
    x = wide.bfloat16() if half else wide
    x = x / (torch.linalg.vector_norm(x, dim=(-2, -1), keepdim=True) + SMALLEST)
    a, b, c = QUINTIC
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x if wide is matrices else x.mT).to(matrices.dtype)


def move(values: Tensor, gradients: Tensor, momentum: Tensor, lr: Tensor | float, config: OptimConfig) -> None:
    """One step of R equal parameters, all (R, n, …); ``lr`` is the run's, and `OptimConfig.muon_lr` goes as it goes."""
    momentum.mul_(config.muon_momentum).add_(gradients)
    push = gradients.add(momentum, alpha=config.muon_momentum).flatten(2)
    turned = orthogonalised(push, config.muon_steps).view(values.shape)
    rate = lr * (config.muon_lr / config.lr)
    if values.dim() > 3:
        values.mul_(math.sqrt(values.shape[1]) / torch.linalg.vector_norm(
            values, dim=tuple(range(1, values.dim())), keepdim=True))
    else:
        values.mul_(1 - rate * config.weight_decay)
    values.sub_(turned * (rate * math.sqrt(max(1.0, push.shape[1] / push.shape[2]))))


class Muon(torch.optim.Optimizer):
    """See the module; ``groups`` carry the parameters' names, and each group's rate is AdamW's."""

    def __init__(self, groups: Groups, config: OptimConfig) -> None:
        super().__init__(groups, {"lr": config.lr})
        self._config = config

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step on the parameters' gradients; ``closure`` is not used, so no loss is returned as torch's do."""
        for group in self.param_groups:
            given = [(name, p) for name, p in zip(group["names"], group["params"], strict=True) if p.grad is not None]
            for name, p in given:
                if is_matrix(name, p.shape):
                    momentum = self._kept(p, "momentum_buffer")["momentum_buffer"]
                    move(p[None], p.grad[None], momentum[None], group["lr"], self._config)
            rest = [p for name, p in given if not is_matrix(name, p.shape)]
            if rest:
                self._adamw(rest, group["lr"])

    def _adamw(self, rest: list[Tensor], lr: Any) -> None:
        kept = [self._kept(p, *KEPT) for p in rest]
        counts, first, second = ([each[name] for each in kept] for name in KEPT)
        torch._foreach_add_(counts, 1)
        gradients = [p.grad for p in rest if p.grad is not None]
        torch._fused_adamw_(rest, gradients, first, second, [], counts, lr=lr, **factors(self._config))

    def _kept(self, parameter: Tensor, *names: str) -> dict[str, Tensor]:
        """The state of ``parameter``, zeros where there is none yet."""
        state: dict[str, Tensor] = self.state[parameter]
        for name in names:
            if name not in state:
                state[name] = (torch.zeros((), dtype=torch.float32, device=parameter.device) if name == "step" else
                               torch.zeros_like(parameter))
        return state


def _check(shapes: Mapping[str, Sequence[int]]) -> None:
    if not any(is_matrix(name, shape) for name, shape in shapes.items()):
        raise ConfigError("optimizer", "adam, adamw or sgd for a network without hidden matrices or convolutions (or "
                                       "a hidden layer more)", "muon")


def _make(groups: Groups, config: OptimConfig, recorded: bool) -> torch.optim.Optimizer:
    return Muon(groups, config)


def _keeps(config: OptimConfig, name: str, shape: Sequence[int]) -> tuple[str, ...]:
    return ("momentum_buffer",) if is_matrix(name, shape) else KEPT


def _kernel(config: OptimConfig, flat: Flat) -> Call:
    """Each matrix of all replicas at once, the rest by one call."""
    matrices = [tuple(block.of(buffer) for buffer in (flat.values, flat.gradients, flat.slots["momentum_buffer"]))
                for block in flat.blocks if is_matrix(block.name, block.shape)]
    rest = [block for block in flat.blocks if not is_matrix(block.name, block.shape)]
    values, gradients, first, second = ([block.of(buffer) for block in rest] for buffer in (
        flat.values, flat.gradients, flat.slots["exp_avg"], flat.slots["exp_avg_sq"]))
    counts, told = [flat.count] * len(rest), factors(config)

    def step() -> None:
        for weights, slopes, momentum in matrices:
            move(weights, slopes, momentum, flat.lr, config)
        if rest:
            torch._fused_adamw_(values, gradients, first, second, [], counts, lr=flat.lr, **told)

    return step


OPTIMIZER = Optimizer(_make, _keeps, ("momentum", "beta2", "weight_decay", "muon_lr", "muon_momentum", "muon_steps"),
                      _kernel, _check)
