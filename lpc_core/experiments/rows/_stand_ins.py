"""Scaled stand-ins: every kind of row of r3 to r6 on data that a laptop can train, with the courses of r6 squeezed.

Epochs, and the periods of γ with them, are fewer; γ ends lower, because the head has fewer steps to grow in. Where it
ends is the largest power of ten at which LPC and LPC-Narrow keep 99.9 % of the training samples right all along, on
seeds 100 and 101, which no table uses; its other landmark keeps r6's distance from the end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lpc_core.experiments._courses import GammaCourse, LrCourse, MarginCourse, Regime
from lpc_core.experiments._row import Row
from lpc_core.experiments.rows._rivals import ANGULAR, rivals

_SWITCH = 1e-3  # share of its end at which γ turns slower in r6
_PERIODS = 275 / 5  # of γ in r6, until its end, over 1,000 epochs
_SOURCE = "stand-in of this project, after r6"
_RULE = "a scaled stand-in: its numbers are not the paper's, its claims are asked of it all the same"


def stand_ins(data: str, settings: Mapping[str, Any], nodes: tuple[int, int, int], *, epochs: int, lr: float,
              end: float) -> tuple[Row, ...]:
    """The rows on ``data``; ``nodes`` of LPC, LPC-Wide and LPC-Narrow; γ ends at ``end`` (averaged over nodes)."""
    course, cosine = gamma_course(epochs, end), LrCourse(
        cosine_after=max(1, epochs // 5), cosine_epochs=epochs - epochs // 5, floor=1e-8)
    shared = {"activation": "silu", "optimizer": "adamw", "weight_decay": 5e-4, **settings}
    lin, bare = ({**shared, "penultimate": kind, "latent_dim": nodes[0]} for kind in ("linear", "none"))
    margins = MarginCourse((16.0, 1_000 / epochs, 64.0), (0.1, 10 / epochs, 0.5))

    def row(name: str, title: str, settings: Mapping[str, Any], gamma: GammaCourse | None = None, *notes: str) -> Row:
        return Row(data, name, "", title, _SOURCE, settings, epochs, gamma, cosine, (lr,), notes=(_RULE, *notes))

    rows = (row("lpc", "LPC", lin, course), row("lpc-wide", "LPC-Wide", {**lin, "latent_dim": nodes[1]}, course),
            row("lpc-narrow", "LPC-Narrow", {**lin, "latent_dim": nodes[2]}, course), row("no-pen", "NoPen", bare),
            row("lin-pen", "LinPen", lin), row("nonlin-pen", "NonlinPen", {**lin, "penultimate": "nonlinear"}),
            row("no-pen-dropout", "NoPen + dropout", {**bare, "dropout": 0.5}),
            row("lin-pen-dropout", "LinPen + dropout", {**lin, "dropout": 0.5}),
            row("no-pen-wd", "NoPen, weight decay 0.1", {**bare, "weight_decay": 0.1}),
            row("no-pen-cosface", "NoPen, CosFace", {**bare, "loss": "cosface", "margin": 0.25, "scale": 32.0}, None,
                ANGULAR))
    beside = rivals(data, "", _SOURCE, lin, bare, epochs, course, cosine, (lr,), margins)
    return (*rows, *(dataclasses.replace(each, notes=(_RULE, *each.notes)) for each in beside))


def gamma_course(epochs: int, end: float) -> GammaCourse:
    """r6's course over ``epochs`` to ``end``, its factors for periods of whole epochs."""
    every = max(1, round(5 * epochs / 1_000))
    speed = _PERIODS * every / (0.275 * epochs)  # periods of r6 in one of this
    return GammaCourse(1e-4, (Regime(2.0**speed, every, _SWITCH * end), Regime(1.25**speed, every, end)))
