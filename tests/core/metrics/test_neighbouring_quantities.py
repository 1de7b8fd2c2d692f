"""NC1 by the quotient, NC5, NECO, NCI, retrieval by the code, entropy in the max norm: against explicit oracles."""

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from lpc_core.metrics import measure, readings
from lpc_core.metrics.entropy import entropy_max
from lpc_core.metrics.nc5 import nc5
from lpc_core.metrics.reliability import nci_doubt, neco_doubt, reliability
from lpc_core.metrics.retrieval import retrieval


def cloud(n=120, d=6, classes=4, seed=0, spread=0.4):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    return rng.normal(size=(classes, d))[labels] + spread * rng.normal(size=(n, d)), labels


def covariances(latents, labels):
    means = np.stack([latents[labels == c].mean(axis=0) for c in np.unique(labels)])
    within = np.mean([np.cov(latents[labels == c].T, bias=True) for c in np.unique(labels)], axis=0)
    return within, np.cov(means.T, bias=True), means


def test_nc1_by_the_quotient_and_by_the_svd_of_the_covariance():
    latents, labels = cloud()
    within, between, means = covariances(latents, labels)
    assert measure(latents, labels, only="nc1_quotient")["nc1_quotient"] == pytest.approx(
        np.trace(within) / np.trace(between))
    u, sizes, v = np.linalg.svd(between)  # as others do it: Σ_B by its K − 1 largest singular values
    kept = slice(0, len(means) - 1)
    inverse = v[kept].T @ np.diag(1 / sizes[kept]) @ u[:, kept].T
    assert measure(latents, labels, only="nc1_pinv")["nc1_pinv"] == pytest.approx(
        np.trace(within @ inverse) / len(means))


def test_the_quotient_sees_scatter_that_the_svd_does_not():
    rng, labels = np.random.default_rng(1), np.arange(60) % 2
    latents = np.stack([np.where(labels == 1, 1.0, -1.0), rng.normal(size=60)], axis=1)  # scatter across, not along
    for c in (0, 1):
        latents[labels == c, 1] -= latents[labels == c, 1].mean()
    found = readings(latents, labels, only=("nc1_quotient", "nc1_pinv"))
    assert found["nc1_quotient"].value > 0.5
    assert found["nc1_pinv"].value < 1e-12
    assert math.isnan(measure(np.ones((6, 2)), np.arange(6) % 2, only="nc1_quotient")["nc1_quotient"])


def test_nc5_is_the_mean_cosine():
    latents, labels = cloud()
    strangers = np.random.default_rng(3).normal(size=(50, 6)) + 0.3
    _, _, means = covariances(latents, labels)
    centre = strangers.mean(axis=0)
    expected = np.mean([abs(mean @ centre) / np.linalg.norm(mean) / np.linalg.norm(centre) for mean in means])
    assert nc5(latents, labels, strangers).value == pytest.approx(expected)
    flat = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    assert nc5(flat, [0, 1], [[0.0, 0, 5]]).value == 0
    assert nc5(flat, [0, 1], [[3.0, 0, 0]]).value == pytest.approx(0.5)
    assert "has no direction" in nc5(flat, [0, 1], [[0.0, 0, 0]]).reason
    with pytest.raises(ValueError, match="of one width"):
        nc5(flat, [0, 1], np.ones((2, 2)))
    with pytest.raises(ValueError, match="expected finite latents, got NaN or infinity"):
        nc5([[np.nan, 0, 0], [0, 1.0, 0]], [0, 1], [[3.0, 0, 0]])


def test_neco_is_the_share_inside_the_training_space():
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    train, _ = cloud(seed=4)
    given = np.random.default_rng(5).normal(size=(30, 6))
    scaler = StandardScaler().fit(train)
    pca = PCA(0.9).fit(scaler.transform(train))
    z = scaler.transform(given)
    expected = np.linalg.norm(z @ pca.components_.T, axis=1) / np.linalg.norm(z, axis=1)
    assert pca.n_components_ < 6
    np.testing.assert_allclose(-neco_doubt(train, given), expected)
    assert (neco_doubt(train[:, :1], given[:, :1]) == 0).all()
    assert (neco_doubt(train, train.mean(axis=0)[None]) == 0).all()


def test_nci_by_a_loop():
    train, _ = cloud(seed=6)
    rng = np.random.default_rng(7)
    given, weight, guessed = rng.normal(size=(20, 6)), rng.normal(size=(4, 6)), rng.integers(0, 4, 20)
    centre = train.mean(axis=0)
    expected = [weight[y] @ (z - centre) / np.linalg.norm(z - centre) + 1e-3 * np.abs(z).sum()
                for z, y in zip(given, guessed, strict=True)]
    np.testing.assert_allclose(-nci_doubt(train, given, guessed, weight), expected)


