from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.live.narrate import sentence
from lpc_core.snapshot import Snapshot

EYE = np.eye(4)
BASE = Snapshot(
    step=500, gamma=1.0, gamma_sum=1.0, gamma_target=1.0, gamma_mode="auto", lr=0.1, head_lr=0.1,
    latents=np.zeros((4, 4), np.float32), labels=np.arange(4), predictions=np.arange(4), weight=10 * EYE,
    bias=np.zeros(4), means=EYE, collapse_points=EYE, forces=None)


def told(before: dict[str, float] | None = None, metrics: dict[str, float] | None = None, **changes: object) -> str:
    now = dataclasses.replace(BASE, metrics=metrics or {}, **changes)
    return sentence(now, None if before is None else dataclasses.replace(BASE, metrics=before))


GOOD = {"train_accuracy": 1.0}


@pytest.mark.parametrize(("says", "case"), [
    ("lr was too high", {"reason": "lr was too high", "metrics": GOOD}),
    ("", {}),
    ("Nothing is learned yet", {"step": 0, "metrics": GOOD}),
    ("accuracy fell to 25 %, which is chance (total collapse)",
     {"metrics": {"train_accuracy": 0.25}, "weight": 0.01 * EYE, "collapse_points": 0.005 * EYE}),
    ("Accuracy is dropping, to 80 %", {"metrics": {"train_accuracy": 0.8}, "before": {"train_accuracy": 0.95}}),
    ("γ is 0: the classes are separable", {"metrics": GOOD, "gamma": 0.0, "collapse_points": None}),
    ("γ is 0, so there is no penalty: 60 % of", {"metrics": {"train_accuracy": 0.6}, "gamma": 0.0}),
    ("learning to tell the classes apart: 25 %", {"metrics": {"train_accuracy": 0.25}}),
    ("Each class is nearly one point, but 2 %", {"metrics": {"train_accuracy": 0.98, "within_class_spread": 0.01}}),
    ("Almost separable: 1 %", {"metrics": {"train_accuracy": 0.99, "within_class_spread": 0.4}}),
    ("have just become separable; γ is still too weak",
     {"metrics": GOOD | {"within_class_spread": 0.8}, "before": {"train_accuracy": 0.99}}),
    ("are separable; γ is still too weak", {"metrics": GOOD | {"within_class_spread": 0.8}, "before": GOOD}),
    ("falling together: spread 12 % of the radius", {"metrics": GOOD | {"within_class_spread": 0.12}}),
    ("Collapsed: each class is one point, 1.2 % of the radius from the predicted one.",
     {"metrics": GOOD | {"within_class_spread": 0.01, "point_error": 0.012}}),
    ("Collapsed: each class is one point.", {"metrics": GOOD | {"within_class_spread": 0.01, "point_error": np.nan}}),
    ("binary code", {"metrics": GOOD | {"within_class_spread": 0.01, "node_peak_distance_min": 9.0, "abs_cv": 0.05}}),
    ("The classes are separable.", {"metrics": GOOD | {"within_class_spread": np.nan}}),
])
def test_each_moment_has_its_sentence(says, case):
    found = told(**case)
    assert says in found
    assert bool(says) == bool(found)


def test_almost_all_is_not_called_all():
    assert "99.9 %" in told(metrics={"train_accuracy": 0.99896}, gamma=0.0)
