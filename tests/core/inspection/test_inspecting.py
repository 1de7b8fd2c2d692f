"""Everything measured at once: readings on all samples or a stated subset, doubtful samples, axes."""

import numpy as np
import pytest

from lpc_core.checkpoint import Embeddings
from lpc_core.inspection import certainty, inspect
from lpc_core.inspection import inspecting as module
from lpc_core.inspection.inspecting import class_centres, slow_rows
from lpc_core.metrics import code_report, entropy_kl, names, readings

RNG = np.random.default_rng(0)
N, D, K = 300, 5, 4
LABELS = np.arange(N) % K
CENTRES = RNG.normal(size=(K, D))
LATENTS = (CENTRES[LABELS] + RNG.normal(size=(N, D))).astype(np.float32)
WEIGHT, BIAS = CENTRES.astype(np.float32), -0.5 * (CENTRES**2).sum(axis=1).astype(np.float32)
LOGITS = LATENTS @ WEIGHT.T + BIAS


def embeddings(**changes):
    given = {"latents": LATENTS, "labels": LABELS, "class_names": tuple("abcd"), "weight": WEIGHT, "bias": BIAS}
    return Embeddings(**{**given, **changes})


def test_every_quantity_is_that_of_the_metrics():
    found = inspect(embeddings())
    assert tuple(found.readings) == names()
    expected = readings(LATENTS, LABELS, weight=WEIGHT, bias=BIAS, only=names())
    for name, reading in found.readings.items():
        assert reading.value == pytest.approx(expected[name].value, nan_ok=True), name
        assert reading.floor == expected[name].floor
    assert found.code == code_report(LATENTS, LABELS, K).plain()


def test_without_a_head_its_quantities_have_a_reason_instead_of_a_value():
    found = inspect(embeddings(weight=None, bias=None))
    for name in ("nc3_self_duality", "weight_norm"):
        assert np.isnan(found.readings[name].value)
        assert "weight" in found.readings[name].reason
    assert found.readings["nc1_pinv"].value > 0


def test_slow_quantities_on_a_stated_subset(monkeypatch):
    monkeypatch.setattr(module, "SLOW_VALUES", 500)
    monkeypatch.setattr(module, "FEWEST", 50)
    found, rows = inspect(embeddings(), seed=3), slow_rows(embeddings(), 3)
    assert len(rows) == 100
    assert np.bincount(LABELS[rows]).tolist() == [25, 25, 25, 25]
    for name, reading in found.readings.items():
        slow = name.startswith(("entropy", "gmm_", "node_peak_distance"))
        assert reading.reason.startswith("on 100 of 300 samples, stratified, drawn with seed 3") == slow, name
    only = readings(LATENTS[rows], LABELS[rows], only=["gmm_std"])["gmm_std"]
    assert found.readings["gmm_std"].value == only.value


def test_the_entropy_looks_up_a_stated_number_of_samples(monkeypatch):
    monkeypatch.setattr(module, "QUERIES", 100)
    reading = inspect(embeddings(), seed=3).readings["entropy_kl"]
    assert "100 of 300 samples looked up, drawn with seed 3" in reading.reason
    assert reading.value == entropy_kl(LATENTS, queries=100, seed=3).value


def test_doubtful_samples_by_the_gap_of_the_logits():
    ordered = np.sort(LOGITS.astype(np.float64), axis=1)
    gaps = ordered[:, -1] - ordered[:, -2]
    np.testing.assert_allclose(certainty(embeddings()), gaps, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(certainty(embeddings(weight=None, bias=None, logits=LOGITS)), gaps, rtol=1e-6)
    found = inspect(embeddings())
    assert found.ambiguous[0] == gaps.argmin()
    assert len(found.ambiguous) == 100


def means_by_loop():
    return np.stack([LATENTS[c::K].mean(axis=0, dtype=float) for c in range(K)])


def test_doubtful_samples_by_distance_without_a_head():
    means = means_by_loop()
    distances = np.linalg.norm(LATENTS[:, None] - means[None], axis=2)
    own = distances[np.arange(N), LABELS]
    distances[np.arange(N), LABELS] = np.inf
    np.testing.assert_allclose(certainty(embeddings(weight=None, bias=None)), distances.min(axis=1) / own, rtol=1e-9)


def test_a_sample_that_is_its_class_is_as_sure_as_can_be():
    alone = Embeddings(np.array([[0.0, 0.0], [8.0, 0.0]]), np.array([0, 1]), ("a", "b"))
    assert (certainty(alone) == np.inf).all()


def test_misclassified_samples_come_most_certain_first():
    found = inspect(embeddings())
    wrong = np.flatnonzero(LOGITS.argmax(axis=1) != LABELS)
    assert sorted(found.misclassified) == wrong.tolist()
    assert len(wrong) > 3
    sure = certainty(embeddings())[found.misclassified]
    assert (np.diff(sure) <= 0).all()
    assert inspect(embeddings(weight=None, bias=None)).misclassified.size == 0
    given = (LABELS + (np.arange(N) == 7)) % K
    assert inspect(embeddings(predictions=given)).misclassified.tolist() == [7]


def test_centres_with_an_empty_class():
    names_ = ("a", "b", "c", "d", "never")
    centres = class_centres(embeddings(class_names=names_, weight=None, bias=None))
    np.testing.assert_allclose(centres[:4], means_by_loop(), rtol=1e-12)
    assert np.isnan(centres[4]).all()


def test_the_view_is_linear_and_reproducible_from_what_is_kept():
    found = inspect(embeddings())
    again = (LATENTS.astype(np.float64) - found.pca_mean) @ found.pca_axes
    np.testing.assert_allclose(found.coordinates["pca"], again, rtol=1e-5, atol=1e-5)
    narrow = inspect(embeddings(latents=LATENTS[:, :1], weight=None, bias=None))
    assert narrow.coordinates["pca"].shape == (N, 2)


def test_progress_grows_and_an_error_of_its_own_stops():
    told = []
    inspect(embeddings(), progress=lambda share, what: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1

    def stop(share, what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inspect(embeddings(), progress=stop)


def test_a_head_of_one_class_is_never_in_doubt():
    found = inspect(embeddings(labels=LABELS * 0, class_names=("a",), weight=WEIGHT[:1], bias=BIAS[:1]))
    assert not certainty(found.embeddings).any()
    assert found.readings["accuracy"].value == 1
    assert len(found.misclassified) == 0


def test_one_class_and_one_sample():
    found = inspect(Embeddings(LATENTS[:1], LABELS[:1], ("a",)))
    assert np.isnan(found.readings["nc1_pinv"].value)
    assert found.readings["nc1_pinv"].reason
    assert certainty(Embeddings(LATENTS[:3], LABELS[:3] * 0, ("a",))).tolist() == [0, 0, 0]


def test_a_head_with_numbers_that_are_not_finite_is_left_out():
    bad = WEIGHT.copy()
    bad[0, 0] = np.nan
    found = inspect(embeddings(weight=bad))
    assert "the head is left out: NaN or infinity among the numbers" in found.notes
    assert np.isnan(found.readings["weight_norm"].value)
    assert found.embeddings.weight is None


def test_large_pictures_become_thumbnails():
    found = inspect(embeddings(images=np.full((N, 130, 70, 1), 9, np.uint8)))
    assert found.embeddings.images.shape == (N, 43, 23, 1)
    assert found.notes[-1] == "thumbnails are 43 × 23 pixels, from 130 × 70"
    small = RNG.integers(0, 256, (N, 8, 8, 3), np.uint8)
    assert np.array_equal(inspect(embeddings(images=small)).embeddings.images, small)
