"""What all generations share: AdamW, weight decay 5e-4, batch 128, SiLU, flips and crops; and the data's sizes."""

from __future__ import annotations

from typing import Any

_SIZES = {"cifar10": (50_000, 10_000, "resnet18"), "cifar100": (50_000, 10_000, "resnet50"),
          "svhn": (73_257, 26_032, "resnet18")}
FEATURES = {"resnet18": 512, "resnet50": 2_048}
OUTLINE = ("crops come from a reflected border (the authors' from a black one), and the remainder of an epoch is "
           "carried into the next")


def base(data: str) -> dict[str, Any]:
    """Settings of every row on ``data``."""
    samples, test, model = _SIZES[data]
    return {"samples": samples, "test_samples": test, "model": model, "activation": "silu", "augment": "flip-crop",
            "optimizer": "adamw", "weight_decay": 5e-4, "batch_size": 128}


def linear(data: str, d: int, dropout: float = 0.0) -> dict[str, Any]:
    """A linear penultimate layer of ``d`` nodes."""
    return {**base(data), "penultimate": "linear", "latent_dim": d, "dropout": dropout}


def nonlinear(data: str, d: int) -> dict[str, Any]:
    """A penultimate layer of ``d`` nodes followed by SiLU."""
    return {**base(data), "penultimate": "nonlinear", "latent_dim": d}


def none(data: str, dropout: float = 0.0) -> dict[str, Any]:
    """No penultimate layer: the head reads the backbone's features."""
    return {**base(data), "penultimate": "none", "dropout": dropout}
