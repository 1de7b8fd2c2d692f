"""Collapse points against SciPy's minimiser, closed forms, symmetries; forces against finite differences and torch."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize
from scipy.special import logsumexp, softmax

from lpc_core import theory
from lpc_core.theory import collapse_points, critical_gamma, forces, predicted_radius

SHAPES = [(2, 1), (3, 1), (4, 2), (10, 2), (5, 4), (10, 8), (3, 20), (2, 512)]


def head(classes, d, seed=0, scale=1.0):
    rng = np.random.default_rng([seed, classes, d])
    return scale * rng.normal(size=(classes, d)), rng.normal(size=classes)


def target(classes, y, smoothing=0.0):
    return (1 - smoothing) * np.eye(classes)[y] + smoothing / classes


def loss(z, weight, bias, gamma, t):
    logits = weight @ z + bias
    return logsumexp(logits) - t @ logits + gamma * z @ z


def gradient(z, weight, bias, gamma, t):
    return weight.T @ (softmax(weight @ z + bias) - t) + 2 * gamma * z


def slopes(points, weight, bias, gamma, smoothing=0.0):
    """Norm of each class's gradient at its point."""
    rows = [gradient(z, weight, bias, gamma, target(len(weight), y, smoothing)) for y, z in enumerate(points)]
    return np.linalg.norm(rows, axis=1)


@pytest.mark.parametrize("gamma", [1e-3, 0.1, 1.0, 30.0])
@pytest.mark.parametrize(("classes", "d"), SHAPES)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_agrees_with_scipy(classes, d, gamma, smoothing):
    weight, bias = head(classes, d)
    points = collapse_points(weight, bias, gamma, label_smoothing=smoothing)
    for y in range(min(classes, 3)):
        t = target(classes, y, smoothing)
        found = minimize(loss, np.zeros(d), (weight, bias, gamma, t), jac=gradient, method="BFGS",
                         options={"gtol": 1e-9, "maxiter": 2_000})
        assert loss(points[y], weight, bias, gamma, t) <= found.fun + 1e-12
        np.testing.assert_allclose(points[y], found.x, atol=1e-5 * (1 + np.abs(found.x).max()))


@pytest.mark.parametrize("gamma", [1e-8, 1e-4, 1.0, 1e4, 1e6, 1e8])
@pytest.mark.parametrize(("classes", "d"), [*SHAPES, (100, 2), (30, 64)])
def test_gradient_is_within_1e_10_from_the_weakest_to_the_strongest_gamma(classes, d, gamma):
    weight, bias = head(classes, d)
    points = collapse_points(weight, bias, gamma)
    assert slopes(points, weight, bias, gamma).max() < 1.1e-10 + 1e-13 * np.abs(weight).max()


@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize("gamma", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize(("classes", "d"), SHAPES)
def test_large_and_small_heads(classes, d, gamma, scale):
    weight, bias = head(classes, d, scale=scale)
    assert slopes(collapse_points(weight, bias, gamma), weight, bias, gamma).max() < 1e-10 * max(1, scale)


def test_a_hundred_classes_in_64_nodes():
    weight, bias = head(100, 64)
    assert slopes(collapse_points(weight, bias, 0.1), weight, bias, 0.1).max() < 1.1e-10


@pytest.mark.parametrize("seed", range(30))
def test_inseparable_and_uneven_heads_with_large_biases(seed):
    rng = np.random.default_rng(seed)
    weight = 10 ** rng.uniform(-2, 3) * rng.normal(size=(30, 3)) * np.exp(rng.normal(size=(30, 1)))
    bias, gamma = 10 ** rng.uniform(0, 3) * rng.normal(size=30), 10 ** rng.uniform(-8, 0)
    points = collapse_points(weight, bias, gamma)
    size = np.abs(weight).max()
    assert slopes(points, weight, bias, gamma).max() < 1e-10 + 1e-13 * size * (1 + np.abs(bias).max())


@pytest.mark.parametrize("gamma", [1e-6, 0.05, 3.0, 1e6])
def test_two_opposite_classes_have_a_scalar_equation(gamma):
    # CE = log(1 + exp(−2|w|s)) at z = s·w/|w|, so |w| / (1 + exp(2|w|s)) = γs.
    w = np.array([0.6, -1.2])
    size = np.linalg.norm(w)
    s = brentq(lambda s: size / (1 + math.exp(2 * size * s)) - gamma * s, 0, 100, xtol=1e-300, rtol=1e-14)
    points = collapse_points(np.stack([w, -w]), np.zeros(2), gamma)
    np.testing.assert_allclose(points, np.stack([s * w / size, -s * w / size]), rtol=1e-9)


def test_strong_gamma_approaches_the_linear_answer():
    weight, bias = head(5, 3)
    expected = (np.eye(5) - softmax(bias)) @ weight / (2 * 1e8)
    np.testing.assert_allclose(collapse_points(weight, bias, 1e8), expected, rtol=1e-6)


def test_simplex_and_hypercube_heads_keep_their_symmetry():
    simplex = np.eye(4) - 0.25
    points = collapse_points(simplex, np.zeros(4), 0.1)
    np.testing.assert_allclose(points, points[0, 0] / 0.75 * simplex, atol=1e-12)
    square = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    points = collapse_points(square, np.zeros(4), 0.1)
    np.testing.assert_allclose(points, points[0, 0] * square, atol=1e-12)


def test_equal_rows_leave_only_the_penalty():
    assert (collapse_points(np.ones((3, 2)), np.arange(3.0), 1.0, start=np.ones((3, 2))) == 0).all()


def test_what_all_rows_share_changes_nothing():
    weight, bias = head(5, 3)
    moved = collapse_points(weight + np.array([3.0, -2, 50]), bias + 7, 0.2)
    np.testing.assert_allclose(moved, collapse_points(weight, bias, 0.2), rtol=1e-9, atol=1e-12)


def test_scaling_the_head_scales_gamma_with_its_square():
    weight, bias = head(5, 3)
    np.testing.assert_allclose(collapse_points(100 * weight, bias, 1e4 * 0.2) * 100,
                               collapse_points(weight, bias, 0.2), rtol=1e-8)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 8), d=st.integers(1, 10), exponent=st.floats(-5, 5))
