"""Class means, scatter and NC1 against explicit loops, exact cases and their invariances."""

import math

import numpy as np
import pytest

from lpc_core.metrics.collapse import (
    by_class,
    class_means,
    nc1_pinv,
    sigma_b_trace,
    sigma_w_trace,
    within_class_spread,
)
from tests.core.metrics._clouds import any_motion, scattered

SHAPES = [(40, 1, 2), (60, 2, 4), (200, 8, 10), (300, 5, 100), (50, 30, 3)]  # n, d, K


def covariances(latents, labels):
    """Σ_W over classes with two samples and Σ_B over the classes there are, by loops."""
    present = np.unique(labels)
    means = np.stack([latents[labels == c].mean(axis=0) for c in present])
    within = [np.cov(latents[labels == c].T, bias=True).reshape(latents.shape[1], -1) for c in present
              if (labels == c).sum() > 1]
    centred = means - means.mean(axis=0)
    return np.mean(within, axis=0), centred.T @ centred / len(present), len(present)


@pytest.mark.parametrize(("n", "d", "classes"), SHAPES)
def test_agrees_with_explicit_loops(n, d, classes):
    latents, labels = scattered(n, d, classes)
    groups = by_class(latents, labels, classes)
    within, between, present = covariances(latents, labels)
    assert sigma_w_trace(groups) == pytest.approx(np.trace(within))
    assert sigma_b_trace(groups) == pytest.approx(np.trace(between))
    expected = np.trace(within @ np.linalg.pinv(between, rcond=1e-12)) / present
    assert nc1_pinv(groups) == pytest.approx(expected, rel=1e-6)
    for c in range(classes):
        if c in labels:
            np.testing.assert_allclose(groups.means[c], latents[labels == c].mean(axis=0), atol=1e-12)


def test_perfect_simplex_has_no_scatter():
    labels = np.repeat(np.arange(4), 5)
    groups = by_class((np.eye(4) - 0.25)[labels], labels)
    assert nc1_pinv(groups) == pytest.approx(0, abs=1e-30)
    assert sigma_w_trace(groups) == pytest.approx(0, abs=1e-30)
    assert sigma_b_trace(groups) == pytest.approx(0.75)
    assert within_class_spread(groups, 1.0) == pytest.approx(0, abs=1e-15)


def test_two_classes_on_a_line_in_closed_form():
    latents = np.array([[-1.1], [-0.9], [0.8], [1.2]])
    groups = by_class(latents, np.array([0, 0, 1, 1]))
    assert sigma_w_trace(groups) == pytest.approx((0.01 + 0.04) / 2)
    assert nc1_pinv(groups) == pytest.approx(0.025 / 1 / 2)
    assert within_class_spread(groups, 2.0) == pytest.approx(math.sqrt(0.025) / 2)


def test_absent_classes_are_nan_rows_and_leave_the_rest_alone():
    latents, labels = scattered(60, 3, 4)
    few = by_class(latents, labels)
    gaps = by_class(latents, np.array([1, 3, 4, 7])[labels], 10)
    assert np.isnan(gaps.means[[0, 2, 5, 6, 8, 9]]).all()
    np.testing.assert_array_equal(gaps.means[[1, 3, 4, 7]], few.means)
    for metric in (sigma_w_trace, sigma_b_trace, nc1_pinv):
        assert metric(gaps) == pytest.approx(metric(few))


def test_single_samples_do_not_count_as_collapsed():
    latents, labels = scattered(40, 3, 3)
    alone = np.vstack([latents, [[5.0, 5, 5]]])
    expected = sigma_w_trace(by_class(latents, labels))
    assert sigma_w_trace(by_class(alone, np.append(labels, 3))) == pytest.approx(expected)
    singles = by_class(latents[:3], np.arange(3))
    assert math.isnan(sigma_w_trace(singles))
    assert math.isnan(nc1_pinv(singles))
    assert math.isnan(within_class_spread(singles, 1.0))


def test_nothing_to_compare_is_nan():
    same = by_class(np.full((20, 3), 0.1, np.float32), np.arange(20) % 4)
    assert sigma_w_trace(same) == pytest.approx(0, abs=1e-30)
    assert math.isnan(nc1_pinv(same))
    one = by_class(np.random.default_rng(0).normal(size=(9, 2)), np.zeros(9, int))
    assert math.isnan(nc1_pinv(one))
    assert math.isnan(sigma_b_trace(one))
    empty = by_class(np.zeros((0, 2)), np.zeros(0, int), 3)
    assert math.isnan(sigma_w_trace(empty))
    assert math.isnan(sigma_b_trace(empty))
    assert math.isnan(within_class_spread(empty, 0.0))


def test_float32_latents_collapsed_to_their_last_bits_keep_their_scatter():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 4
    exact = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])[labels] * (1 + 3e-7 * rng.normal(size=(400, 2)))
    latents = exact.astype(np.float32)
    groups = by_class(latents, labels)
    rounding = float(np.spacing(np.float32(1))) ** 2  # the squared step of float32 near 1
    assert sigma_w_trace(groups) == pytest.approx(sigma_w_trace(by_class(exact, labels)), abs=rounding)
    assert sigma_w_trace(groups) > 0
    assert 0 < nc1_pinv(groups) < 1e-12


@any_motion
def test_order_turns_shifts_and_scale(clouds, moved, classes, scale):
    before, after = by_class(*clouds, classes), by_class(*moved, classes)
    assert nc1_pinv(after) == pytest.approx(nc1_pinv(before), rel=1e-6)
    assert sigma_w_trace(after) == pytest.approx(scale**2 * sigma_w_trace(before))
    assert sigma_b_trace(after) == pytest.approx(scale**2 * sigma_b_trace(before))


@pytest.mark.parametrize(("latents", "labels", "classes", "message"), [
    (np.zeros(3), np.zeros(3, int), 2, r"expected latents \(n, d\) and labels \(n,\), got \(3,\) and \(3,\); pass one"),
    (np.zeros((3, 2)), np.zeros(2, int), 2, r"expected latents \(n, d\) and labels \(n,\), got \(3, 2\) and \(2,\)"),
    (np.zeros((2, 2)), np.array([0, 5]), 3, r"expected labels from 0 to 2, got 0 to 5; pass classes=K"),
])
def test_error_texts(latents, labels, classes, message):
    with pytest.raises(ValueError, match=message):
        class_means(latents, labels, classes)
