"""Scatter and NC1 of any number of samples: slow loops, closed forms, single samples and what may be moved."""

import math

import numpy as np
import pytest

from lpc_core.metrics import live_metrics, measure, readings
from lpc_core.metrics.arithmetic import rows
from tests.core.metrics._clouds import any_motion, dealt, scattered

NAMES = ("nc1_pinv", "nc1_pinv_per_node", "sigma_w_trace", "sigma_w_entry_mean", "within_class_spread")
SHAPES = [(40, 1, 2), (60, 2, 4), (200, 8, 10), (300, 5, 100), (50, 30, 3)]  # n, d, K


def by_loop(latents, labels):
    means = np.stack([latents[labels == c].mean(axis=0) for c in np.unique(labels)])
    within = np.mean([np.cov(latents[labels == c].T, bias=True).reshape(latents.shape[1], -1)
                      for c in np.unique(labels) if (labels == c).sum() > 1], axis=0)
    between = np.cov(means.T, bias=True).reshape(latents.shape[1], -1)
    nc1 = np.trace(within @ np.linalg.pinv(between, rcond=1e-12)) / len(means)
    spread = math.sqrt(np.trace(within)) / np.linalg.norm(latents, axis=1).mean()
    return nc1, nc1 / latents.shape[1], np.trace(within), within.mean(), spread


@pytest.mark.parametrize(("n", "d", "classes"), SHAPES)
@pytest.mark.parametrize("cloud", [dealt, scattered])
def test_agrees_with_loops_in_one_block_or_many(cloud, n, d, classes, monkeypatch):
    latents, labels = cloud(n, d, classes)
    expected = dict(zip(NAMES, by_loop(latents, labels), strict=True))
    assert measure(latents, labels, only=NAMES) == pytest.approx(expected, rel=1e-6)
    monkeypatch.setattr(rows, "BLOCK", 7 * d)
    assert measure(latents, labels, only=NAMES) == pytest.approx(expected, rel=1e-6)


def test_two_classes_on_a_line_in_closed_form():
    found = measure([[-1.1], [-0.9], [0.8], [1.2]], [0, 0, 1, 1], only=NAMES)
    assert found["sigma_w_trace"] == pytest.approx((0.01 + 0.04) / 2)
    assert found["nc1_pinv"] == pytest.approx(0.025 / 1 / 2)
    assert found["within_class_spread"] == pytest.approx(math.sqrt(0.025) / 1)


def test_a_perfect_simplex_has_no_scatter():
    labels = np.repeat(np.arange(4), 5)
    found = measure((np.eye(4) - 0.25)[labels], labels, only=NAMES)
    for name in NAMES:
        assert found[name] == pytest.approx(0, abs=1e-15)


def live(latents, labels):
    return live_metrics(latents, labels, labels, np.ones((4, latents.shape[1])), np.zeros(4), None)


def test_float32_latents_collapsed_to_their_last_bits_keep_their_scatter():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 4
    exact = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])[labels] * (1 + 3e-7 * rng.normal(size=(400, 2)))
    rounding = float(np.spacing(np.float32(1))) ** 2  # the squared step of float32 near 1
    wanted, found = (measure(some, labels, only=NAMES)["sigma_w_trace"] for some in (exact, exact.astype(np.float32)))
    assert found > 0
    assert found == pytest.approx(wanted, abs=rounding)
    moving = live(exact.astype(np.float32), labels)
    assert 0 < moving["nc1_pinv"] < 1e-12
    assert moving["within_class_spread"] == pytest.approx(math.sqrt(found) / moving["norm_mean"], rel=1e-6)


def test_classes_without_samples_leave_the_rest_alone():
    latents, labels = dealt(60, 3, 4)
    rows = np.array([1, 3, 4, 7])[labels]
    assert measure(latents, rows, weight=np.ones((10, 3)), only=NAMES) == pytest.approx(
        measure(latents, labels, only=NAMES))


@any_motion
def test_order_turns_shifts_and_scale(clouds, moved, scale):
    before, after = (measure(*some, only=NAMES) for some in (clouds, moved))
    assert after["nc1_pinv"] == pytest.approx(before["nc1_pinv"], rel=1e-6)
    assert after["sigma_w_trace"] == pytest.approx(scale**2 * before["sigma_w_trace"])


def test_a_mean_far_from_the_origin_costs_no_digits():
    latents, labels = dealt(400, 3, 4, spread=1e-4)
    far = latents + 1e6  # the spacing of float64 there is 1e-10
    assert measure(far, labels, only=NAMES)["sigma_w_trace"] == pytest.approx(
        measure(latents, labels, only=NAMES)["sigma_w_trace"], rel=1e-5)


def test_isotropic_noise_in_closed_form():
    rng = np.random.default_rng(0)
    labels = np.arange(40_000) % 4
    found = measure(2 * rng.normal(size=(40_000, 5)), labels, only=NAMES)
    assert found["sigma_w_trace"] == pytest.approx(5 * 4, rel=0.02)
    assert found["sigma_w_entry_mean"] == pytest.approx(4 / 5, rel=0.1)  # 5 variances and no covariance in 25 entries
    assert found["nc1_pinv"] > 1_000  # the means are 100 times nearer to each other than the clouds are wide


def test_classes_of_one_sample_are_left_out_and_said_to_be():
    latents, labels = dealt(40, 3, 3)
    alone = np.vstack([latents, [[5.0, 5, 5]]]), np.append(labels, 3)
    found = readings(*alone, only=NAMES)
    assert found["sigma_w_trace"].value == pytest.approx(measure(latents, labels, only=NAMES)["sigma_w_trace"])
    assert "classes left out: 1 of one sample" in found["sigma_w_trace"].reason
    for reading in readings(latents[:3], np.arange(3), only=NAMES).values():
        assert math.isnan(reading.value)
        assert reading.reason == "no class has two samples"


def test_class_means_that_coincide_have_no_nc1():
    same = np.random.default_rng(0).choice([-1.0, 1], size=(40, 2))
    mirrored = np.concatenate([same, -same, same, -same])
    found = readings(mirrored.astype(np.float32), np.repeat([0, 1], 80), only=NAMES)
    assert math.isnan(found["nc1_pinv"].value)
    assert found["nc1_pinv"].reason == "the class means coincide within the rounding of float32"
    assert math.isnan(found["nc1_pinv_per_node"].value)
    one = readings(same, np.zeros(40, int), only=NAMES)
    assert one["nc1_pinv"].reason == "fewer than two classes"
    assert one["sigma_w_trace"].value == pytest.approx(same.var(axis=0).sum())
    assert readings(np.zeros((4, 2)), [0, 0, 1, 1], only=NAMES)["within_class_spread"].reason == "all latents are 0"
