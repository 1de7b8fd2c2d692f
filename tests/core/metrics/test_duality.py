"""NC3 and NC4: heads that mirror the means, oppose them or have nothing to do with them; nearest means by loops."""

import math

import numpy as np
import pytest

from lpc_core.metrics import measure, readings


def setting(n=120, d=6, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    labels, points = np.arange(n) % classes, rng.normal(size=(classes, d))
    return points[labels] + rng.normal(size=(n, d)), labels, points


@pytest.mark.parametrize(("factor", "expected"), [(3.0, 0.0), (-0.5, 2.0)])
def test_parallel_and_opposite_heads(factor, expected):
    _, labels, points = setting()
    centred = points - points.mean(axis=0)
    found = readings(points[labels], labels, weight=factor * centred, only=["nc3_self_duality"])["nc3_self_duality"]
    assert found.value == pytest.approx(expected, abs=1e-14)
    assert found.at_floor == (expected == 0)


def test_an_unrelated_head_reads_the_root_of_two():
    latents = np.zeros((4, 2))
    latents[[0, 1], 0] = 1
    latents[[2, 3], 0] = -1
    found = measure(latents, [0, 0, 1, 1], weight=[[0.0, 1], [0, -1]], only=["nc3_self_duality"])
    assert found["nc3_self_duality"] == pytest.approx(math.sqrt(2))


def test_rows_of_empty_classes_do_not_count():
    latents, labels, points = setting()
    whole = measure(latents, labels, weight=points, only=["nc3_self_duality"])["nc3_self_duality"]
    longer = np.vstack([points, [[9.0] * 6]])
    found = readings(latents, labels, weight=longer, only=["nc3_self_duality"])["nc3_self_duality"]
    assert found.value == pytest.approx(whole)
    assert found.reason == "1 empty classes and their rows of W left out"


def test_undefined_says_why():
    latents, labels, points = setting()
    only = ["nc3_self_duality"]
    assert readings(latents, labels, weight=0 * points, only=only)[only[0]].reason == "the head's weights are all 0"
    assert readings(0 * latents, labels, weight=points, only=only)[only[0]].reason == "the class means coincide"


def test_agreement_with_the_nearest_mean_against_a_loop():
    latents, labels, points = setting()
    bias = np.array([0.5, -1, 0, 2])
    means = np.stack([latents[labels == c].mean(axis=0) for c in range(4)])
    near = np.array([np.argmin([np.linalg.norm(z - mean) for mean in means]) for z in latents])
    logits = latents @ points.T + bias
    expected = np.mean(near == logits.argmax(axis=1))
    assert 0.2 < expected < 0.99
    for given in ({"logits": logits}, {"predictions": logits.argmax(axis=1)}, {"weight": points, "bias": bias}):
        assert measure(latents, labels, **given, only=["nc4_ncc_agreement"])["nc4_ncc_agreement"] == expected


def test_agreement_is_with_the_prediction_even_where_both_are_wrong():
    latents = np.array([[-1.0], [-1.2], [1.0], [1.2], [-1.1]])
    labels = [0, 0, 1, 1, 1]
    assert measure(latents, labels, predictions=[0, 0, 1, 1, 0])["nc4_ncc_agreement"] == 1
