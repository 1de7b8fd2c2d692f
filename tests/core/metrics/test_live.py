"""The live metrics: each name computed by hand, explained in the table, and NaN where undefined."""

import math

import numpy as np
import pytest

from lpc_core.metrics import METRICS, live_metrics, node_peak_distance

NAMES = ("norm_mean", "norm_cv", "predicted_radius", "radius_error", "point_error", "within_class_spread", "nc1_pinv",
         "separation_ratio", "weight_norm", "weight_abs_cv", "abs_cv", "node_peak_distance_mean",
         "node_peak_distance_min")
SQUARE = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])


def code(n=200, spread=0.01):
    labels = np.arange(n) % 4
    return (SQUARE[labels] + spread * np.random.default_rng(0).normal(size=(n, 2))).astype(np.float32), labels


def test_a_nearly_collapsed_code():
    latents, labels = code()
    found = live_metrics(latents, labels, labels, 3 * SQUARE, np.zeros(4), 1.1 * SQUARE)
    assert set(found) == set(NAMES)
    assert all(isinstance(value, float) for value in found.values())
    assert found["norm_mean"] == pytest.approx(math.sqrt(2), rel=1e-2)
    assert found["predicted_radius"] == pytest.approx(1.1 * math.sqrt(2))
    assert found["radius_error"] == pytest.approx(1 / 11, abs=1e-2)
    assert found["point_error"] == pytest.approx(1 / 11, abs=1e-2)
    assert found["within_class_spread"] == pytest.approx(0.01, rel=0.1)
    assert found["weight_norm"] == pytest.approx(3 * math.sqrt(8))
    assert found["weight_abs_cv"] == 0
    assert found["node_peak_distance_mean"] >= found["node_peak_distance_min"] > 100


def test_the_predicted_radius_weighs_classes_by_their_samples():
    labels = np.array([0, 0, 0, 1])
    points = np.array([[1.0, 0], [5, 0]])
    found = live_metrics(points[labels], labels, labels, np.eye(2), np.zeros(2), points)
    assert found["predicted_radius"] == 2
    assert found["radius_error"] == found["point_error"] == 0


def test_without_theory_only_its_numbers_are_missing():
    latents, labels = code()
    found = live_metrics(latents, labels, labels, SQUARE, np.zeros(4), None)
    assert {name for name, value in found.items() if math.isnan(value)} == {"predicted_radius", "radius_error",
                                                                            "point_error"}


def test_the_separation_ratio_groups_by_prediction():
    latents, labels = code()
    wrong = live_metrics(latents, np.sort(labels), labels, SQUARE, np.zeros(4), None)
    right = live_metrics(latents, labels, labels, SQUARE, np.zeros(4), None)
    assert wrong["separation_ratio"] == right["separation_ratio"]
    assert wrong["nc1_pinv"] > 10 * right["nc1_pinv"]


def test_absent_classes_and_dead_nodes_are_left_out():
    latents, labels = code()
    latents[:, 1] = 0
    head = np.vstack([SQUARE, [[9.0, 9]]])
    found = live_metrics(latents, labels, labels, head, np.zeros(5), np.vstack([SQUARE, [[7.0, 7]]]))
    assert math.isfinite(found["point_error"])
    assert found["predicted_radius"] == pytest.approx(math.sqrt(2))
    assert found["node_peak_distance_mean"] == found["node_peak_distance_min"] == node_peak_distance(latents)[0]


@pytest.mark.parametrize("latents", [np.zeros((20, 2), np.float32), np.full((20, 2), 0.1, np.float32)])
def test_all_latents_equal(latents):
    labels = np.arange(20) % 4
    found = live_metrics(latents, labels, np.zeros(20, int), np.zeros((4, 2)), np.zeros(4), np.zeros((4, 2)))
    undefined = {"radius_error", "point_error", "nc1_pinv", "separation_ratio", "weight_abs_cv",
                 "node_peak_distance_mean", "node_peak_distance_min"}
    assert all(math.isnan(found[name]) for name in undefined)


@pytest.mark.parametrize(("n", "d", "classes"), [(1, 1, 2), (4, 1, 2), (100, 3, 100), (0, 2, 3)])
def test_small_and_sparse_sets_do_not_fail(n, d, classes):
    rng = np.random.default_rng(0)
    labels, head = np.arange(n), rng.normal(size=(classes, d))
    found = live_metrics(rng.normal(size=(n, d)), labels % classes, labels % 2, head, np.zeros(classes), head)
    assert set(found) == set(NAMES)
    assert not any(math.isinf(value) for value in found.values())


def test_the_head_must_read_these_latents():
    latents, labels = code()
    with pytest.raises(ValueError, match=r"expected weight \(K, 2\) and bias \(K,\), got \(4, 3\) and \(4,\); pass"):
        live_metrics(latents, labels, labels, np.zeros((4, 3)), np.zeros(4), None)


def test_every_name_is_explained():
    others = {"loss", "ce", "penalty", "train_accuracy", "test_accuracy", "lr", "gamma"}
    assert set(METRICS) >= set(NAMES) | others
    for name, metric in METRICS.items():
        assert metric.name == name
        assert all((metric.title, metric.formula, metric.meaning.endswith("."), metric.source))
