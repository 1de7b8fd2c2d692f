"""Follows one run: trains it and stops at chosen steps to measure everything there is to measure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from lpc_core.config import RunConfig
from lpc_core.data import Dataset
from lpc_core.engine.trainer import Trainer
from lpc_core.film import frame_steps
from lpc_core.metrics import Reading, code_report, readings
from lpc_core.progress import Progress, silent
from lpc_core.snapshot import Snapshot
from lpc_core.study._base import Moment, StudyError

FEWEST, MOST = 2, 600  # moments
SPACINGS = ("early", "log", "even")


def moment_steps(steps: int, moments: int, spacing: str = "early") -> np.ndarray:
    """The steps of a run of ``steps`` at which it is measured, (T,) int64 from 0 to ``steps``, each once.

    "early": gaps that grow 20-fold along the run; "log": 0, then equal factors from 1 on; "even": equal gaps.
    """
    if spacing not in SPACINGS:
        raise StudyError(f"spacing: expected {', '.join(SPACINGS)}, got {spacing!r}; early is the usual one")
    most = min(MOST, steps + 1)
    if not FEWEST <= moments <= most:
        raise StudyError(f"moments: expected {FEWEST} to {most} for a run of {steps} steps, got {moments}; "
                         "choose fewer or more, or train longer")
    if spacing == "early":
        return frame_steps(steps, moments).astype(np.int64)
    if spacing == "even":
        return np.rint(np.linspace(0, steps, moments)).astype(np.int64)
    wanted = np.rint(np.append(0, np.geomspace(1, steps, moments)[1:])).astype(np.int64)
    index = np.arange(moments)
    apart = np.maximum.accumulate(wanted - index) + index  # early on the log scale is finer than a step
    return np.minimum(apart, steps - index[::-1])


def follow(config: RunConfig, moments: int = 40, *, spacing: str = "early", dataset: Dataset | None = None,
           device: str = "cpu", progress: Progress = silent) -> Iterator[Moment]:
    """Train the run ``config`` and yield it at ``moments`` steps (`moment_steps`), fully measured on its probe.

    The run is the very one `lpc_core.train` makes of ``config``. Raises `StudyError` before any training for moments
    that cannot be, and when the run diverges, after the moments it had until then.
    """
    wanted = moment_steps(config.steps, moments, spacing)
    return _moments(config, wanted, dataset, device, progress)


def _moments(config: RunConfig, wanted: np.ndarray, dataset: Dataset | None, device: str,
             progress: Progress) -> Iterator[Moment]:
    progress(0.0, "loading data")
    run = Trainer(config, device, dataset)
    for index, step in enumerate(wanted):
        progress(index / len(wanted), f"training to step {step:,}")
        run.advance(int(step) - run.step)
        now = run.snapshot()
        if run.diverged:
            raise StudyError(run.reason)
        yield _measured(run, now)
    progress(1.0, f"{len(wanted)} moments")


def _measured(run: Trainer, now: Snapshot) -> Moment:
    """The moment of ``run`` that ``now`` shows."""
    found = readings(now.latents, now.labels, now.predictions, _logits(run, now.latents), now.weight, now.bias)
    numbers = {name: Reading(each.value, each.floor, each.reason) for name, each in found.items()}  # as in files
    code = code_report(now.latents, now.labels, run.dataset.class_names).plain()
    return Moment(
        step=now.step, gamma=now.gamma, train_accuracy=now.metrics["train_accuracy"],
        test_accuracy=now.metrics["test_accuracy"], readings=numbers, code=code, latents=now.latents,
        labels=now.labels, predictions=now.predictions, means=now.means, collapse_points=now.collapse_points)


@torch.no_grad()
def _logits(run: Trainer, latents: np.ndarray) -> np.ndarray:
    """(n, K) what the head makes of ``latents``, by angle under ArcFace and CosFace."""
    weight = run.model.head.weight
    logits: np.ndarray = run.model.head(torch.from_numpy(latents).to(weight)).cpu().numpy()
    return logits
