"""The separation ratio against an explicit loop, exact cases and its invariances."""

import math

import numpy as np
import pytest

from lpc_core.metrics import measure
from lpc_core.metrics.separation import nearest
from tests.core.metrics._clouds import any_motion, scattered


def separation_ratio(latents, groups):
    return measure(latents, groups, only="separation_ratio")["separation_ratio"]


def by_loop(latents, groups):
    centroids = {g: latents[groups == g].mean(axis=0) for g in np.unique(groups)}
    ratios = []
    for z, own in zip(latents, groups, strict=True):
        near = np.linalg.norm(z - centroids[own])
        far = min(np.linalg.norm(z - c) for g, c in centroids.items() if g != own)
        if near > 0:
            ratios.append(far / near)
    return np.mean(ratios)


@pytest.mark.parametrize(("n", "d", "classes"), [(40, 1, 2), (60, 2, 4), (200, 8, 10), (300, 5, 100)])
@pytest.mark.parametrize("spread", [2.0, 0.3, 1e-7])
def test_agrees_with_the_loop(n, d, classes, spread):
    latents, groups = scattered(n, d, classes, spread=spread)
    assert separation_ratio(latents, groups) == pytest.approx(by_loop(latents, groups), rel=1e-5)


@pytest.mark.parametrize("scale", [1e-60, 1e-7, 1.0, 1e60])
@pytest.mark.parametrize("gap", [1.0, 1e-5, 1e-9])
def test_many_distances_are_ranked_as_exactly_as_few(scale, gap):
    """Float32 is asked first, and must not decide where it cannot."""
    rng = np.random.default_rng(0)
    centroids = 1 + gap * rng.normal(size=(100, 6))
    latents = centroids[rng.integers(0, 100, 2_000)] + gap * rng.normal(size=(2_000, 6))
    latents[:5] *= 1e9
    own = rng.integers(0, 100, 2_000)
    away = np.linalg.norm(latents[:, None] - centroids, axis=2)
    first, others = away.argmin(axis=1), np.where(np.arange(100) == own[:, None], np.inf, away).argmin(axis=1)
    lone = np.arange(2_000) >= 5  # so far out, all centroids are equally near within float64
    np.testing.assert_array_equal(nearest(scale * latents, scale * centroids)[lone], first[lone])
    np.testing.assert_array_equal(nearest(scale * latents, scale * centroids, own)[lone], others[lone])


def test_two_pairs_on_a_line():
    latents = np.array([[-1.1], [-0.9], [0.9], [1.1]])  # distances 0.1 to the own centre, 2.1 and 1.9 to the other
    assert separation_ratio(latents, np.array([0, 0, 1, 1])) == pytest.approx(20)


def test_empty_groups_and_groups_of_one_are_left_out():
    latents, groups = scattered(60, 3, 4)
    assert separation_ratio(latents, 5 * groups + 2) == pytest.approx(separation_ratio(latents, groups))
    far = np.vstack([latents, [[1e3, 0, 0]]])
    assert separation_ratio(far, np.append(groups, 9)) == pytest.approx(separation_ratio(latents, groups))


def test_undefined_is_nan():
    latents, _ = scattered(20, 2, 3)
    assert math.isnan(separation_ratio(latents, np.zeros(20, int)))
    assert math.isnan(separation_ratio(latents[:3], np.arange(3)))
    assert math.isnan(separation_ratio(np.zeros((8, 2)), np.arange(8) % 2))


def test_centroids_that_coincide_do_not_separate():
    rng = np.random.default_rng(0)
    latents = 1e-5 * np.repeat(rng.normal(size=(50, 3)), 2, axis=0) + 7
    assert separation_ratio(latents, np.arange(100) % 2) == pytest.approx(1, abs=1e-9)


@any_motion
def test_order_turns_shifts_and_scale(clouds, moved, *_):
    assert separation_ratio(*moved) == pytest.approx(separation_ratio(*clouds), rel=1e-6)
