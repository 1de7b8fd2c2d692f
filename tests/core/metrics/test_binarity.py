"""The two peaks of a node against scikit-learn's 2-means, an explicit loop and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from lpc_core.metrics.binarity import node_peak_distance
from lpc_core.metrics.head import weight_abs_cv


def distance(low, high):
    return abs(high.mean() - low.mean()) / ((low.std() + high.std()) / 2)


def by_loop(values):
    """Try every cut."""
    values = np.sort(values)
    cuts = range(1, len(values))
    best = min(cuts, key=lambda i: values[:i].var() * i + values[i:].var() * (len(values) - i))
    return distance(values[:best], values[best:])


@pytest.mark.parametrize("gap", [0.0, 1.0, 4.0, 50.0])
def test_agrees_with_every_cut_tried(gap):
    rng = np.random.default_rng(int(gap))
    latents = rng.normal(size=(80, 5)) + gap * (rng.random((80, 5)) < 0.3)
    np.testing.assert_allclose(node_peak_distance(latents), [by_loop(node) for node in latents.T], rtol=1e-9)


@pytest.mark.parametrize("gap", [3.0, 10.0])
def test_agrees_with_kmeans(gap):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(500, 1)) + gap * (rng.random((500, 1)) < 0.4)
    parts = KMeans(n_clusters=2, n_init=10, random_state=0).fit_predict(values)
    assert node_peak_distance(values)[0] == pytest.approx(distance(values[parts == 0], values[parts == 1]), rel=1e-6)


def test_reference_values_of_one_peak():
    rng = np.random.default_rng(0)
    gauss, flat = node_peak_distance(np.stack([rng.normal(size=100_000), rng.random(100_000)], axis=1))
    assert gauss == pytest.approx(2 * math.sqrt(2 / math.pi) / math.sqrt(1 - 2 / math.pi), rel=0.01)  # half-normals
    assert flat == pytest.approx(math.sqrt(12), rel=0.01)


def test_narrow_peaks_give_distance_over_width():
    rng = np.random.default_rng(0)
    code = np.where(rng.random((2_000, 3)) < 0.5, -1.0, 1.0)
    np.testing.assert_allclose(node_peak_distance(code + 0.01 * rng.normal(size=code.shape)), 200, rtol=0.05)


def test_peaks_of_very_different_width_keep_both_widths():
    rng = np.random.default_rng(0)
    low, high = rng.normal(size=100), 100 + 1e-9 * rng.normal(size=100)
    assert node_peak_distance(np.concatenate([low, high])[:, None])[0] == pytest.approx(distance(low, high), rel=1e-6)


def test_peaks_without_width_get_the_rounding_of_their_format():
    code = 0.7 * np.array([[-1], [1], [1], [-1], [1]])
    step = np.spacing(np.float32(0.7))
    assert node_peak_distance(code.astype(np.float32))[0] == pytest.approx(1.4 / (step / math.sqrt(12)), rel=1e-6)
    assert node_peak_distance(code)[0] > 1e15


def test_collapsed_float32_code():
    rng = np.random.default_rng(0)
    exact = 1e-3 * rng.choice([-1, 1], (500, 2)) * (1 + 3e-7 * rng.normal(size=(500, 2)))
    found = node_peak_distance(exact.astype(np.float32))
    np.testing.assert_allclose(found, node_peak_distance(exact), rtol=0.1)


def test_undefined_is_nan():
    latents = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    latents[:, 1] = 0.1
    assert np.isnan(node_peak_distance(latents)).tolist() == [False, True, False]
    assert np.isnan(node_peak_distance(np.zeros((50, 2)))).all()
    assert np.isnan(node_peak_distance(latents[:3])).all()
    assert np.isnan(node_peak_distance(np.zeros((0, 2)))).all()
    with pytest.raises(ValueError, match=r"expected latents \(n, d\), got \(5,\); pass one row per sample"):
        node_peak_distance(np.zeros(5))


def test_the_input_is_left_as_it_was():
    for latents in (np.random.default_rng(0).normal(size=(20, 1)), np.random.default_rng(0).normal(size=(3, 20)).T):
        before = latents.copy()
        node_peak_distance(latents)
        np.testing.assert_array_equal(latents, before)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-6, 1e6), shift=st.floats(-10, 10))
def test_order_mirror_shift_and_scale(seed, scale, shift):
    rng = np.random.default_rng(seed)
    latents = rng.normal(size=(40, 3)) + 3 * (rng.random((40, 3)) < 0.5)
    moved = -scale * (latents[::-1] + shift)
    np.testing.assert_allclose(node_peak_distance(moved), node_peak_distance(latents), rtol=1e-6)


def test_weight_variation_per_node():
    weight = np.array([[1.0, 1, 0], [-1, 3, 0]])
    found = weight_abs_cv(weight)
    np.testing.assert_allclose(found[:2], [0, 0.5])
    assert math.isnan(found[2])
