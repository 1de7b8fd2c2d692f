"""Views of wide latents: PCA against scikit-learn, t-SNE and UMAP by what they keep apart, stopping and limits."""

import builtins
import functools
import warnings

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from lpc_core.inspection import components, project
from lpc_core.inspection import projecting as module
from lpc_core.inspection.projecting import placed

RNG = np.random.default_rng(0)
LATENTS = (RNG.normal(size=(400, 12)) * np.linspace(3, 0.2, 12) + 5).astype(np.float32)
CLASSES = np.repeat(np.arange(3), 40)
CLOUDS = (RNG.normal(size=(120, 6)) + 30 * np.eye(6)[CLASSES]).astype(np.float32)


def apart(view, labels):
    """Smallest distance between class means over the largest spread within a class."""
    means = np.array([view[labels == c].mean(axis=0) for c in np.unique(labels)])
    spread = max(np.linalg.norm(view[labels == c] - means[c], axis=1).mean() for c in np.unique(labels))
    gaps = np.linalg.norm(means[:, None] - means[None], axis=2)
    return gaps[np.triu_indices(len(means), 1)].min() / spread


def variances(found, latents):
    """Of the latents along each axis, (p,)."""
    return ((latents.astype(np.float64) - found.mean) @ found.axes).var(axis=0, ddof=1)


@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e15])
def test_components_are_those_of_scikit_learn(scale):
    latents = (LATENTS.astype(np.float64) * scale).astype(np.float32)
    found, oracle = components(latents, 3), PCA(3).fit(latents.astype(np.float64))
    np.testing.assert_allclose(np.abs((found.axes * oracle.components_.T).sum(axis=0)), 1, atol=1e-6)
    np.testing.assert_allclose(variances(found, latents), oracle.explained_variance_, rtol=1e-5)
    np.testing.assert_allclose(np.abs(found.view(latents)), np.abs(oracle.transform(latents.astype(np.float64))),
                               rtol=1e-3, atol=1e-4 * scale)
    assert (found.axes[np.abs(found.axes).argmax(axis=0), range(3)] > 0).all()


def test_collapsed_latents_far_from_the_origin():
    points = np.array([1.0, 0.5]) + 1e-5 * RNG.normal(size=(200, 2)) * [3, 1]
    found, oracle = components(points, 2), PCA(2).fit(points)
    np.testing.assert_allclose(np.abs((found.axes * oracle.components_.T).sum(axis=0)), 1, atol=1e-6)


def test_a_small_component_beside_a_large_one_is_exact():
    """Ten million times less variance: float32 products would give it the direction of their rounding."""
    latents = np.random.default_rng(1).normal(size=(2_000, 6)) * [3e3, 1, 0.9, 0.8, 0.7, 0.6]
    turned = latents @ np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))[0]
    found, oracle = components(turned, 3), PCA(3, svd_solver="full").fit(turned)
    np.testing.assert_allclose(np.abs((found.axes * oracle.components_.T).sum(axis=0)), 1, atol=1e-9)
    np.testing.assert_allclose(variances(found, turned), oracle.explained_variance_, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "noise"), [(400, 1.0), (6, 1.0), (400, 0.0)])
def test_very_wide_latents_are_exact_too(n, noise, seed, monkeypatch):
    """Also where axes differ by little, which a randomised solver mixes, and where there are fewer than asked for."""
    rng = np.random.default_rng(seed)
    latents = 3 + noise * rng.normal(size=(n, 60))
    exact = components(latents, 5)
    monkeypatch.setattr(module, "MOST_COVARIANCE", 4)
    found = components(latents, 5, seed=seed)
    np.testing.assert_allclose(variances(found, latents), variances(exact, latents), atol=1e-12)
    kept = variances(exact, latents) > 1e-12
    np.testing.assert_allclose(np.abs((found.axes * exact.axes).sum(axis=0))[kept], 1, atol=1e-6)


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_clouds_stay_apart_and_progress_is_told(method, monkeypatch):
    if method == "umap":
        brief(monkeypatch)
    told, threads = [], torch.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        view = project(CLOUDS, method, seed=1, progress=lambda share, what: told.append((share, what)))
    assert view.shape == (120, 2)
    assert view.dtype == np.float32
    assert apart(view, CLASSES) > 3
    assert np.array_equal(view, project(CLOUDS, method, seed=1))
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert (1.0, f"{method}: moving the points") in told
    assert torch.get_num_threads() == threads


