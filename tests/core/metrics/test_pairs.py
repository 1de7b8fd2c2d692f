"""Pairs of classes against explicit loops, closed forms and coinciding means."""

import math

import numpy as np
import pytest

from lpc_core.metrics import readings


def cloud(n, d, classes, spread=0.3):
    rng = np.random.default_rng([n, d, classes])
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(classes, d))[labels] + spread * rng.normal(size=(n, d)), labels


def cdnv(latents, labels):
    return readings(latents, labels, only=["nc1_cdnv"])["nc1_cdnv"]


@pytest.mark.parametrize(("n", "d", "classes"), [(40, 1, 2), (60, 2, 4), (200, 8, 10)])
def test_agrees_with_loops(n, d, classes):
    latents, labels = cloud(n, d, classes)
    own = [latents[labels == c] for c in range(classes)]
    values = []
    for a in range(classes):
        for b in range(a):
            first, second = own[a].mean(axis=0), own[b].mean(axis=0)
            gap = np.linalg.norm(first - second)
            values.append((own[a].var(axis=0).sum() + own[b].var(axis=0).sum()) / (2 * gap ** 2))
    assert cdnv(latents, labels).value == pytest.approx(np.mean(values))


def test_isotropic_noise_overlaps_by_half_the_samples_of_a_class():
    latents = np.random.default_rng(0).normal(size=(4_000, 200))  # means: variance 2d/n_c apart
    assert cdnv(latents, np.arange(4_000) % 4).value == pytest.approx(1_000 / 2, rel=0.1)


def test_classes_of_one_sample_are_left_out_and_said_to_be():
    latents, labels = cloud(60, 2, 4)
    alone = np.vstack([latents, [[9.0, 9]]]), np.append(labels, 7)
    assert cdnv(*alone).value == pytest.approx(cdnv(latents, labels).value)
    assert cdnv(*alone).reason.endswith("1 classes of fewer than two samples left out")
    assert cdnv(latents[:3], [0, 1, 2]).reason == "needs two classes of two samples or more, got 0"


def test_coinciding_means_are_undefined():
    found = cdnv(np.array([[0.0, 1], [0, -1], [0, 2], [0, -2], [5, 5], [6, 6]]), [0, 0, 1, 1, 2, 2])
    assert math.isnan(found.value)
    assert found.reason == "1 pairs of class means coincide"
