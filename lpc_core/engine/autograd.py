"""Autograd engine: one step of any model as a plain PyTorch loop does it. The reference the fused engine is held to."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from lpc_core.config import OptimConfig, RunConfig
from lpc_core.engine.compiling import Compiled
from lpc_core.losses import latent_l2, objective
from lpc_core.models import Classifier, convolves
from lpc_core.optimizers import optimizer


class AutogradEngine:
    """Trains one model in place; `lpc_core.engine.fused.FusedEngine` has the same methods.

    ``precision`` is that of the backbone's activations, by default bfloat16 for a convnet on CUDA and float32 for the
    rest. Weights, latents, head and loss are float32 in any case: collapsed latents need all their digits.
    """

    pull_per_gamma = 1.0

    def __init__(self, config: RunConfig, model: Classifier, precision: torch.dtype | None = None) -> None:
        self.config, self.model = config, model
        self.is_convnet = convolves(model)
        like = model.head.weight
        half = self.is_convnet and like.is_cuda
        self.precision = precision or (torch.bfloat16 if half else like.dtype)
        self.optimizer = make_optimizer(model, config.optim)
        self.pull = like.new_zeros(())  # γ
        self.lr = torch.zeros((), dtype=torch.float32 if like.is_cuda else torch.float64, device=like.device)
        self._loss = like.new_zeros(())
        self.objective = objective(config.loss, model.head)
        self._answers: nn.Module = _Answers(model, self.precision)
        self._processes = 1
        self._part: slice | None = None  # which samples of a batch are this process's; None: all

    def compile(self) -> Compiled:
        """Compute the backbone's part of a step in compiled form from now on; what is returned says whether it is."""
        self._answers = _Answers(self.model, self.precision, compiled := Compiled(self.model.backbone))
        return compiled

    def step(self, inputs: Tensor, labels: Tensor, gamma: float | Tensor, lr: float) -> None:
        """One step on ``inputs`` (B, …) and ``labels`` (B,); γ is in the run's convention, ``lr`` the backbone's."""
        self.pull.fill_(gamma)
        self.lr.fill_(lr)
        if self._part is not None:
            inputs, labels = inputs[self._part], labels[self._part]
        self.take(inputs, labels, self.pull, self.lr)

    def take(self, inputs: Tensor, labels: Tensor, pull: Tensor, lr: Tensor) -> None:
        """One step with γ and the learning rate in tensors on the device; nothing in it waits for the device."""
        if not self.model.training:
            self.model.train()
        self.optimizer.param_groups[0]["lr"] = lr
        logits, latents = self._answers(inputs)
        loss = self.objective(logits, latents, labels)
        loss = loss + pull * latent_l2(latents, self.config.loss.convention)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self._loss.copy_(loss.detach())

    def share_with(self, rank: int, processes: int) -> None:
        """From now on `step` takes the part ``rank`` of every batch, and averages gradients (and losses) with the other
        ``processes`` of the group.
        """
        if self._loss.is_cuda:
            self.model.backbone = nn.SyncBatchNorm.convert_sync_batchnorm(self.model.backbone)
        self._answers = DistributedDataParallel(self._answers)
        self._processes, self._part = processes, slice(rank, None, processes)

    def loss(self) -> Tensor:
        """The last step's loss before its update, a scalar; of all processes together, which must all ask."""
        if self._processes > 1:
            distributed.all_reduce(self._loss)
            self._loss /= self._processes
        return self._loss

    @torch.no_grad()
    def look(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (1, K, N) and latents (1, d, N) for ``inputs`` (N, …), as the model answers when it does not train."""
        if self.model.training:
            self.model.eval()
        logits, latents = self.model(inputs)
        return logits.T[None], latents.T[None]

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """Every tensor of the optimiser's state, named ``optim.<parameter>.<quantity>``."""
        state = self.optimizer.state_dict()["state"]
        return {f"optim.{i}.{name}": value for i, slots in state.items() for name, value in slots.items()
                if isinstance(value, Tensor)}

    def restore_optimizer(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of `optimizer_tensors`; other names are ignored.

        A quantity per weight gets that weight's layout in memory, because the fused kernels read both in memory order.
        All lie on the weight's device: torch sends the count of steps there for optimisers of its own alone.
        """
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("optim."):
                _, index, quantity = name.split(".", 2)
                like = parameters[int(index)].detach()
                slots.setdefault(int(index), {})[quantity] = (
                    torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape
                    else tensor.to(like.device, copy=True))
        self.optimizer.load_state_dict({"state": slots, "param_groups": self.optimizer.state_dict()["param_groups"]})


class _Answers(nn.Module):
    """Logits and latents of a model whose backbone computes in ``precision``."""

    def __init__(self, model: Classifier, precision: torch.dtype, compiled: Compiled | None = None) -> None:
        super().__init__()
        self.model, self.precision, self._compiled = model, precision, compiled

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        backbone = self._compiled or self.model.backbone
        with self._in_precision(inputs.device):
            features = backbone(inputs)
        return self.model.top(features.to(self.model.head.weight.dtype))

    def _in_precision(self, device: torch.device) -> AbstractContextManager[Any]:
        if self.precision == self.model.head.weight.dtype:
            return contextlib.nullcontext()
        return torch.autocast(device.type, self.precision, cache_enabled=False)  # weights may be in a recording


def make_optimizer(model: Classifier, config: OptimConfig) -> torch.optim.Optimizer:
    """The optimiser over two groups: backbone with penultimate layer, and head (its lr stays constant)."""
    named, kind = parameters(model), optimizer(config)
    kind.check({name: parameter.shape for name, parameter in named.items()})
    groups = [{"params": [named[name] for name in names], "names": names, "lr": lr} for names, lr in (
        ([name for name in named if not name.startswith("head.")], config.lr),
        ([name for name in named if name.startswith("head.")], config.head_lr))]
    return kind.make(groups, config, model.head.weight.is_cuda)


def parameters(model: Classifier) -> dict[str, nn.Parameter]:
    """The model's parameters by name, as an optimiser numbers them: the head's come last."""
    return dict(sorted(model.named_parameters(), key=lambda item: item[0].startswith("head.")))
