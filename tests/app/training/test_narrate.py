from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.training.narrate import tell
from lpc_core.snapshot import Snapshot

EYE = np.eye(4)
BASE = Snapshot(
    step=500, gamma=1.0, gamma_sum=1.0, gamma_target=1.0, gamma_mode="auto", lr=0.1, head_lr=0.1,
    latents=np.zeros((4, 4), np.float32), labels=np.arange(4), predictions=np.arange(4), weight=10 * EYE,
    bias=np.zeros(4), means=EYE, collapse_points=EYE, forces=None)


def told(before: dict[str, float] | None = None, metrics: dict[str, float] | None = None, *, learnt: bool = False,
         **changes: object) -> str:
    now = dataclasses.replace(BASE, metrics={"nc1_pinv": 0.01} | metrics if metrics else {}, **changes)
    text, values = tell(now, None if before is None else dataclasses.replace(BASE, metrics=before), learnt=learnt)
    return text.format(**values) if values else text


GOOD = {"train_accuracy": 1.0}
LOST = {"train_accuracy": 0.25, "within_class_spread": 0.9, "nc1_pinv": 4.0}


@pytest.mark.parametrize(("says", "case"), [
    ("lr was too high", {"reason": "lr was too high", "metrics": GOOD}),
    ("", {}),
    ("Nothing is learned yet", {"step": 0, "metrics": GOOD}),
    ("Total collapse: γ has outrun the head, the classes lie within one another, and accuracy fell to 25 %",
     {"metrics": LOST, "weight": 0.01 * EYE, "collapse_points": 0.005 * EYE}),
    ("Total collapse", {"metrics": LOST, "learnt": True}),
    ("Total collapse", {"metrics": LOST | {"nc1_pinv": np.nan}, "learnt": True}),
    ("25 %, which is chance, though the classes still lie apart",
     {"metrics": LOST | {"nc1_pinv": 0.1}, "learnt": True}),
    ("learning to tell the classes apart: 79.7 %", {"metrics": LOST | {"train_accuracy": 0.797}, "learnt": True}),
    ("learning to tell the classes apart: 25 %", {"metrics": LOST, "learnt": True, "step": 50}),
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
    ("Collapsed: each class is one point to within 1 % of the radius, 1.2 % of the radius away from the predicted one",
     {"metrics": GOOD | {"within_class_spread": 0.01, "point_error": 0.012}}),
    ("1 % of the radius, 254 % of the radius away from the predicted one",
     {"metrics": GOOD | {"within_class_spread": 0.01, "point_error": 2.54}}),
    ("Collapsed: each class is one point to within 1 % of the radius.",
     {"metrics": GOOD | {"within_class_spread": 0.01, "point_error": np.nan}}),
    ("falling together", {"metrics": GOOD | {"within_class_spread": 0.1}}),
    ("Collapsed", {"metrics": GOOD | {"within_class_spread": 0.0999}}),
    ("are separable; γ is still too weak", {"metrics": GOOD | {"within_class_spread": 0.01, "nc1_pinv": 2.0}}),
    ("binary code", {"metrics": GOOD | {"within_class_spread": 0.01, "node_peak_distance_min": 9.0, "abs_cv": 0.05}}),
    ("The classes are separable.", {"metrics": GOOD | {"within_class_spread": np.nan}}),
])
def test_each_moment_has_its_sentence(says, case):
    found = told(**case)
    assert says in found
    assert bool(says) == bool(found)


def test_almost_all_is_not_called_all():
    assert "99.9 %" in told(metrics={"train_accuracy": 0.99896}, gamma=0.0)
