"""Rows: found by themselves, named, with the published sizes; options and refusals."""

import pytest

from lpc_core.config import ConfigError
from lpc_core.experiments import all_rows, plan, rows_named
from lpc_core.experiments._plan import check, planned_of

KINDS = {"lpc", "lpc-wide", "lpc-narrow", "lpc-scl", "lpc-no-pen", "no-pen", "no-pen-scl", "no-pen-arcface",
         "lin-pen", "nonlin-pen"}


@pytest.mark.parametrize("data", ["cifar10", "cifar100", "digits", "mnist", "cifar10-small"])
def test_every_kind_of_row_is_there(data):
    assert {row.name for row in rows_named(f"{data}/all")} >= KINDS


@pytest.mark.parametrize(("name", "nodes", "epochs", "repeats"), [
    ("cifar10/lpc@r1", 4, 200, 5), ("cifar100/lpc@r1", 36, 200, 5), ("svhn/lpc@r2", 4, 800, 3),
    ("cifar100/lpc-wide@r3", 2_048, 800, 5), ("svhn/lpc-narrow@r3", 6, 800, 5), ("cifar100/lpc@r4", 128, 800, 5),
    ("cifar10/lpc-narrow@r5", 32, 1_500, 5), ("cifar100/lpc-wide", 128, 1_000, 5)])
def test_published_sizes(name, nodes, epochs, repeats):
    row = rows_named(name)[0]
    assert (row.settings["latent_dim"], row.epochs, row.repeats) == (nodes, epochs, repeats)


def test_all_that_can_be_trained_make_a_run():
    for row in all_rows().values():
        if not row.obstacle:
            config = row.config(seed=3)
            assert (config.loss.convention, config.seed) == ("mean", 3)
            assert config.optim.lr == config.optim.head_lr == row.base_lr
            assert (config.gamma.gamma_end == 0) == (row.gamma is None)


def test_without_a_generation_the_latest_is_meant():
    assert rows_named("cifar10/lpc")[0].generation == "r6"
    assert rows_named("cifar10/no-pen-cosface")[0].generation == "r4"  # the only one that has it
    assert {row.generation for row in rows_named("svhn/all")} == {"r3"}


def test_options_are_named_choices():
    row = rows_named("cifar10/lpc@r6")[0]
    late = row.with_options({"gamma-update": "after", "noise": "0.01", "entropy-norm": "max"})
    assert (late.gamma.at(1), row.gamma.at(1)) == (1e-4, 2e-4)
    assert (late.noise, late.entropy_norm) == (0.01, "max")
    grid = plan(["cifar10/lpc@r6"], 2, options={"selection": "test"})
    assert [(run.seed, run.lr) for run in grid] == [(seed, lr) for seed in (0, 1) for lr in row.lrs]
    assert len({run.name for run in grid}) == 8


@pytest.mark.parametrize(("options", "words"), [
    ({"gamma": "1"}, "option: expected one of gamma-update, noise"),
    ({"gamma-update": "never"}, "gamma-update.?: expected one of before, after, got 'never'"),
    ({"noise": "much"}, "noise: expected a number from 0 to 1, got 'much'"),
    ({"lr": "nan"}, "lr: expected a number from 1e-07 to 10")])
def test_other_options_are_refused(options, words):
    with pytest.raises(ConfigError, match=words):
        plan(["digits/lpc"], options=options)


@pytest.mark.parametrize("name", ["digits", "digits/", "digits/best", "cifar10/lpc@r9", "/lpc", "moon/lpc", ""])
def test_an_unknown_row_is_refused_with_those_there_are(name):
    with pytest.raises(ConfigError, match=r"row: expected DATA/ROW such as .*see `lpc paper list`, got"):
        plan([name])


@pytest.mark.parametrize("scale", [0.0, -1.0, 11.0, float("nan")])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(ConfigError, match="scale: expected a number above 0, at most 10"):
        plan(["digits/lpc"], scale=scale)


def test_what_cannot_be_trained_here_is_said_before_anything_is():
    with pytest.raises(ConfigError, match="one that can be trained here; ImageNet's pictures must be read"):
        check(plan(["digits/lpc", "imagenet/lpc"]))


def test_a_plan_goes_through_json():
    for run in plan(["digits/lpc"], 2, scale=0.5, options={"lr": "0.01", "noise": "0"}):
        assert planned_of(run.plain()) == run
        assert run.name == f"digits/lpc/seed-{run.seed},scale=0.5,lr=0.01,noise=0"
    with pytest.raises(ValueError, match="expected key, seed, scale, lr and options of a run, got others"):
        planned_of({"key": "digits/lpc"})
