"""Models: one backbone per file, all with the same penultimate layer and head."""

from __future__ import annotations

import functools

import torch

from lpc_core.config import LossConfig, ModelConfig, resolve
from lpc_core.models._base import Backbone, convolves
from lpc_core.models._classifier import Classifier, CosineHead, SeededDropout
from lpc_core.registry import discover, pick

__all__ = ["Backbone", "Classifier", "CosineHead", "SeededDropout", "backbone", "backbones", "build", "convolves",
           "resolve"]


@functools.cache
def backbones() -> dict[str, Backbone]:
    """Every backbone by name."""
    return discover("lpc_core.models", "BACKBONE", Backbone)


def backbone(config: ModelConfig, shape: tuple[int, ...]) -> Backbone:
    """The backbone that ``config`` names for inputs of ``shape``; `ConfigError` for an unknown name."""
    return pick("model", backbones(), resolve(config, shape))


def build(config: ModelConfig, shape: tuple[int, ...], classes: int, seed: int,
          loss: LossConfig | None = None) -> Classifier:
    """The model for inputs of ``shape`` (D,) or (C, H, W); equal arguments give equal weights, whatever ran before.

    ``loss`` decides how the head reads the latents: by angle for ArcFace and CosFace, linearly for the rest (None).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network, features = backbone(config, shape).make(config, shape)
        return Classifier(network, features, classes, config, seed, loss=loss)