def test_both_scores_are_part_of_reliability():
    train, labels = cloud(seed=8)
    test, truth = cloud(seed=8, spread=1.5)
    weight = covariances(train, labels)[2]
    logits = test @ weight.T
    found = reliability(train, labels, test, logits, truth, weight=weight)
    wrong, guessed = logits.argmax(1) != truth, logits.argmax(1)
    assert found["auroc_neco"].value == pytest.approx(roc_auc_score(wrong, neco_doubt(train, test)))
    assert found["auroc_nci"].value == pytest.approx(roc_auc_score(wrong, nci_doubt(train, test, guessed, weight)))
    assert reliability(train, labels, test, logits, truth)["auroc_nci"].reason == "needs the head's weight"
    with pytest.raises(ValueError, match=r"expected weight \(4, 6\), a row per logit, got \(6, 4\)"):
        reliability(train, labels, test, logits, truth, weight=weight.T)


def test_retrieval_by_code_is_the_mean_over_all_orders_of_ties():
    database = np.array([[1.0, 1], [2, 1], [1, -1], [-1, 1], [-1, -2], [3, 3]])
    own, query = np.array([0, 1, 0, 1, 0, 0]), np.array([[0.5, 0.5]])
    distances = ((np.sign(database) != 1).sum(axis=1))
    precisions, recalls = [], []
    for order in itertools.permutations(range(6)):
        if (np.diff(distances[list(order)]) >= 0).all():  # an order that agrees with the distances
            hit = own[list(order)] == 0
            places = np.flatnonzero(hit) + 1
            precisions.append(np.mean(np.arange(1, len(places) + 1) / places))
            recalls.append(hit[: hit.sum()].mean())
    found = retrieval(database, own, query, [0])
    assert found["retrieval_map_code"] == pytest.approx(np.mean(precisions))
    assert found["retrieval_recall_code"] == pytest.approx(np.mean(recalls))
    assert (found["retrieval_bytes_code"], found["retrieval_bytes_float"]) == (1, 8)


def test_retrieval_by_numbers_agrees_with_scikit_learn():
    database, own = cloud(seed=9)
    queries, labels = cloud(n=24, seed=9, spread=0.6)
    found = retrieval(database, own, queries, labels)
    expected = [average_precision_score(own == y, -np.linalg.norm(database - z, axis=1))
                for z, y in zip(queries, labels, strict=True)]
    assert found["retrieval_map_float"] == pytest.approx(np.mean(expected))


def test_latents_that_are_codes_are_found_alike_by_code_and_by_number(monkeypatch):
    rng = np.random.default_rng(10)
    database, queries = (rng.choice([-1.0, 1.0], size=(n, 5)) for n in (60, 20))
    own, labels = rng.integers(0, 3, 60), rng.integers(0, 4, 20)  # nothing is like a query of class 3
    found = retrieval(database, own, queries, labels)
    assert found["retrieval_map_code"] == pytest.approx(found["retrieval_map_float"], rel=1e-12)
    assert found["retrieval_recall_code"] == pytest.approx(found["retrieval_recall_float"], rel=1e-12)
    monkeypatch.setattr("lpc_core.metrics.retrieval.BLOCK", 1)  # one query at a time
    assert retrieval(database, own, queries, labels) == pytest.approx(found, rel=1e-12)


def test_a_perfect_code_finds_all_and_a_blind_one_finds_chance():
    labels = np.arange(400) % 4
    code = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])[labels]
    perfect = retrieval(code, labels, code, labels)
    assert [perfect[f"retrieval_{name}"] for name in ("map_code", "recall_code", "map_float")] == [1, 1, 1]
    blind = retrieval(np.ones((400, 2)), labels, np.ones((8, 2)), labels[:8])
    assert blind["retrieval_recall_code"] == pytest.approx(0.25)
    assert blind["retrieval_map_code"] == pytest.approx(0.25, abs=0.02)
    assert math.isnan(retrieval(code, labels, code[:1], [9])["retrieval_map_code"])
    with pytest.raises(ValueError, match=r"expected database and queries of one width, got 2 and 1 nodes; pass"):
        retrieval(code, labels, code[:, :1], labels)
    with pytest.raises(ValueError, match="expected finite queries, got NaN or infinity in 400 of 400 rows"):
        retrieval(code, labels, code * np.nan, labels)


def test_entropy_in_the_max_norm():
    rng = np.random.default_rng(10)
    assert entropy_max(rng.uniform(0, 3, (20_000, 2)), k=5).value == pytest.approx(2 * math.log(3), abs=0.03)
    points = rng.normal(size=(150, 3))
    far = np.sort(np.abs(points[:, None] - points[None]).max(axis=2), axis=1)[:, 7]  # by brute force
    from scipy.special import digamma

    expected = digamma(150) - digamma(7) + 3 * math.log(2) + 3 * np.log(far).mean()
    assert entropy_max(points, k=7).value == pytest.approx(expected)
    assert "needs more than k = 100 samples, got 50" in entropy_max(points[:50]).reason
    assert "in the very same place" in entropy_max(np.ones((200, 2))).reason
    assert entropy_max(torch.tensor(points, requires_grad=True), k=7) == entropy_max(points, k=7)
    with pytest.raises(ValueError, match="expected finite latents, got NaN or infinity in 150 of 150 rows"):
        entropy_max(np.nan * points)
