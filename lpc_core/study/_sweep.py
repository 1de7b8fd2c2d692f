"""Sweeps: many runs trained to their end, each with its separation ratio 𝓡 and its robustness, as in Figure 3."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from lpc_core import robustness
from lpc_core.config import GAMMA_MAX, MAX_SEED, RunConfig, unflatten
from lpc_core.data import Dataset, load, spread
from lpc_core.engine.trainer import Trainer
from lpc_core.film import run_of
from lpc_core.progress import Progress, part, silent
from lpc_core.study._base import StudyError, SweepRow

ATTACKS = ("deepfool", "ddn")  # DeepFool does not stand alone: it overstates the robustness of collapsed networks
SMALLEST = "smallest"  # of what the attacks found, sample by sample
FEWEST_SAMPLES, MOST_SAMPLES = 2, 10_000
CHUNK = 200  # training steps between two words on progress
TRAINING = 0.6  # share of a run's progress that its training counts as; the rest are the attacks
FACTORS = (0.01, 0.1, 1.0, 10.0)  # of the base's last γ
MORE_SEEDS = 2


def default_sweep(base: RunConfig) -> list[tuple[str, RunConfig]]:
    """About a dozen runs around ``base``, each with a title: other last γ, seeds, optimiser and penultimate layer.

    Where ``base`` has no penalty, the runs with one are those around its γ = 1.
    """
    top = base.gamma.gamma_end or 1.0
    base = base if base.gamma.gamma_end else run_of(base, top)
    ramps = [(f"γ → {gamma:.3g}", run_of(base, gamma)) for gamma in (factor * top for factor in FACTORS)
             if gamma <= GAMMA_MAX]
    seeds = [(base.seed + more) % (MAX_SEED + 1) for more in range(1, 1 + MORE_SEEDS)]
    none: dict[str, Any] = {"gamma_schedule": "constant", "gamma_end": 0.0}
    changes: list[tuple[str, dict[str, Any]]] = [("no penalty", none)]
    changes += [(f"seed {seed}", {"seed": seed}) for seed in seeds]
    other = _ADAMW if base.optim.optimizer == "sgd" else _SGD
    layers = [kind for kind in ("linear", "nonlinear", "none") if kind != base.model.penultimate]
    for title, change in ((other["optimizer"], other), *((f"penultimate {kind}", {"penultimate": kind})
                                                         for kind in layers)):
        changes += [(title, change), (f"{title}, no penalty", change | none)]
    return [*ramps, *((title, unflatten(change, base)) for title, change in changes)]


_SGD: dict[str, Any] = {"optimizer": "sgd", "lr": 0.03, "head_lr": 0.01}
_ADAMW: dict[str, Any] = {"optimizer": "adamw", "lr": 8e-3, "head_lr": 1e-2}


def sweep(runs: Sequence[tuple[str, RunConfig]], *, samples: int = 200, attacks: Sequence[str] = ATTACKS,
          device: str = "cpu", progress: Progress = silent) -> Iterator[SweepRow]:
    """Train every run of ``runs`` (title, configuration) to its end, attack it, and yield its row.

    Robustness is measured on ``samples`` held-out samples (stratified, or as many as there are), as the model takes
    them (pictures standardised), from the class the model predicts, without bounds: the paper's way. A run that
    diverged has a row of NaN with the reason. Raises `StudyError` before any training for what cannot be.
    """
    runs = list(runs)
    if not runs:
        raise StudyError("runs: expected at least one (title, configuration), got none; take default_sweep(config)")
    if not FEWEST_SAMPLES <= samples <= MOST_SAMPLES:
        raise StudyError(f"samples: expected {FEWEST_SAMPLES} to {MOST_SAMPLES:,}, got {samples}; choose more or fewer")
    known = [name for name, kind in robustness.attacks().items() if kind.distance == "l2"]
    if not attacks or not set(attacks) <= set(known):
        raise StudyError(f"attacks: expected some of {', '.join(known)}, got {', '.join(attacks) or 'none'}; take "
                         + " and ".join(ATTACKS))
    return _rows(runs, samples, attacks, device, progress)


def _rows(runs: Sequence[tuple[str, RunConfig]], samples: int, attacks: Sequence[str], device: str,
          progress: Progress) -> Iterator[SweepRow]:
    known: tuple[Any, Dataset | None] = (None, None)
    for index, (title, config) in enumerate(runs):
        def say(share: float, what: str, index: int = index, title: str = title) -> None:
            progress((index + share) / len(runs), f"{title}: {what}")

        if known[0] != (config.data, config.seed):  # most runs of a sweep share their data
            say(0.0, "loading data")
            known = (config.data, config.seed), load(config.data, config.seed)
        yield _row(title, Trainer(config, device, known[1]), samples, attacks, say)
    progress(1.0, f"{len(runs)} runs")


def _row(title: str, run: Trainer, samples: int, attacks: Sequence[str], say: Progress) -> SweepRow:
    while not (run.finished or run.diverged):
        run.advance(CHUNK)
        say(TRAINING * run.step / run.config.steps, f"step {run.step:,}")
    now = run.snapshot()
    if run.diverged:
        missing = dict.fromkeys((*attacks, SMALLEST), math.nan)
        return SweepRow(title, run.config, now.gamma, math.nan, math.nan, math.nan, 0, missing, missing, run.reason)
    rows, found = _attacked(run, samples, attacks, say)
    accuracy = now.metrics["test_accuracy"]
    classes = run.dataset.classes
    lost = accuracy < min(2 / classes, (1 + 1 / classes) / 2)
    note = "test accuracy is near chance: this robustness means nothing" if lost else ""
    hits = {name: sizes[np.isfinite(sizes)] for name, sizes in found.items()}
    return SweepRow(
        title, run.config, now.gamma, now.metrics["train_accuracy"], accuracy, now.metrics["separation_ratio"],
        samples=len(rows),
        robustness={name: float(sizes.mean()) if len(sizes) else math.nan for name, sizes in hits.items()},
        success={name: len(sizes) / len(rows) for name, sizes in hits.items()}, reason=note,
        longer={name: float((sizes > 1).mean()) if len(sizes) else 0.0 for name, sizes in hits.items()})


def _attacked(run: Trainer, samples: int, attacks: Sequence[str],
              say: Progress) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The samples attacked (n,), and per attack and for the "smallest" ‖δ‖/‖x‖ (n,), infinite without success."""
    rows = spread(run.dataset.test_labels, samples, run.config.seed)
    inputs = run.batches.normalise(torch.from_numpy(run.dataset.test_inputs[rows]).to(run.device))
    found = {}
    for index, name in enumerate(attacks):
        start, end = (TRAINING + (1 - TRAINING) * place / len(attacks) for place in (index, index + 1))
        result = robustness.attacks()[name]()(run.model, inputs, progress=part(say, start, end))
        found[name] = np.where(result.success & np.isfinite(result.relative), result.relative, np.inf)
    return rows, found | {SMALLEST: np.min(list(found.values()), axis=0)}
