"""Rows of r4 to r6 beside the penalty: SupCon on the backbone's features, LPC without its layer, ArcFace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lpc_core.experiments._courses import GammaCourse, LrCourse, MarginCourse
from lpc_core.experiments._row import Row
from lpc_core.experiments.rows._networks import OUTLINE

MARGINS = MarginCourse((16.0, 1.0, 64.0), (0.1, 0.01, 0.5))  # scale and margin of ArcFace
ANGULAR = ("measured by the logits it was trained on, scale · cos θ; the authors' code evaluates W z + b with an "
           "untrained bias")
SCALED = "the file of its state, opened elsewhere (lpc inspect), has logits of the first epoch's scale"
CONTRAST = "SupCon (τ 0.05, weight 1, one view) acts on the backbone's features beside cross-entropy"


def rivals(data: str, generation: str, source: str, lin: Mapping[str, Any], bare: Mapping[str, Any],  # noqa: PLR0917
           epochs: int, gamma: GammaCourse, lr: LrCourse, lrs: tuple[float, ...],
           margins: MarginCourse = MARGINS) -> tuple[Row, ...]:
    """The four rows, on a network with a linear penultimate layer (``lin``) or without one (``bare``)."""
    def row(name: str, title: str, settings: Mapping[str, Any], gamma: GammaCourse | None, *notes: str,
            **more: Any) -> Row:
        return Row(data, name, generation, title, source, settings, epochs, gamma, lr, lrs,
                   notes=(*((OUTLINE,) if generation else ()), *notes), **more)

    return (row("lpc-scl", "LPC + SupCon", {**lin, "temperature": 0.05}, gamma, CONTRAST, contrast=1.0),
            row("lpc-no-pen", "LPC on NoPen", bare, gamma, "γ acts on the backbone's features after pooling"),
            row("no-pen-scl", "NoPen + SupCon", {**bare, "temperature": 0.05}, None, CONTRAST, contrast=1.0),
            row("no-pen-arcface", "NoPen, ArcFace",
                {**bare, "loss": "arcface", "margin": margins.margin[0], "scale": margins.scale[0]}, None, ANGULAR,
                SCALED, margins=margins))
