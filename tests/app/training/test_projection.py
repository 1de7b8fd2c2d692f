"""The stable basis: exact at first, inherits signs, turns slowly, rests among equal eigenvalues."""

import math

import numpy as np
import pytest

from app.training.projection import StableBasis

TURN = math.degrees(math.atan(1 / 4)) + 1e-6  # the largest turn of an update


def latents(variances, n=500, seed=0):
    """Samples whose covariance is exactly diagonal with these variances."""
    noise = np.random.default_rng(seed).normal(size=(n, len(variances)))
    noise = np.linalg.qr(noise - noise.mean(axis=0))[0] * math.sqrt(n)
    return noise * np.sqrt(variances)


def rotation(d, i, j, angle):
    turn = np.eye(d)
    turn[[i, j], [i, j]] = math.cos(angle)
    turn[i, j], turn[j, i] = -math.sin(angle), math.sin(angle)
    return turn


def widest_angle(a, b):
    """Largest angle, in degrees, between an axis of ``a`` and the same axis of ``b``."""
    return math.degrees(np.arccos(np.clip((a * b).sum(axis=0), -1, 1)).max())


def principal_angle(a, b):
    """Largest angle, in degrees, between the spans of ``a`` and ``b``."""
    return math.degrees(math.acos(min(1.0, np.linalg.svd(a.T @ b)[1].min())))


def test_the_first_basis_is_pca_with_its_largest_entries_positive():
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    basis = StableBasis(5, 2).update(latents([1, 9, 4, 0.1, 0.2]) @ turn)
    np.testing.assert_allclose(np.abs(basis.T @ turn.T)[:, [1, 2]], np.eye(2), atol=1e-9)
    assert (basis[np.abs(basis).argmax(axis=0), [0, 1]] > 0).all()
    np.testing.assert_array_equal(basis, StableBasis(5, 2).update(latents([1, 9, 4, 0.1, 0.2]) @ turn))


@pytest.mark.parametrize("p", [1, 2, 3])
def test_always_orthonormal_and_never_turns_by_more_than_the_bound(p):
    rng, stable = np.random.default_rng(0), StableBasis(8, p)
    last = stable.update(rng.normal(size=(50, 8)))
    for _ in range(100):
        basis = stable.update(rng.normal(size=(50, 8)) * 10 ** rng.uniform(-3, 3, 8))  # unrelated frames
        np.testing.assert_allclose(basis.T @ basis, np.eye(p), atol=1e-12)
        assert principal_angle(basis, last) <= TURN
        assert widest_angle(basis, last) < 2 * TURN
        last = basis


def test_slow_drift_is_followed_without_a_flip():
    base, stable = latents([9, 4, 1, 0.5]), StableBasis(4, 2)
    last = first = stable.update(base)
    for frame in range(1, 721):  # two full turns of the large plane against the small one
        turn = rotation(4, 0, 2, math.radians(frame)) @ rotation(4, 1, 3, math.radians(frame / 2))
        basis = stable.update(base @ turn)
        assert widest_angle(basis, last) < 3
        assert principal_angle(basis, turn.T[:, :2]) < 30
        last = basis
    assert widest_angle(last, first) < 45  # back where it began, not at minus that
    for _ in range(100):
        last = stable.update(base)
    np.testing.assert_allclose(last, first, atol=1e-3)


def test_the_same_latents_bring_it_to_the_principal_plane():
    rng, stable = np.random.default_rng(0), StableBasis(6, 2)
    stable.update(rng.normal(size=(500, 6)) * [1, 2, 0.1, 0.1, 0.1, 0.1])
    now = latents([0.1, 0.1, 5, 3, 0.1, 0.1])
    for _ in range(150):
        basis = stable.update(now)
    assert principal_angle(basis, np.eye(6)[:, 2:4]) < 0.1


def test_equal_eigenvalues_do_not_make_it_spin():
    stable = StableBasis(6, 2)
    last = first = stable.update(latents([3, 2, 1, 1, 1, 1]))
    for frame in range(200):  # the same round cloud, with the noise of a finite sample
        last = stable.update(latents(np.ones(6)) + 1e-3 * np.random.default_rng(frame).normal(size=(500, 6)))
    assert widest_angle(last, first) < 2


def test_a_crossing_of_eigenvalues_is_continuous():
    tilt, stable = rotation(3, 1, 2, 0.05), StableBasis(3, 2)  # so that the old axes see a little of the new one
    last = stable.update(latents([3, 1.2, 1]))
    for frame in range(600):
        basis = stable.update(latents([3, max(0.2, 1.2 - frame / 300), 1]) @ tilt)
        assert widest_angle(basis, last) < 5
        last = basis
    assert principal_angle(last, tilt.T[:, [0, 2]]) < 1


def test_scale_and_shift_do_not_matter():
    for factor in (1e-200, 1e-6, 1e6):
        stable, scaled = StableBasis(4, 2), StableBasis(4, 2)
        for seed in range(5):
            frame = latents([4, 3, 2, 1], seed=seed)
            expected = stable.update(frame)
            np.testing.assert_allclose(scaled.update(factor * (frame + 3)), expected, atol=1e-6)


@pytest.mark.parametrize(("d", "p"), [(1, 2), (2, 2), (2, 3), (3, 3)])
def test_nothing_is_turned_when_everything_fits(d, p):
    stable = StableBasis(d, p)
    frame = np.random.default_rng(0).normal(size=(20, d))
    view = frame @ stable.update(frame)
    np.testing.assert_array_equal(view[:, :d], frame)
    assert view.shape == (20, p)
    assert (view[:, d:] == 0).all()


def test_latents_that_are_all_equal_leave_it_as_it_is():
    stable = StableBasis(4, 2)
    first = stable.update(latents([1, 2, 3, 4]))
    np.testing.assert_array_equal(stable.update(np.ones((20, 4))), first)
    assert StableBasis(4, 2).update(np.ones((20, 4))).shape == (4, 2)


def test_a_view_without_any_variance_starts_afresh():
    stable = StableBasis(4, 2)
    stable.update(np.eye(4)[[0, 1, 0, 1, 0]] * np.array([[1], [2], [-1], [-2], [3]]))
    moved = np.eye(4)[[2, 3, 2, 3, 2]] * np.array([[1], [2], [-1], [-2], [3]])
    assert principal_angle(stable.update(moved), np.eye(4)[:, 2:]) < 1e-6


def test_the_answer_is_the_callers_own():
    stable = StableBasis(2, 2)
    stable.update(np.ones((3, 2)))[:] = 9
    np.testing.assert_array_equal(stable.update(np.ones((3, 2))), np.eye(2))


@pytest.mark.parametrize(("call", "message"), [
    (lambda: StableBasis(0, 2), r"expected d >= 1 and p >= 1, got d=0 and p=2; pass latent and view"),
    (lambda: StableBasis(4, 2).update(np.ones((5, 3))), r"expected latents \(n, 4\) with n >= 1, got \(5, 3\); make"),
    (lambda: StableBasis(4, 2).update(np.ones((0, 4))), r"expected latents \(n, 4\) with n >= 1, got \(0, 4\)"),
    (lambda: StableBasis(4, 2).update(np.full((5, 4), np.nan)), r"expected finite latents, got NaN or infinity; stop"),
])
def test_error_texts(call, message):
    with pytest.raises(ValueError, match=message):
        call()
