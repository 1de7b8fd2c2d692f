"""Statistics of single nodes against NumPy, in one block and in many."""

import numpy as np
import pytest

from lpc_core.metrics import per_node, readings
from lpc_core.metrics.arithmetic import rows


@pytest.mark.parametrize("block", [4, 50, 10_000])
def test_agrees_with_numpy(block, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK", block)
    latents = np.random.default_rng(0).normal(size=(211, 3)) * [1, 1e-6, 10] + [0, 5, 0]
    found = per_node(latents)
    sizes = np.abs(latents)
    for name, expected in (("means", latents.mean(0)), ("stds", latents.std(0)), ("least", latents.min(0)),
                           ("largest", latents.max(0)), ("abs_means", sizes.mean(0)), ("abs_stds", sizes.std(0))):
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-8)
    assert readings(latents, np.zeros(211, int), only=["abs_cv"])["abs_cv"].value == pytest.approx(
        sizes.std() / sizes.mean())


def test_constant_nodes():
    latents = np.random.default_rng(0).normal(size=(50, 3))
    latents[:, 1], latents[:, 2] = 0.1, 0
    found = per_node(latents)
    assert found.constant.tolist() == [False, True, True]
