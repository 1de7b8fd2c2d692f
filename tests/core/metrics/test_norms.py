"""Norms and their variation: closed forms and invariances."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpc_core.metrics import measure

NAMES = ("norm_mean", "norm_cv", "abs_cv")


def sizes(latents):
    """Mean radius, its variation and that of |z_ij|."""
    return tuple(measure(latents, np.zeros(len(latents), int), only=NAMES).values())


def test_closed_forms():
    latents = np.array([[3.0, 4], [0, -1]])  # norms 5 and 1, sizes 3, 4, 0, 1
    assert sizes(latents) == pytest.approx((3, 2 / 3, np.std([3, 4, 0, 1]) / 2))


def test_a_binary_code_varies_in_neither():
    code = 0.25 * np.random.default_rng(0).choice([-1.0, 1.0], size=(50, 8))
    assert sizes(code)[1:] == pytest.approx((0, 0), abs=1e-15)


def test_a_half_normal_has_its_known_variation():
    values = np.random.default_rng(0).normal(size=(200_000, 1))
    assert sizes(values)[2] == pytest.approx(math.sqrt(math.pi / 2 - 1), abs=0.01)


def test_undefined_is_nan():
    assert sizes(np.zeros((5, 3))) == pytest.approx((0, math.nan, math.nan), nan_ok=True)


def test_collapsed_float32_shell():
    latents = (1e-3 * np.array([[1.0, 0]]) * (1 + 1e-7 * np.random.default_rng(0).normal(size=(500, 1))))
    assert sizes(latents.astype(np.float32))[1] == pytest.approx(sizes(latents)[1], rel=0.2)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), d=st.integers(1, 6), scale=st.floats(1e-6, 1e6))
def test_order_turns_and_scale(seed, d, scale):
    rng = np.random.default_rng(seed)
    latents, turn = rng.normal(size=(30, d)), np.linalg.qr(rng.normal(size=(d, d)))[0]
    mean, variation, of_nodes = sizes(latents)
    assert sizes(scale * latents[::-1] @ turn)[:2] == pytest.approx((scale * mean, variation))
    assert sizes(scale * latents[::-1])[2] == pytest.approx(of_nodes)
