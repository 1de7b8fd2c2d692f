"""Autograd engine: one step of any model as a plain PyTorch loop does it. The reference the fused engine is held to."""

from __future__ import annotations

import torch
from torch import Tensor

from lpc_core.config import OptimConfig, RunConfig
from lpc_core.engine._state import optimizer_tensors, restore_optimizer
from lpc_core.losses import latent_l2, objective
from lpc_core.models import Classifier


class AutogradEngine:
    """Trains one model in place; `lpc_core.engine.fused.FusedEngine` has the same methods."""

    def __init__(self, config: RunConfig, model: Classifier) -> None:
        self.config, self.model = config, model
        self.optimizer = make_optimizer(model, config.optim)
        self.objective = objective(config.loss, model.head)
        self._loss = torch.zeros(())

    def step(self, inputs: Tensor, labels: Tensor, gamma: float, lr: float) -> None:
        """One step on ``inputs`` (B, …) and ``labels`` (B,); γ is in the run's convention, ``lr`` the backbone's."""
        self.optimizer.param_groups[0]["lr"] = lr
        logits, latents = self.model(inputs)
        loss = self.objective(logits, latents, labels)
        loss = loss + gamma * latent_l2(latents, self.config.loss.convention)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self._loss = loss.detach()

    def loss(self) -> Tensor:
        """The last step's loss before its update, a scalar."""
        return self._loss

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """The optimiser's state by name."""
        return optimizer_tensors(self.optimizer)

    def restore_optimizer(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of `optimizer_tensors`; other names are ignored."""
        restore_optimizer(self.optimizer, tensors)


def make_optimizer(model: Classifier, config: OptimConfig) -> torch.optim.Optimizer:
    """The optimiser over two groups: backbone with penultimate layer, and head (its lr stays constant)."""
    head = list(model.head.parameters())
    rest = [p for name, p in model.named_parameters() if not name.startswith("head.")]
    groups = [{"params": rest, "lr": config.lr}, {"params": head, "lr": config.head_lr}]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=config.momentum, weight_decay=config.weight_decay, fused=True)
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, betas=(config.momentum, config.beta2), weight_decay=config.weight_decay, fused=True)
