"""Predicted points at any γ, in the nodes and in the view, against the theory's own functions."""

import dataclasses

import numpy as np
import pytest

from lpc_core.checkpoint import Embeddings
from lpc_core.inspection import Collapser, collapse_view, inspect
from lpc_core.theory import collapse_points, predicted_radius

RNG = np.random.default_rng(0)
WEIGHT, BIAS = RNG.normal(size=(4, 6)), RNG.normal(size=4) / 5
LABELS = np.repeat(np.arange(4), [10, 20, 30, 40])
POINTS = collapse_points(WEIGHT, BIAS, 0.5)
LATENTS = POINTS[LABELS] + 1e-3 * RNG.normal(size=(100, 6))
FOUND = Embeddings(LATENTS, LABELS, tuple("abcd"), weight=WEIGHT, bias=BIAS)


def test_points_radius_and_errors():
    view = collapse_view(FOUND, 0.5)
    np.testing.assert_allclose(view.collapse_points, POINTS, atol=1e-9)
    assert view.predicted_radius == pytest.approx(predicted_radius(POINTS, np.array([10, 20, 30, 40])))
    assert view.norm_mean == pytest.approx(np.linalg.norm(LATENTS, axis=1).mean())
    assert view.radius_error < 1e-3
    assert (view.point_errors < 1e-2).all()
    assert np.array_equal(view.coordinates["nodes"], view.collapse_points)


def test_the_same_linear_map_as_the_samples():
    found = inspect(FOUND)
    view = collapse_view(found, 0.5)
    drawn = (view.collapse_points - found.pca_mean) @ found.pca_axes
    np.testing.assert_allclose(view.coordinates["pca"], drawn)
    centres = np.array([found.coordinates["pca"][c == LABELS].mean(axis=0) for c in range(4)])
    np.testing.assert_allclose(view.coordinates["pca"], centres, atol=1e-2)


def test_one_gamma_after_another_and_both_conventions():
    at = Collapser(FOUND)
    for gamma in (0.1, 1.0, 50.0, 0.2):
        np.testing.assert_allclose(at(gamma).collapse_points, collapse_points(WEIGHT, BIAS, gamma), atol=1e-7)
    assert at(6.0, "mean").gamma == 1.0
    np.testing.assert_allclose(at(6.0, "mean").collapse_points, at(1.0).collapse_points, atol=1e-9)


def test_what_the_theory_does_not_cover_is_said():
    found = dataclasses.replace(inspect(FOUND), layout={"theory_note": "No predicted points: …"})
    assert collapse_view(found, 1.0).note == "No predicted points: …"
    assert collapse_view(FOUND, 1.0).note == ""


def test_a_class_without_samples_has_no_error():
    some = LABELS > 0
    view = collapse_view(Embeddings(LATENTS[some], LABELS[some], tuple("abcd"), weight=WEIGHT, bias=BIAS), 0.5)
    assert np.isnan(view.point_errors[0])
    assert np.isfinite(view.point_errors[1:]).all()


def test_refusals():
    with pytest.raises(ValueError, match=r"expected embeddings with the head that reads them .*, got none; pick one"):
        collapse_view(Embeddings(LATENTS, LABELS, tuple("abcd")), 1.0)
    with pytest.raises(ValueError, match="gamma: expected a finite number above 0, got -1"):
        collapse_view(FOUND, -1.0)
    with pytest.raises(ValueError, match="expected one class per row of the head's 4, got 3 classes; pick another"):
        collapse_view(Embeddings(LATENTS, LABELS % 3, tuple("abc"), weight=WEIGHT), 1.0)
