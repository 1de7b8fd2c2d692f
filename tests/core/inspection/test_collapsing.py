"""Predicted points at any γ, as a report has them, against the theory's own functions."""

import dataclasses

import numpy as np
import pytest

from lpc_core.checkpoint import Embeddings
from lpc_core.inspection import inspect, report
from lpc_core.theory import collapse_points, predicted_radius

RNG = np.random.default_rng(0)
WEIGHT, BIAS = RNG.normal(size=(4, 6)), RNG.normal(size=4) / 5
LABELS = np.repeat(np.arange(4), [10, 20, 30, 40])
POINTS = collapse_points(WEIGHT, BIAS, 0.5)
LATENTS = POINTS[LABELS] + 1e-3 * RNG.normal(size=(100, 6))
FOUND = inspect(Embeddings(LATENTS, LABELS, tuple("abcd"), weight=WEIGHT, bias=BIAS))


def views(found, *gammas):
    return report(found, gammas)["collapse"]


def test_points_radius_and_errors():
    (view,) = views(FOUND, 0.5)
    np.testing.assert_allclose(view["points"], POINTS, atol=1e-9)
    assert view["radius"] == pytest.approx(predicted_radius(POINTS, np.array([10, 20, 30, 40])))
    assert view["measured_radius"] == pytest.approx(np.linalg.norm(LATENTS, axis=1).mean())
    assert view["radius_error"] < 1e-3
    assert max(view["point_errors"]) < 1e-2


def test_one_gamma_after_another():
    gammas = (0.1, 1.0, 50.0, 0.2)
    for gamma, view in zip(gammas, views(FOUND, *gammas), strict=True):
        assert (view["gamma"], view["convention"]) == (gamma, "sum")
        np.testing.assert_allclose(view["points"], collapse_points(WEIGHT, BIAS, gamma), atol=1e-7)
    assert views(FOUND) == []


def test_what_the_theory_does_not_cover_is_said():
    found = dataclasses.replace(FOUND, layout={"theory_note": "No predicted points: …"})
    assert views(found, 1.0)[0]["note"] == "No predicted points: …"
    assert views(FOUND, 1.0)[0]["note"] == ""


def test_a_class_without_samples_has_no_error():
    some = LABELS > 0
    found = inspect(Embeddings(LATENTS[some], LABELS[some], tuple("abcd"), weight=WEIGHT, bias=BIAS))
    first, *others = views(found, 0.5)[0]["point_errors"]
    assert first is None
    assert np.isfinite(others).all()


def test_refusals():
    with pytest.raises(ValueError, match=r"expected embeddings with the head that reads them .*, got none; pick one"):
        views(inspect(Embeddings(LATENTS, LABELS, tuple("abcd"))), 1.0)
    with pytest.raises(ValueError, match="gamma: expected a finite number above 0, got -1"):
        views(FOUND, -1.0)
    other = Embeddings(LATENTS, LABELS % 3, tuple("abc"), weight=WEIGHT)
    with pytest.raises(ValueError, match="expected one class per row of the head's 4, got 3 classes; pick another"):
        views(dataclasses.replace(FOUND, embeddings=other), 1.0)
