"""AUROCs against scikit-learn, scores against closed forms and scipy, and collapse to 1e-12."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis as scipy_mahalanobis
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from lpc_core.metrics.reliability import (
    METRICS,
    auroc,
    class_gaussians,
    knn_distance,
    mahalanobis,
    reliability,
    softmax_doubt,
)

RNG = np.random.default_rng(0)
CENTRES = 4 * RNG.normal(size=(3, 4))


def clouds(spread, n=300, seed=1):
    """Latents of three classes around `CENTRES`, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    return CENTRES[labels] + spread * rng.normal(size=(n, 4)) * [1, 2, 0.5, 1], labels


@settings(max_examples=60)
@given(low=st.lists(st.integers(0, 5), min_size=1, max_size=20), high=st.lists(st.integers(0, 5), min_size=1,
                                                                              max_size=20))
def test_auroc_is_scikit_learns_with_ties(low, high):
    truth = [0] * len(low) + [1] * len(high)
    assert auroc(low, high).value == pytest.approx(roc_auc_score(truth, low + high), abs=1e-12)


def test_auroc_of_nothing_has_a_reason():
    empty = auroc([], [1.0, 2.0])
    assert math.isnan(empty.value)
    assert empty.reason == "there are 0 and 2 scores; both sides need one"


def test_auroc_refuses_nan():
    with pytest.raises(ValueError, match="expected scores without NaN, got 1 of them"):
        auroc([1.0, math.nan], [2.0])


def test_mahalanobis_is_scipys():
    latents, labels = clouds(0.5)
    fitted = class_gaussians(latents, labels)
    points, predictions = clouds(1.0, 40, seed=2)
    found = mahalanobis(fitted, points, predictions)
    standard = (latents - latents.mean(0)) / latents.std(0)
    there = (points - latents.mean(0)) / latents.std(0)
    for c in range(3):
        own = standard[labels == c]
        inverse = np.linalg.inv(np.cov(own.T, bias=True))
        for row in np.flatnonzero(predictions == c):
            assert found[row] == pytest.approx(scipy_mahalanobis(there[row], own.mean(0), inverse), rel=1e-3)


@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-9])
def test_mahalanobis_does_not_see_how_far_classes_have_collapsed(spread):
    """Points of ordinary clouds and of clouds shrunk onto their centres are as far off, in standard deviations.

    (Node by node standardisation hardly changes once the clouds are small, so 1e-3 is the reference.)
    """
    wide, narrow = (_distances(s) for s in (1e-3, spread))
    np.testing.assert_allclose(narrow, wide, rtol=0.02)


def _distances(spread):
    latents, labels = clouds(spread)
    points, predictions = clouds(3 * spread, 50, seed=2)
    return mahalanobis(class_gaussians(latents, labels), points, predictions)


def test_the_unit_of_a_node_does_not_matter():
    latents, labels = clouds(0.5)
    scaled = latents * [1, 1e6, 1e-6, -3] + [0, 5e6, 1e-6, 7]
    one, other = (mahalanobis(class_gaussians(z, labels), z, labels) for z in (latents, scaled))
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_single_and_equal_samples_get_the_pooled_variance():
    latents, labels = clouds(0.5)
    latents, labels = np.r_[latents, [[9.0] * 4], [[5.0] * 4] * 3], np.r_[labels, [3], [4] * 3]
    fitted = class_gaussians(latents, labels)
    found = mahalanobis(fitted, latents[-4:] + 0.1, labels[-4:])
    assert np.isfinite(found).all()
    assert (found > 0).all()


def test_complete_collapse_is_finite():
    latents = np.repeat(CENTRES, 10, axis=0).astype(np.float32)
    labels = np.repeat(np.arange(3), 10)
    found = mahalanobis(class_gaussians(latents, labels), np.r_[CENTRES, CENTRES + 0.1].astype(np.float32),
                        np.tile(np.arange(3), 2))
    assert np.isfinite(found).all()
    assert found[3:].min() > 100 * found[:3].max()


def test_a_dead_node_does_not_count():
    latents, labels = clouds(0.5)
    latents[:, 2] = 7.0
    found = mahalanobis(class_gaussians(latents, labels), latents, labels)
    alone = mahalanobis(class_gaussians(latents[:, [0, 1, 3]], labels), latents[:, [0, 1, 3]], labels)
    np.testing.assert_allclose(found, alone, rtol=1e-3)


def test_a_predicted_class_must_have_been_seen():
    latents, labels = clouds(0.5)
    with pytest.raises(ValueError, match=r"expected a training latent of every predicted class, got none of \[1, 7\]"):
        mahalanobis(class_gaussians(latents[labels != 1], labels[labels != 1]), latents[:2], np.array([1, 7]))


