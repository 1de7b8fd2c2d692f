"""Fewer samples than nodes: the word on it, and that noise reads as it says."""

import numpy as np
import pytest

from lpc_core import CollapseMetrics
from lpc_core.metrics import readings, too_few
from lpc_core.metrics.arithmetic.sampling import noise_nc1

RESTING = ("nc1_pinv", "nc1_pinv_per_node", "nc1_cdnv", "sigma_w_trace", "within_class_spread", "nc2_equinorm",
           "nc2_equiangular", "nc2_maxangle", "separation_ratio")


@pytest.mark.parametrize(("sizes", "d"), [((4, 4, 4), 512), ((3, 9, 20, 5), 400), ((10,) * 10, 1000)])
def test_noise_reads_the_nc1_that_is_foretold(sizes, d):
    rng, labels = np.random.default_rng(1), np.repeat(np.arange(len(sizes)), sizes)
    found = [readings(rng.normal(size=(sum(sizes), d)), labels, only=["nc1_pinv"])["nc1_pinv"].value for _ in range(8)]
    assert np.mean(found) == pytest.approx(noise_nc1(np.array(sizes), d), rel=0.25)


def test_every_quantity_that_rests_on_more_samples_than_nodes_says_so():
    rng, labels = np.random.default_rng(0), np.repeat([0, 1, 2], 4)
    found = readings(rng.normal(size=(12, 512)), labels, labels, weight=rng.normal(size=(3, 512)))
    for name in (*RESTING, "nc3_self_duality", "nc4_ncc_agreement"):
        assert "too few samples: 12 (the smallest class 4) for 512 nodes" in found[name].reason, name
        assert "noise alone would read NC1 near 0.012" in found[name].reason
    assert "samples" not in found["norm_mean"].reason


@pytest.mark.parametrize(("sizes", "d", "word"), [
    ((4, 4, 4), 512, "too few samples"), ((40, 300), 64, "few samples per class: 40 in the smallest for 64 nodes"),
    ((65, 70), 64, ""), ((65, 0, 70), 64, ""), ((5,), 64, "")])
def test_when_it_is_said(sizes, d, word):
    told = too_few(np.array(sizes), d)
    assert told.startswith(word)
    assert bool(told) == bool(word)


def test_gathered_batches_say_the_same():
    rng, labels = np.random.default_rng(0), np.repeat([0, 1, 2], 4)
    latents, metrics = rng.normal(size=(12, 40)), CollapseMetrics(3, 40)
    metrics.update(latents[:6], labels[:6])
    metrics.update(latents[6:], labels[6:])
    assert metrics.readings()["nc1_pinv"].reason == readings(latents, labels)["nc1_pinv"].reason
