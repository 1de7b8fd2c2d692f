"""The answers of the worksheet in docs/workshop.md, on the run `/play` begins with: seeds they weren't read from."""

import functools

import numpy as np
import pytest

from lpc_core.config import unflatten
from lpc_core.engine.trainer import Trainer
from lpc_core.presets import default_run

SEEDS = (60, 61, 62, 63, 64)
CHANCE = 1 / 4
every_seed = pytest.mark.parametrize("seed", SEEDS)


def after(run, gamma, steps):
    """What is measured ``steps`` after a hand has put γ there."""
    run.set_gamma(gamma)
    while steps := steps - run.advance(steps):
        assert not run.diverged
        run.extend()
    return run.snapshot().metrics


@functools.cache
def course(seed):
    """Without a penalty at first and long after, then at γ = 0.01 and 1."""
    run = Trainer(unflatten({"seed": seed}, default_run("hypercube", "cpu")), "cpu")
    return after(run, 0.0, 600), after(run, 0.0, 2_000), after(run, 0.01, 1_500), after(run, 1.0, 1_500)


@every_seed
def test_2_without_a_penalty_clouds_drift_outward_and_grow_no_tighter(seed):
    first, late, *_ = course(seed)
    assert first["train_accuracy"] > 0.99
    assert late["norm_mean"] > 1.3 * first["norm_mean"]
    assert late["within_class_spread"] == pytest.approx(first["within_class_spread"], rel=0.2)


@every_seed
def test_3_the_radius_becomes_a_few_times_smaller_and_the_accuracy_stays(seed):
    *_, weak, strong = course(seed)
    assert 2 < weak["norm_mean"] / strong["norm_mean"] < 10
    assert strong["train_accuracy"] == pytest.approx(weak["train_accuracy"], abs=0.01)


@every_seed
def test_4_the_spread_is_a_smaller_share_of_the_radius_than_without_a_penalty(seed):
    _, free, _, strong = course(seed)
    assert strong["within_class_spread"] < free["within_class_spread"]


def test_5_at_a_million_a_guess_is_left_that_wanders():
    found = []
    for seed in SEEDS:
        run = Trainer(unflatten({"seed": seed}, default_run("hypercube", "cpu")), "cpu")
        run.advance(1_500)
        after(run, 1e6, 400)  # on its way
        found += [after(run, 1e6, 400)["train_accuracy"] for _ in range(7)]
    assert np.mean(found) == pytest.approx(CHANCE, abs=0.1)
    assert np.quantile(found, 0.8) < 0.5