def test_softmax_doubt_is_minus_the_largest_softmax_in_order():
    logits = RNG.normal(size=(200, 6)) * 3
    top = torch.tensor(logits).softmax(1).amax(1).numpy()
    np.testing.assert_allclose(softmax_doubt(logits), np.log((1 - top) / top), rtol=1e-9)
    wrong = RNG.random(200) < 0.3
    assert auroc(softmax_doubt(logits)[~wrong], softmax_doubt(logits)[wrong]).value == pytest.approx(
        roc_auc_score(wrong, -top))


def test_softmax_doubt_still_orders_what_float32_calls_certain():
    logits = np.array([[0.0, 200.0], [0.0, 300.0], [0.0, 250.0]])
    assert (torch.tensor(logits).float().softmax(1).amax(1) == 1).all()
    assert softmax_doubt(logits).argsort().tolist() == [1, 2, 0]


def test_odin_at_a_high_temperature_orders_by_largest_less_mean():
    logits = RNG.normal(size=(100, 5))
    lead = logits.max(1) - logits.mean(1)
    assert (softmax_doubt(logits, 1e6).argsort() == (-lead).argsort()).all()


@pytest.mark.parametrize("width", [4, 40])
@pytest.mark.parametrize("spread", [1, 1e-7])
def test_knn_is_scikit_learns(width, spread):
    centres = 5 + RNG.normal(size=(3, width))
    train, points = (centres[np.arange(n) % 3] + spread * RNG.normal(size=(n, width)) for n in (200, 30))
    expected = NearestNeighbors(n_neighbors=7, algorithm="kd_tree").fit(train).kneighbors(points)[0][:, -1]
    np.testing.assert_allclose(knn_distance(train, points, 7), expected, rtol=1e-6)


def test_knn_of_many_nodes_does_not_walk_a_tree(monkeypatch):
    """Which takes minutes where classes have not collapsed."""
    train, points = RNG.normal(size=(5_000, 40)), RNG.normal(size=(30, 40))
    expected = knn_distance(train, points, 7)
    monkeypatch.setattr("lpc_core.metrics.reliability.cKDTree", lambda *_: pytest.fail("walked"))
    np.testing.assert_array_equal(knn_distance(train, points, 7), expected)


@pytest.mark.parametrize("k", [0, 201])
def test_knn_needs_as_many_neighbours(k):
    with pytest.raises(ValueError, match="expected k from 1 to 200, the training latents there are"):
        knn_distance(RNG.normal(size=(200, 4)), RNG.normal(size=(3, 4)), k)


def test_all_of_them_against_scikit_learn():
    train, train_labels = clouds(0.5, 600)
    test, labels = clouds(1.5, 400, seed=3)
    strange = 4 * np.random.default_rng(4).normal(size=(150, 4))
    weight = CENTRES / 4
    logits, ood_logits = test @ weight.T, strange @ weight.T
    found = reliability(train, train_labels, test, logits, labels, ood_latents=strange, ood_logits=ood_logits)
    assert list(found) == [metric.name for metric in METRICS]
    wrong = logits.argmax(1) != labels
    assert 10 < wrong.sum() < 390
    doubt = softmax_doubt(logits, 100)
    assert found["auroc_odin"].value == pytest.approx(roc_auc_score(wrong, doubt))
    both = np.r_[knn_distance(train, test), knn_distance(train, strange)]
    assert found["ood_auroc_knn"].value == pytest.approx(roc_auc_score([0] * 400 + [1] * 150, both))
    assert found["ood_auroc_mahalanobis"].value > 0.8


@pytest.mark.parametrize(("labels", "word"), [([0, 1, 2], "right"), ([1, 2, 0], "wrong")])
def test_without_both_kinds_of_predictions_there_is_a_reason(labels, word):
    train, train_labels = clouds(0.5)
    found = reliability(train, train_labels, CENTRES, 10 * np.eye(3), np.array(labels), k=5)
    assert math.isnan(found["auroc_mahalanobis"].value)
    assert found["auroc_mahalanobis"].reason == f"all 3 predictions are {word}; there is nothing to tell apart"
    assert found["ood_auroc_knn"].reason == "no inputs of another kind were given"


@pytest.mark.parametrize(("call", "words"), [
    (lambda: class_gaussians(np.zeros(3), np.zeros(3)), r"expected finite latents \(n, d\), got \(3,\); pass one row"),
    (lambda: class_gaussians(np.full((3, 2), np.nan), np.zeros(3)), r"got \(3, 2\) with NaN or infinity"),
    (lambda: class_gaussians(np.zeros((3, 2)), np.zeros(2)), r"expected latents \(n, d\) and labels \(n,\)"),
    (lambda: softmax_doubt(np.zeros((3, 1))), r"expected finite logits \(m, K\) with K ≥ 2"),
    (lambda: softmax_doubt(np.zeros((3, 2)), 0.0), "a temperature above 0"),
    (lambda: reliability(*clouds(1.0), CENTRES, np.eye(3)[:2], np.arange(3)), "expected one row of logits and one"),
])
def test_other_shapes_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
