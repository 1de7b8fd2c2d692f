"""Mixtures of all nodes against scikit-learn with many starts, closed forms, ties, and nodes that never change."""

import math

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from lpc_core.metrics import mixtures, readings

GAUSS = -0.5 * math.log(2 * math.pi * math.e)  # mean log-likelihood of a standard normal under itself


def drawn(kind, n=1_200):
    rng = np.random.default_rng([ord(c) for c in kind])
    levels, unit, some = rng.normal(size=10), rng.normal(size=n), rng.random(n)
    return {
        "one bell": lambda: unit,
        "flat": lambda: some,
        "skewed": lambda: rng.exponential(size=n),
        "two bells": lambda: np.sign(some - 0.5) + 0.3 * unit,
        "binary code": lambda: np.where(some < 0.3, -1, 1) * (0.25 + 1e-3 * unit),
        "collapsed to 1e-7": lambda: (np.where(some < 0.3, -1, 1) * (0.25 + 1e-7 * unit)).astype(np.float32),
        "three levels": lambda: rng.choice([-1, 0.2, 1], n, p=[0.3, 0.3, 0.4]) + 0.1 * unit,
        "ten levels": lambda: levels[rng.integers(0, 10, n)] + 0.05 * unit,
        "ten points": lambda: levels[rng.integers(0, 10, n)],
        "narrow in wide": lambda: np.where(some < 0.5, 3 * unit, 0.3 * unit),
        "rare": lambda: np.where(some < 0.03, 5 + 0.1 * unit, unit),
        "heavy tails": lambda: rng.standard_t(2, size=n),
    }[kind]()


def scikit(values, init="kmeans", n_init=1):
    return GaussianMixture(2, n_init=n_init, init_params=init, tol=1e-6, max_iter=1_000, random_state=0).fit(
        values.reshape(-1, 1))


KINDS = ("one bell", "flat", "skewed", "two bells", "binary code", "collapsed to 1e-7", "three levels", "ten levels",
         "ten points", "narrow in wide", "rare", "heavy tails")


@pytest.fixture(scope="module")
def fitted():
    latents = np.stack([drawn(kind).astype(float) for kind in KINDS], axis=1)
    return (latents - latents.mean(axis=0)) / latents.std(axis=0), mixtures(latents)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_never_worse_than_scikit_learn_with_many_starts(kind, fitted):
    values, found = fitted
    node = KINDS.index(kind)
    column = values[:, node]
    best = max(scikit(column, init, n_init).score(column.reshape(-1, 1))
               for init, n_init in (("kmeans", 2), ("random_from_data", 8), ("k-means++", 4)))
    assert found.converged[node]
    assert found.log_likelihood[node] >= best - 1e-3


@pytest.mark.parametrize("kind", ["two bells", "binary code", "collapsed to 1e-7", "rare"])
def test_the_same_components_as_scikit_learn(kind, fitted):
    values, found = fitted
    node = KINDS.index(kind)
    peer = scikit(values[:, node], n_init=2)
    order = peer.means_[:, 0].argsort()
    np.testing.assert_allclose(found.weights[node], peer.weights_[order], atol=2e-3)
    np.testing.assert_allclose(found.means[node], peer.means_[order, 0], atol=5e-3)
    np.testing.assert_allclose(found.stds[node], np.sqrt(peer.covariances_[order, 0, 0]), rtol=2e-2)


def test_the_log_likelihood_is_that_of_the_components(fitted):
    values, found = fitted
    densities = sum(found.weights[:, i] / found.stds[:, i] / math.sqrt(2 * math.pi)
                    * np.exp(-((values - found.means[:, i]) / found.stds[:, i]) ** 2 / 2) for i in (0, 1))
    np.testing.assert_allclose(found.log_likelihood, np.log(densities).mean(axis=0), rtol=1e-9)


