"""A followed run without training: latents that fall onto the corners of a square, measured as the real ones are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lpc_core.config import RunConfig
from lpc_core.metrics import code_report, readings
from lpc_core.study import Moment, Study, SweepRow, add_moment, add_row, start_study

CODE = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], float)
NAMES = ("A", "B", "C", "D")
STEPS = (0, 100, 400, 1_000)
SPREADS = (0.5, 0.1, 1e-3, 0.0)  # of a class, as a share of the corner's distance; at 0 a class is one float32 point
ACCURACIES = (0.3, 0.95, 1.0, 1.0)  # training


def moment(step: int, spread: float, accuracy: float, code: np.ndarray = CODE, theory: bool = True) -> Moment:
    """K·30 samples about the rows of ``code`` (K, d), at radius 1.01 · √d, where theory says √d."""
    labels = np.arange(30 * len(code)) % len(code)
    noise = np.random.default_rng(step).normal(size=(len(labels), code.shape[1]))
    latents = (1.01 * code[labels] + spread * noise).astype(np.float32)
    wrong = labels.copy()
    wrong[: round((1 - accuracy) * len(labels))] = (labels[: round((1 - accuracy) * len(labels))] + 1) % len(code)
    means = np.stack([latents[labels == c].astype(np.float64).mean(axis=0) for c in range(len(code))])
    return Moment(step, 10.0 ** (-3 + step / 500), accuracy, 0.9 * accuracy,
                  readings(latents, labels, wrong, weight=10 * code, bias=np.zeros(len(code))),
                  code_report(latents, labels, len(code)).plain(), latents, labels, wrong, means,
                  code if theory else None)


def study(count: int = 4, planned: int = 4) -> Study:
    """The first ``count`` of the moments at `STEPS`."""
    moments = tuple(map(moment, STEPS, SPREADS, ACCURACIES))[:count]
    return Study("follow", (RunConfig(),), ("fake",), NAMES, planned, moments)


def save(study: Study, folder: Path) -> None:
    """All of ``study`` as its job writes it."""
    start_study(folder, study)
    for index, each in enumerate(study.moments):
        add_moment(folder, index, each)
    for index, each in enumerate(study.rows):
        add_row(folder, index, each)


def row(title: str, ratio: float, deepfool: float, ddn: float, *, accuracy: float = 0.95,
        success: float = 1.0, longer: float = 0.0) -> SweepRow:
    """The end of a run."""
    return SweepRow(title, RunConfig(), 1.0, accuracy, accuracy, ratio, 100,
                    {"deepfool": deepfool, "ddn": ddn, "smallest": min(deepfool, ddn)},
                    {"deepfool": success, "ddn": 1.0, "smallest": 1.0}, longer={"deepfool": longer})
