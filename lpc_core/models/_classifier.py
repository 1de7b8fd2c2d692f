"""Backbone → penultimate layer (the latents) → linear head: the shape of every model here."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lpc_core import losses
from lpc_core.config import LossConfig, ModelConfig

ACTIVATIONS: dict[str, type[nn.Module]] = {"silu": nn.SiLU, "relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}


class SeededDropout(nn.Module):
    """Dropout with a random stream of its own, so that runs sharing a process do not disturb one another."""

    def __init__(self, share: float, seed: int) -> None:
        super().__init__()
        self.share, self.seed = share, seed
        self.stream: torch.Generator | None = None  # made on the device of the first input

    def open_stream(self, device: torch.device) -> torch.Generator:
        """Begin the random stream on ``device``."""
        self.stream = torch.Generator(device).manual_seed(self.seed)
        return self.stream

    def forward(self, features: Tensor) -> Tensor:
        """Zero a random share of the features and scale the others up; the identity when evaluating."""
        if not self.training or self.share == 0:
            return features
        stream = self.stream or self.open_stream(features.device)
        kept = torch.rand(features.shape, device=features.device, generator=stream) >= self.share
        return features * kept / (1 - self.share)


class CosineHead(nn.Linear):
    """Logits scale · cos θ between a latent and each class's weights; the bias is 0 and stays so."""

    def __init__(self, inputs: int, classes: int, scale: float) -> None:
        super().__init__(inputs, classes)  # drawn like any head, so that equal seeds give equal weights
        self.scale = scale
        self.bias.requires_grad_(False).zero_()

    def forward(self, latents: Tensor) -> Tensor:
        """See the class."""
        return self.scale * F.linear(F.normalize(latents), F.normalize(self.weight))


class Classifier(nn.Module):
    """Returns (logits (N, K), latents (N, d)) for inputs (N, …)."""

    def __init__(self, backbone: nn.Module, features: int, classes: int, config: ModelConfig, seed: int, *,
                 loss: LossConfig | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = SeededDropout(config.dropout, seed)
        self.penultimate = _penultimate(features, config)
        width = features if config.penultimate == "none" else config.latent_dim
        by_angle = loss and losses.loss(loss).by_angle
        self.head = CosineHead(width, classes, loss.scale) if loss and by_angle else nn.Linear(width, classes)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        return self.top(self.backbone(inputs))

    def top(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """What comes after the backbone, for its features (N, F)."""
        latents = self.penultimate(self.dropout(features))
        return self.head(latents), latents


def _penultimate(features: int, config: ModelConfig) -> nn.Module:
    """The layer the penalty acts on; with "none" the latents are the backbone's features themselves."""
    if config.penultimate == "none":
        return nn.Identity()
    layer = nn.Linear(features, config.latent_dim)
    return layer if config.penultimate == "linear" else nn.Sequential(layer, ACTIVATIONS[config.activation]())