def test_more_samples_than_bins_and_narrow_peaks_far_apart():
    rng = np.random.default_rng(0)
    sides = np.where(rng.random(30_000) < 0.2, -1.0, 1.0)
    latents = (sides * (1 + 0.02 * rng.normal(size=30_000)))[:, None]
    found, scale = mixtures(latents), latents.std()
    assert found.scale[0] == pytest.approx(scale)
    np.testing.assert_allclose(found.weights[0], [(sides < 0).mean(), (sides > 0).mean()], atol=1e-6)
    np.testing.assert_allclose(found.means[0] * scale + latents.mean(), [-1, 1], atol=1e-3)
    np.testing.assert_allclose(found.stds[0] * scale, math.hypot(0.02, 1e-3 * scale), rtol=0.02)
    assert found.peak_distance[0] == pytest.approx(2 / math.hypot(0.02, 1e-3 * scale), rel=0.02)


def test_one_bell_reads_as_one():
    found = mixtures(np.random.default_rng(0).normal(size=(50_000, 2)))
    np.testing.assert_allclose(found.log_likelihood, GAUSS, atol=1e-3)


def test_neither_unit_nor_place_matters():
    latents = drawn("two bells")[:, None]
    plain, moved = mixtures(latents), mixtures(5 + 0.01 * latents)
    np.testing.assert_allclose(moved.means, plain.means, rtol=1e-6)
    np.testing.assert_allclose(moved.stds, plain.stds, rtol=1e-4)
    np.testing.assert_allclose(moved.log_likelihood, plain.log_likelihood, atol=1e-5)
    np.testing.assert_allclose(moved.scale, 0.01 * plain.scale)


def test_equal_values_are_as_wide_as_the_floor():
    code = np.repeat([[-0.25], [0.25]], 50, axis=0)
    found = mixtures(code.astype(np.float32))
    np.testing.assert_allclose(found.stds, 1e-3)
    np.testing.assert_allclose(found.peak_distance, 2_000)
    np.testing.assert_allclose(found.log_likelihood, math.log(0.5) - math.log(1e-3) - 0.5 * math.log(2 * math.pi))


def test_nodes_that_never_change_have_no_mixture():
    latents = np.stack([np.full(200, 0.1), drawn("two bells", 200), np.zeros(200)], axis=1)
    found = mixtures(latents)
    assert found.constant.tolist() == [True, False, True]
    for field in (found.weights, found.means, found.stds, found.peak_distance[:, None]):
        assert np.isnan(field).all(axis=1).tolist() == [True, False, True]
    assert not found.converged[0]
    named = readings(latents, np.zeros(200, int), only=["gmm_std", "gmm_log_likelihood", "gmm_peak_distance"])
    assert named["gmm_log_likelihood"].value == found.log_likelihood[1]
    assert named["gmm_std"].value == pytest.approx(found.stds[1].mean())
    assert named["gmm_peak_distance"].value == found.peak_distance[1]
    assert named["gmm_std"].reason == "standardised nodes; 2 of 3 nodes never change and are left out"
    dead = readings(np.ones((9, 2)), np.zeros(9, int), only=["gmm_std"])["gmm_std"]
    assert dead.reason == "no node ever changes"


def test_peaks_that_cannot_be_seen_apart_from_their_floor():
    code = np.where(np.arange(300) % 2 == 0, -1.0, 1) * (1 + 1e-7 * np.random.default_rng(0).normal(size=300))
    found = readings(code[:, None].astype(np.float32), np.zeros(300, int), only=["gmm_std"])["gmm_std"]
    assert found.value == pytest.approx(1e-3, rel=1e-3)
    assert found.reason.endswith("1 of 1 nodes have a peak as narrow as can be seen")


def test_an_unfinished_climb_says_so(monkeypatch):
    monkeypatch.setattr("lpc_core.metrics.mixture.MAX_STEPS", 1)
    found = mixtures(drawn("flat")[:, None])
    assert not found.converged[0]
    assert math.isfinite(found.log_likelihood[0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_tensors_of_any_format(dtype):
    latents = torch.from_numpy(drawn("two bells", 300)[:, None]).to(dtype)
    assert mixtures(latents).log_likelihood == pytest.approx(mixtures(latents.double().numpy()).log_likelihood)


@pytest.mark.parametrize(("latents", "message"), [
    (np.zeros((1, 2)), r"expected at least two samples, got 1; a mixture of two needs as many"),
    (np.zeros(5), r"expected latents \(n, d\), got shape \(5,\); pass one row per sample"),
])
def test_bad_input(latents, message):
    with pytest.raises(ValueError, match=message):
        mixtures(latents)