def test_turning_the_head_turns_the_points(seed, classes, d, exponent):
    weight, bias = head(classes, d, seed)
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]
    points = collapse_points(weight, bias, 10**exponent)
    turned = collapse_points(weight @ turn, bias, 10**exponent)
    np.testing.assert_allclose(turned, points @ turn, atol=1e-5 * np.abs(points).max())


@pytest.mark.parametrize("offset", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize(("classes", "d"), [(4, 2), (10, 8), (3, 20)])
def test_warm_start_equals_cold_start_even_from_far_away(classes, d, offset):
    weight, bias = head(classes, d)
    cold = collapse_points(weight, bias, 0.01)
    start = cold + offset
    kept = start.copy()
    np.testing.assert_allclose(collapse_points(weight, bias, 0.01, start), cold, rtol=1e-6)
    np.testing.assert_array_equal(start, kept)


def test_float32_heads_are_solved_in_float64():
    weight, bias = (a.astype(np.float32) for a in head(4, 2))
    assert collapse_points(weight, bias, 1.0).dtype == np.float64


def test_running_out_of_steps_names_the_norm(monkeypatch):
    monkeypatch.setattr(theory, "MAX_STEPS", 2)
    with pytest.raises(RuntimeError, match=r"expected a gradient norm of at most .*, got .* after 2 Newton steps for 4 "
                                           r"classes; use a larger gamma"):
        collapse_points(*head(4, 2), 1e-4)


W, B = head(3, 2)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: collapse_points(W, B, 0.0), r"expected a finite gamma above 0 .*, got 0\.0; divide"),
    (lambda: collapse_points(W, B, -1.0), r"expected a finite gamma above 0 .*, got -1\.0"),
    (lambda: collapse_points(W, B, math.nan), r"expected a finite gamma above 0 .*, got nan"),
    (lambda: collapse_points(W[0], B, 1.0), r"expected weight \(K, d\) with K >= 2 and d >= 1, got \(2,\); pass one"),
    (lambda: collapse_points(W[:1], B[:1], 1.0), r"expected weight \(K, d\) with K >= 2 and d >= 1, got \(1, 2\)"),
    (lambda: collapse_points(W, B[:2], 1.0), r"expected bias of shape \(3,\), got \(2,\); it must match the head"),
    (lambda: collapse_points(W * math.nan, B, 1.0), r"expected finite weight, got NaN or infinity; stop the run"),
    (lambda: collapse_points(W, B, 1.0, W.T), r"expected start of shape \(3, 2\), got \(2, 3\)"),
    (lambda: collapse_points(W, B, 1.0, label_smoothing=1.0), r"expected label_smoothing from 0 to below 1, got 1\.0"),
    (lambda: forces(W, W, B, -1.0), r"expected a finite gamma 0 or above, got -1\.0"),
    (lambda: forces(W[:2], W, B, 1.0, np.array([0, 3])), r"expected labels from 0 to 2, got 0 to 3; pass"),
    (lambda: forces(W[:, :1], W, B, 1.0), r"expected means \(n, 2\) with one label per row, got \(3, 1\) and \(3,\)"),
    (lambda: predicted_radius(W, np.ones(2)), r"expected shares of shape \(3,\), got \(2,\)"),
    (lambda: critical_gamma(W, B, 1.0), r"expected confidence between 0 and 1, got 1\.0; 0\.5 means"),
])
def test_error_texts(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_predicted_radius_weighs_the_classes():
    points = np.array([[3.0, 4], [0, 1]])
    assert predicted_radius(points) == 3
    assert predicted_radius(points, np.array([30, 10])) == 4
    assert math.isnan(predicted_radius(points, np.zeros(2)))


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_forces_are_the_negative_gradients_of_torch(smoothing):
    weight, bias = head(4, 3)
    means = np.random.default_rng(1).normal(size=(4, 3))
    z = torch.tensor(means, requires_grad=True)
    logits = z @ torch.tensor(weight).T + torch.tensor(bias)
    entropy = torch.nn.functional.cross_entropy(logits, torch.arange(4), reduction="sum", label_smoothing=smoothing)
    pull = torch.autograd.grad(entropy, z)[0]
    found = forces(means, weight, bias, 0.7, label_smoothing=smoothing)
    np.testing.assert_allclose(found[0], -pull.numpy(), atol=1e-12)
    np.testing.assert_allclose(found[1], -1.4 * means)


def test_forces_agree_with_finite_differences():
    weight, bias = head(4, 3)
    means, labels = np.random.default_rng(1).normal(size=(2, 3)), np.array([3, 1])
    total = forces(means, weight, bias, 0.7, labels)[:2].sum(axis=0)
    for z, y, force in zip(means, labels, total, strict=True):
        for j, nudge in enumerate(1e-6 * np.eye(3)):
            up, down = (loss(z + sign * nudge, weight, bias, 0.7, target(4, y)) for sign in (1, -1))
            assert force[j] == pytest.approx(-(up - down) / 2e-6, abs=1e-7)


def test_the_tangential_part_is_across_the_radius_and_the_rest_along_it():
    weight, bias = head(4, 3)
    means = np.random.default_rng(1).normal(size=(4, 3))
    pull, penalty, across = forces(means, weight, bias, 0.7)
    np.testing.assert_allclose((across * means).sum(axis=1), 0, atol=1e-12)
    rest = pull + penalty - across
    np.testing.assert_allclose(np.abs((rest * means).sum(axis=1)),
                               np.linalg.norm(rest, axis=1) * np.linalg.norm(means, axis=1))


def test_forces_cancel_at_the_collapse_points():
    weight, bias = head(4, 3)
    points = collapse_points(weight, bias, 0.7, label_smoothing=0.1)
    pull, penalty, across = forces(points, weight, bias, 0.7, label_smoothing=0.1)
    np.testing.assert_allclose(pull + penalty, 0, atol=2e-10)
    np.testing.assert_allclose(across, 0, atol=2e-10)


def test_forces_of_absent_classes_and_at_the_origin():
    weight, bias = head(3, 2)
    found = forces(np.array([[math.nan, math.nan], [0, 0], [1, 0]]), weight, bias, 0.0)
    assert found.shape == (3, 3, 2)
    assert np.isnan(found[:, 0]).all()
    assert np.isfinite(found[:2, 1]).all()
    assert np.isnan(found[2, 1]).all()
    assert np.isfinite(found[:, 2]).all()


def test_one_node_has_no_tangential_force():
    weight, bias = head(3, 1)
    np.testing.assert_allclose(forces(np.ones((3, 1)), weight, bias, 1.0)[2], 0, atol=1e-14)


def own_probability(weight, bias, gamma):
    return np.diag(softmax(collapse_points(weight, bias, gamma) @ weight.T + bias, axis=1)).min()


@pytest.mark.parametrize("confidence", [0.5, 0.9])
@pytest.mark.parametrize(("classes", "d"), [(4, 4), (10, 8), (3, 20)])
def test_at_the_critical_gamma_the_weakest_class_has_that_confidence(classes, d, confidence):
    weight, bias = head(classes, d, scale=3.0)
    gamma = critical_gamma(weight, 0.1 * bias, confidence)
    below, at, above = (own_probability(weight, 0.1 * bias, factor * gamma) for factor in (0.9, 1, 1.1))
    assert at == pytest.approx(confidence, abs=1e-5)
    assert below > confidence > above


def test_critical_gamma_of_a_simplex_in_closed_form():
    # z = s·W_y with W = I − 1/4: logits s·W W_y, own minus other = s, so p = ½ where eˢ = 3; force balance: s = ⅔/(2γ).
    assert critical_gamma(np.eye(4) - 0.25, np.zeros(4)) == pytest.approx(2 / 3 / (2 * math.log(3)), rel=1e-5)


def test_critical_gamma_scales_with_the_square_of_the_head():
    weight, bias = head(4, 4, scale=3.0)
    assert critical_gamma(10 * weight, bias) == pytest.approx(100 * critical_gamma(weight, bias), rel=1e-5)


def test_critical_gamma_that_does_not_exist():
    line = np.array([[-1.0], [0], [1]])
    assert critical_gamma(line[::2], np.zeros(2)) == math.inf  # two classes without bias: never below one half
    assert math.isnan(critical_gamma(line, np.zeros(3)))  # the middle class never wins
    assert math.isnan(critical_gamma(np.ones((3, 2)), np.zeros(3)))  # a head that tells nothing apart
    assert math.isfinite(critical_gamma(line, np.array([0, 3.0, 0])))
