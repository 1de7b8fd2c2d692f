"""Models: one backbone per file, all with the same penultimate layer and head."""

from __future__ import annotations

import functools

import torch

from lpc_core.config import LossConfig, ModelConfig
from lpc_core.models._classifier import Classifier, SeededDropout
from lpc_core.registry import discover, pick

__all__ = ["Classifier", "SeededDropout", "backbones", "build", "resolve"]


@functools.cache
def backbones() -> dict[str, object]:
    """Every backbone by name."""
    return discover("lpc_core.models", "BACKBONE")


def resolve(config: ModelConfig, shape: tuple[int, ...]) -> str:
    """The backbone of ``config`` for inputs of ``shape`` (`ModelConfig.resolved`)."""
    return config.resolved(shape)


def build(config: ModelConfig, shape: tuple[int, ...], classes: int, seed: int,
          loss: LossConfig | None = None) -> Classifier:
    """The model for inputs of ``shape`` (D,) or (C, H, W); equal arguments give equal weights, whatever ran before.

    ``loss`` decides how the head reads the latents: by angle for ArcFace and CosFace, linearly for the rest (None).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone, features = pick("model", backbones(), resolve(config, shape))(config, shape)
        return Classifier(backbone, features, classes, config, seed, loss=loss)
