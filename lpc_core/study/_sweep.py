"""Sweeps: many runs trained to their end, each with its separation ratio 𝓡 and its robustness, as in Figure 3."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lpc_core.config import RunConfig, unflatten
from lpc_core.engine._probe import spread
from lpc_core.engine.trainer import Trainer
from lpc_core.film import run_of
from lpc_core.study._base import Progress, StudyError, SweepRow

ATTACKS = ("deepfool", "ddn")  # DeepFool never stands alone: it overstates the robustness of collapsed networks
FEWEST_SAMPLES = 2
CHUNK = 200  # training steps between two words on progress
TRAINING = 0.6  # share of a run's progress that its training counts as; the rest are the attacks
FACTORS = (0.01, 0.1, 1.0, 10.0)  # of the base's last γ
MORE_SEEDS = 2


def default_sweep(base: RunConfig) -> list[tuple[str, RunConfig]]:
    """A dozen runs around ``base``, each with a title: other last γ, seeds, optimiser and penultimate layer."""
    plain = {"gamma_schedule": "constant", "gamma_end": 0.0}
    top = base.gamma.gamma_end or 1.0
    ramps = [(f"γ → {gamma:.3g}", run_of(base, gamma)) for gamma in (factor * top for factor in FACTORS)]
    seeds = [(f"seed {seed}", unflatten({"seed": seed}, base))
             for seed in range(base.seed + 1, base.seed + 1 + MORE_SEEDS)]
    sgd = {"optimizer": "sgd", "lr": 0.03, "head_lr": 0.01}
    changes = {
        "no penalty": plain,
        "SGD": sgd,
        "SGD, no penalty": sgd | plain,
        "nonlinear penultimate": {"penultimate": "nonlinear"},
        "nonlinear, no penalty": {"penultimate": "nonlinear"} | plain,
        "no penultimate, no penalty": {"penultimate": "none"} | plain,
    }
    return [*ramps, *seeds, *((title, unflatten(change, base)) for title, change in changes.items())]


def sweep(configs: Sequence[tuple[str, RunConfig]], **kw) -> Iterator[SweepRow]:
    yield from ()
