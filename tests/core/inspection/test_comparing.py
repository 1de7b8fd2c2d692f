"""Two inspections: rotation and scale leave no difference, noise does; against scipy and a slow CKA."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes
from scipy.stats import ortho_group

from lpc_core.checkpoint import Embeddings
from lpc_core.inspection import compare, inspect
from lpc_core.inspection.comparing import linear_cka, procrustes

RNG = np.random.default_rng(0)
LABELS = np.arange(200) % 5
LATENTS = RNG.normal(size=(5, 6))[LABELS] * 3 + RNG.normal(size=(200, 6))
MEANS, SAMPLES = "class means are not laid over each other", "latents are not compared sample by sample"
TURN = ortho_group.rvs(6, random_state=1)


def inspected(latents, labels=LABELS, names=tuple("abcde")):
    return inspect(Embeddings(latents, labels, names))


def test_rotation_scale_and_shift_change_nothing():
    found = compare(inspected(LATENTS), inspected(LATENTS @ TURN * 1e-3 + 7))
    assert found["cka"] == pytest.approx(1)
    assert found["alignment"]["scale"] == pytest.approx(1e3)
    assert found["alignment"]["disparity"] == pytest.approx(0, abs=1e-18)
    assert set(found["alignment"]["residuals"]) == set("abcde")
    assert found["notes"] == []
    radius = found["readings"]["norm_mean"]
    assert radius["difference"] == radius["second"] - radius["first"]
    assert found["readings"]["nc1_pinv"]["difference"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("width", [6, 4, 9])
def test_procrustes_is_scipy_s(width):
    one, two = RNG.normal(size=(7, 6)), RNG.normal(size=(7, width))
    left, _ = procrustes(one, two)
    wide = max(6, width)
    a, b = (np.pad(m, ((0, 0), (0, wide - m.shape[1]))) for m in (one, two))
    assert (left**2).mean() == pytest.approx(scipy_procrustes(a, b)[2])


def test_cka_is_that_of_explicit_kernels():
    other = np.tanh(LATENTS[:, :3] @ RNG.normal(size=(3, 4)))
    centre = np.eye(200) - 1 / 200
    k, l_ = (centre @ x @ x.T @ centre for x in (LATENTS, other))
    slow = (k * l_).sum() / np.sqrt((k * k).sum() * (l_ * l_).sum())
    assert linear_cka(LATENTS, other) == pytest.approx(slow)
    assert linear_cka(LATENTS.astype(np.float32) * np.float32(1e-18), other) == pytest.approx(slow, rel=1e-5)


@pytest.mark.parametrize(("other", "missing", "note"), [
    (inspected(LATENTS[:100], LABELS[:100]), "cka", f"{SAMPLES}: 200 and 100 samples, or other labels"),
    (inspected(LATENTS, LABELS[::-1].copy()), "cka", SAMPLES),
    (inspected(LATENTS, names=tuple("abcdx")), "alignment", f"{MEANS}: 5 and 5 classes, or other names"),
    (inspected(np.ones_like(LATENTS)), "alignment", f"{MEANS}: those of one file coincide"),
    (inspected(np.ones_like(LATENTS)), "cka", f"{SAMPLES}: those of one file are all equal"),
])
def test_what_cannot_be_compared_is_said(other, missing, note):
    found = compare(inspected(LATENTS), other)
    assert found[missing] is None
    assert any(text.startswith(note) for text in found["notes"])


def test_quantities_that_only_one_has_are_left_out():
    first = inspected(LATENTS)
    second = dataclasses.replace(first, readings={"norm_mean": first.readings["norm_mean"]})
    assert list(compare(first, second)["readings"]) == ["norm_mean"]
