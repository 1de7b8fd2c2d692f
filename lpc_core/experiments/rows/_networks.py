"""What all generations share: AdamW, weight decay 5e-4, batch 128, SiLU, flips and crops; and the data's sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lpc_core.experiments._courses import GammaCourse

_SIZES = {"cifar10": (50_000, 10_000, "resnet18"), "cifar100": (50_000, 10_000, "resnet50"),
          "svhn": (73_257, 26_032, "resnet18")}
OUTLINE = ("crops come from a reflected border (the authors' from a black one), and the remainder of an epoch is "
           "carried into the next")
DROPPED = "the dropout acts on the backbone's features, before the penultimate layer where there is one"
Kind = tuple[str, str, dict[str, Any], GammaCourse | None]  # a row's name, title, settings and γ


def _base(data: str) -> dict[str, Any]:
    """Settings of every row on ``data``."""
    samples, test, model = _SIZES[data]
    return {"samples": samples, "test_samples": test, "model": model, "activation": "silu", "augment": "flip-crop",
            "optimizer": "adamw", "weight_decay": 5e-4, "batch_size": 128}


def linear(data: str, d: int, dropout: float = 0.0) -> dict[str, Any]:
    """A linear penultimate layer of ``d`` nodes."""
    return {**_base(data), "penultimate": "linear", "latent_dim": d, "dropout": dropout}


def none(data: str, dropout: float = 0.0) -> dict[str, Any]:
    """No penultimate layer: the head reads the backbone's features."""
    return {**_base(data), "penultimate": "none", "dropout": dropout}


def kinds(data: str, nodes: Sequence[int], gamma: GammaCourse, title: str = "LPC") -> tuple[Kind, ...]:
    """LPC of each of ``nodes`` (its own, wide, narrow), and its networks without γ: bare, linear, followed by SiLU."""
    names, d = (("lpc", title), ("lpc-wide", "LPC-Wide"), ("lpc-narrow", "LPC-Narrow")), nodes[0]
    return (*((*name, linear(data, each), gamma) for name, each in zip(names, nodes, strict=False)),
            ("no-pen", "NoPen", none(data), None), ("lin-pen", "LinPen", linear(data, d), None),
            ("nonlin-pen", "NonlinPen", {**_base(data), "penultimate": "nonlinear", "latent_dim": d}, None))


def kinds_with_dropout(data: str, d: int) -> tuple[Kind, ...]:
    """The networks without γ, with dropout."""
    return (("no-pen-dropout", "NoPen + dropout", none(data, 0.5), None),
            ("lin-pen-dropout", "LinPen + dropout", linear(data, d, 0.5), None))