def brief(monkeypatch):
    """UMAP takes fewer rounds: uncompiled (`tests/conftest.py`), each is slow."""
    umap = pytest.importorskip("umap")
    monkeypatch.setattr(umap, "UMAP", functools.partial(umap.UMAP, n_epochs=50))


def test_what_comes_after_umap_is_not_slowed_down_by_threads_that_spin(monkeypatch):
    """Compiled, it sets OpenMP's number of threads, which is torch's too."""
    brief(monkeypatch)
    import umap

    threads, fit = torch.get_num_threads(), umap.UMAP.func.fit_transform

    def spinning(self, rows):
        torch.set_num_threads(threads + 1)
        return fit(self, rows)

    monkeypatch.setattr(umap.UMAP.func, "fit_transform", spinning)
    assert project(CLOUDS[:20], "umap").shape == (20, 2)
    assert torch.get_num_threads() == threads


def test_three_dimensions_and_few_nodes():
    assert project(CLOUDS, "pca", dims=3).shape == (120, 3)
    flat = project(CLOUDS[:, :1], "pca")
    assert not flat[:, 1].any()
    np.testing.assert_allclose(np.abs(flat[:, 0]), np.abs(CLOUDS[:, 0] - CLOUDS[:, 0].mean()), rtol=1e-4, atol=1e-4)
    assert np.isfinite(project(CLOUDS, "tsne", dims=3)).all()


@pytest.mark.parametrize("method", ["pca", "tsne", "umap"])
def test_latents_that_are_all_equal_are_one_dot(method):
    assert not project(np.full((30, 4), 0.1, np.float32), method).any()


def test_a_seeded_choice_is_placed_and_the_rest_is_missing(monkeypatch):
    monkeypatch.setattr(module, "MOST_POINTS", 50)
    view = project(CLOUDS, "tsne", seed=4)
    shown = np.isfinite(view).all(axis=1)
    assert np.array_equal(np.flatnonzero(shown), placed(120, 4))
    assert shown.sum() == 50
    assert not np.array_equal(placed(120, 4), placed(120, 5))


@pytest.mark.parametrize("looks", [1, 3, 8])
def test_an_error_of_the_progress_stops_at_that_look(looks):
    told = []

    def stop(share, what):
        told.append(share)
        if len(told) == looks:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project(CLOUDS, "tsne", progress=stop)
    assert len(told) == looks


@pytest.mark.parametrize(("arguments", "message"), [
    ((CLOUDS, "mds"), "method: expected one of pca, tsne, umap, got 'mds'; choose one of them"),
    ((CLOUDS[0], "pca"), r"expected latents \(n, d\) of floats, got float32 \(6,\); choose other embeddings"),
    ((CLOUDS[:0], "pca"), "expected latents"),
    ((CLOUDS.astype(int), "pca"), "expected latents"),
    ((CLOUDS[:5], "tsne"), "t-SNE: expected at least 10 samples, got 5; choose pca"),
    ((CLOUDS[:5], "umap"), "UMAP: expected at least 10 samples, got 5; choose pca"),
])
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        project(*arguments)


def test_other_dimensions():
    with pytest.raises(ValueError, match="dims: expected 2 or 3, got 4; choose one of them"):
        project(CLOUDS, "pca", dims=4)


@pytest.mark.parametrize(("method", "package"), [("tsne", "openTSNE"), ("umap", "umap-learn")])
def test_a_missing_package_is_named(method, package, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name in ("openTSNE", "umap"):
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=f"needs the package {package}, .* pip install '{package}'"):
        project(CLOUDS, method)
