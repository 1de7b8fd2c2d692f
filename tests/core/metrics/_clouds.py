"""Clouds of latents with labels, and what must change nothing about them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st


def scattered(n, d, classes, seed=0, spread=0.3):
    """n latents about the means of classes that are drawn one by one: some may be missing."""
    rng = np.random.default_rng([seed, n, d, classes])
    return _about(rng, rng.integers(0, classes, n), d, classes, spread)


def dealt(n=120, d=4, classes=4, seed=0, spread=0.3):
    """The same with classes of equal size."""
    rng = np.random.default_rng([seed, n, d, classes])
    return _about(rng, rng.permutation(np.arange(n) % classes), d, classes, spread)


def _about(rng, labels, d, classes, spread):
    return rng.normal(size=(classes, d))[labels] + spread * rng.normal(size=(len(labels), d)), labels


def any_motion(test):
    """Run ``test(clouds, moved, scale)`` on latents with labels, and on these turned, shifted, scaled, reordered."""

    @settings(max_examples=20)
    @given(seed=st.integers(0, 1000), d=st.integers(1, 6), classes=st.integers(2, 6), scale=st.floats(1e-6, 1e6))
    def run(seed, d, classes, scale):
        latents, labels = scattered(60, d, classes, seed)
        rng = np.random.default_rng(seed)
        order, turn = rng.permutation(60), np.linalg.qr(rng.normal(size=(d, d)))[0]
        test((latents, labels), (scale * (latents @ turn + 1)[order], labels[order]), scale)

    return run
