"""Kozachenko–Leonenko entropy: closed forms, scikit-learn's neighbours, ties, collapse, and a stated cap on queries."""

import math
import re

import numpy as np
import pytest
from scipy.special import gammaln, psi
from sklearn.neighbors import NearestNeighbors

from lpc_core.metrics import entropy_kl, readings
from lpc_core.metrics.arithmetic import rows

GAUSS = 0.5 * math.log(2 * math.pi * math.e)


def by_neighbours(latents, k):
    n, d = latents.shape
    far = NearestNeighbors(n_neighbors=k + 1, algorithm="kd_tree").fit(latents).kneighbors(latents)[0][:, k]
    return (psi(n) - psi(k) + d / 2 * math.log(math.pi) - gammaln(d / 2 + 1) + d * np.log(far).mean()) / d


@pytest.mark.parametrize("d", [1, 3, 12, 13, 40])
@pytest.mark.parametrize("k", [1, 20])
def test_agrees_with_scikit_learns_neighbours(d, k, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK", 100 * d)
    latents = np.random.default_rng(d).normal(size=(350, d)) * np.linspace(1, 3, d)
    assert entropy_kl(latents, k, standardise=False).value == pytest.approx(by_neighbours(latents, k), rel=1e-9)
    standard = (latents - latents.mean(axis=0)) / latents.std(axis=0)
    assert entropy_kl(latents, k).value == pytest.approx(by_neighbours(standard, k), rel=1e-9)


@pytest.mark.parametrize(("d", "scale"), [(1, 1.0), (2, 0.01), (4, 50.0)])
def test_a_bell_curve_has_its_known_entropy(d, scale):
    found = entropy_kl(scale * np.random.default_rng(0).normal(size=(8_000, d)), standardise=False)
    assert found.value == pytest.approx(GAUSS + math.log(scale), abs=0.03)
    assert entropy_kl(scale * np.random.default_rng(0).normal(size=(8_000, d))).value == pytest.approx(GAUSS, abs=0.05)


def test_a_flat_square_has_the_entropy_of_its_area():
    assert entropy_kl(3 * np.random.default_rng(0).random((8_000, 2)), standardise=False).value == pytest.approx(
        math.log(9) / 2, abs=0.03)


@pytest.mark.parametrize("d", [2, 16])
@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-9, 1e-12])
def test_near_points_far_out_keep_their_distances(d, spread):
    """Where ‖x‖² + ‖y‖² − 2xy has lost all digits the distances are still those of the points."""
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(6, d))[np.arange(300) % 6] + spread * rng.normal(size=(300, d))
    found = entropy_kl(latents, 5, standardise=False)
    assert found.value == pytest.approx(by_neighbours(latents, 5), abs=1e-6)
    assert "upper bound" not in found.reason


def test_a_single_cloud_far_from_a_lone_sample():
    rng = np.random.default_rng(0)
    latents = np.vstack([1e-9 * rng.normal(size=(200, 20)), np.full((1, 20), 1e3)])
    found = entropy_kl(latents, 3, standardise=False)
    assert found.value == pytest.approx(by_neighbours(latents, 3), abs=1e-6)


@pytest.mark.parametrize("d", [3, 20])
def test_ties_are_counted_and_read_as_the_floor(d):
    points = 1 - 2.0 * (np.arange(4)[:, None] >> np.arange(d) % 2 & 1)  # four vertices of a cube
    code = points[np.arange(200) % 4].astype(np.float32)
    found = entropy_kl(code, 20)
    assert found.value == found.floor
    assert found.at_floor
    assert found.reason.endswith("an upper bound: 200 of 200 distances lay below the rounding of the latents and were "
                                 "set to it, 200 of them 0 (ties)")
    loose = entropy_kl(code, 60)  # the 60th neighbour is in another class
    assert "upper bound" not in loose.reason
    assert loose.value > found.value + 5


def test_collapsed_float32_is_an_upper_bound():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(4, 6))[np.arange(400) % 4] * (1 + 1e-7 * rng.normal(size=(400, 6)))
    found = entropy_kl(latents.astype(np.float32))
    assert int(re.search(r"an upper bound: (\d+) of 400 distances lay", found.reason)[1]) > 200
    assert entropy_kl(latents).value <= found.value <= found.floor + 0.5


def test_the_cap_on_queries_is_seeded_and_said():
    latents = np.random.default_rng(0).normal(size=(3_000, 3))
    few, again, other = (entropy_kl(latents, queries=500, seed=seed) for seed in (0, 0, 1))
    assert few == again
    assert few.value != other.value
    assert few.value == pytest.approx(entropy_kl(latents).value, abs=0.1)
    assert few.reason == "k = 20, standardised nodes; 500 of 3,000 samples looked up, drawn with seed 0"


@pytest.mark.parametrize("d", [3, 20])
def test_every_sample_is_looked_up_unless_asked_otherwise(d):
    latents = np.random.default_rng(d).normal(size=(2_500, d))
    found = entropy_kl(latents, standardise=False)
    assert found.value == pytest.approx(by_neighbours(latents, 20), rel=1e-9)
    measured = readings(latents, np.zeros(2_500, int), only=["entropy_kl"])["entropy_kl"]
    assert measured.value == entropy_kl(latents).value
    assert "looked up" not in found.reason + measured.reason


def test_nodes_that_never_change_are_left_out():
    latents = np.random.default_rng(0).normal(size=(300, 3))
    wider = np.insert(latents, 1, 0.3, axis=1)
    found = entropy_kl(wider)
    assert found.value == pytest.approx(entropy_kl(latents).value)
    assert found.reason.endswith("1 of 4 nodes never change and are left out")
    dead = entropy_kl(np.ones((30, 2)))
    assert math.isnan(dead.value)
    assert dead.reason == "no node ever changes"


def test_turns_and_scale():
    rng = np.random.default_rng(0)
    latents, turn = rng.normal(size=(300, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    before = entropy_kl(latents, standardise=False).value
    assert entropy_kl(7 * latents @ turn + 1, standardise=False).value == pytest.approx(before + math.log(7))
    assert entropy_kl(latents * [1, 2, 3, 4]).value == pytest.approx(entropy_kl(latents).value)


def test_too_few_samples():
    latents = np.random.default_rng(0).normal(size=(20, 2))
    assert readings(latents, np.zeros(20, int), only=["entropy_kl"])["entropy_kl"].reason == \
        "needs more than k = 20 samples, got 20"
    with pytest.raises(ValueError, match=r"expected 1 <= k < n and queries >= 1, got k=20, n=20, queries=None; take a"):
        entropy_kl(latents)
