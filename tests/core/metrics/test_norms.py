"""Norms and their variation: closed forms and invariances."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpc_core.metrics.norms import abs_cv, norm_cv, norm_mean


def test_closed_forms():
    latents = np.array([[3.0, 4], [0, -1]])  # norms 5 and 1, sizes 3, 4, 0, 1
    assert norm_mean(latents) == 3
    assert norm_cv(latents) == pytest.approx(2 / 3)
    assert abs_cv(latents) == pytest.approx(np.std([3, 4, 0, 1]) / 2)


def test_a_binary_code_varies_in_neither():
    code = 0.25 * np.random.default_rng(0).choice([-1.0, 1.0], size=(50, 8))
    assert norm_cv(code) == pytest.approx(0, abs=1e-15)
    assert abs_cv(code) == 0


def test_a_half_normal_has_its_known_variation():
    values = np.random.default_rng(0).normal(size=(200_000, 1))
    assert abs_cv(values) == pytest.approx(math.sqrt(math.pi / 2 - 1), abs=0.01)


def test_undefined_is_nan():
    for empty in (np.zeros((5, 3)), np.zeros((0, 3))):
        assert math.isnan(norm_cv(empty))
        assert math.isnan(abs_cv(empty))
    assert norm_mean(np.zeros((5, 3))) == 0
    assert math.isnan(norm_mean(np.zeros((0, 3))))


def test_collapsed_float32_shell():
    latents = (1e-3 * np.array([[1.0, 0]]) * (1 + 1e-7 * np.random.default_rng(0).normal(size=(500, 1))))
    assert norm_cv(latents.astype(np.float32)) == pytest.approx(norm_cv(latents), rel=0.2)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), d=st.integers(1, 6), scale=st.floats(1e-6, 1e6))
def test_order_turns_and_scale(seed, d, scale):
    rng = np.random.default_rng(seed)
    latents, turn = rng.normal(size=(30, d)), np.linalg.qr(rng.normal(size=(d, d)))[0]
    assert norm_cv(scale * latents[::-1] @ turn) == pytest.approx(norm_cv(latents))
    assert norm_mean(scale * latents @ turn) == pytest.approx(scale * norm_mean(latents))
    assert abs_cv(scale * latents[::-1]) == pytest.approx(abs_cv(latents))
