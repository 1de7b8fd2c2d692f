"""A comparison's runs share data, seed and steps, and are trained step by step together."""

import numpy as np
import pytest

from lpc_core.config import ConfigError, RunConfig, unflatten
from lpc_core.engine.lockstep import Lockstep
from lpc_core.engine.trainer import Trainer
from lpc_core.parsing import format_settings, parse_settings
from lpc_core.run_group import RunGroup, compare, from_plain, to_plain

BASE = unflatten({"samples": 200, "test_samples": 50, "hidden": (8,), "batch_size": 32, "steps": 120, "seed": 3})


def lockstep(*overrides, base=BASE):
    comparison = compare(base, overrides, [format_settings(one) or "base" for one in overrides])
    return Lockstep(comparison, lambda run: Trainer(run, "cpu"))


def steps(group):
    return [member.step for member in group.members]


def test_settings_in_a_line_go_both_ways():
    settings = {"optimizer": "sgd", "lr": 0.05, "hidden": (16, 8)}
    assert parse_settings(format_settings(settings)) == settings
    assert parse_settings("") == {}
    assert parse_settings("lr=1e-3; seed=4") == {"lr": 1e-3, "seed": 4}


@pytest.mark.parametrize(("line", "message"), [
    ("lr", "settings: expected name=value pairs with spaces between them, got 'lr'"),
    ("lr=fast", "lr: expected a number from 1e-07 to 10, got 'fast'"), ("speed=1", "speed: expected a known setting"),
    ("dataset=cats", "dataset: expected one of"),
    ("lr=0.05 " * 250 + "steps=600", "settings: expected at most 2,000 characters, got 'lr=0.05 ")])
def test_a_bad_line_is_refused_with_what_is_expected(line, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        parse_settings(line)


def test_who_sets_the_course_of_gamma_does_not_follow_the_hand():
    comparison = compare(BASE, [{}, {"gamma_schedule": "constant", "gamma_end": 0.0}, {"lr": 0.1}], "abc")
    assert comparison.follows == (True, False, True)
    assert comparison.runs[1].gamma.gamma_end == 0
    assert from_plain(to_plain(comparison)) == comparison


@pytest.mark.parametrize(("name", "value"), [("seed", 4), ("samples", 100), ("noise", 0.1), ("steps", 7)])
def test_what_must_be_equal_is_checked(name, value):
    with pytest.raises(ConfigError, match=f"{name}: expected the same value in all runs of a comparison"):
        compare(BASE, [{}, {name: value}], "ab")


def test_two_to_four_runs():
    for count in (1, 5):
        with pytest.raises(ConfigError, match=f"runs: expected 2 to 4 runs to compare, got {count}"):
            compare(BASE, [{}] * count, ["x"] * count)
    with pytest.raises(ConfigError, match="a title and a word on γ for each run"):
        RunGroup((RunConfig(), RunConfig()), ("one",), (True, True))


def test_all_take_the_same_steps_and_each_is_the_run_it_would_be_alone():
    group = lockstep({}, {"optimizer": "sgd"}, {"loss": "cosface"})
    assert group.advance(50) == 50
    assert steps(group) == [50, 50, 50]
    alone = Trainer(group.config.runs[1], "cpu")
    alone.advance(50)
    np.testing.assert_array_equal(alone.snapshot().latents, group.members[1].snapshot().latents)
    assert group.advance(500) == 70
    assert group.finished
    group.extend()
    assert (group.advance(3), group.limit, steps(group)) == (3, 240, [123] * 3)


def test_the_deadline_falls_between_whole_steps():
    group = lockstep({}, {"latent_dim": 5})
    assert group.advance(50, deadline=0.0) == 1
    assert steps(group) == [1, 1]


def test_equal_seeds_give_equal_data_order_and_first_weights_where_shapes_agree():
    group = lockstep({}, {"latent_dim": 5}, {"penultimate": "nonlinear"}, {"loss": "arcface"})
    first = group.members[0]
    for other in group.members[1:]:
        assert (other.batches.order == first.batches.order).all()
        assert (other.probe_labels == first.probe_labels).all()
        assert (next(other.model.backbone.parameters()) == next(first.model.backbone.parameters())).all()
    for other in group.members[2:]:
        assert (other.model.head.weight == first.model.head.weight).all()


def test_gamma_by_hand_moves_only_those_that_follow():
    group = lockstep({"gamma_schedule": "constant", "gamma_end": 0.0}, {})
    assert group.leader == 1
    group.set_gamma(5.0)
    assert [member.gamma.target for member in group.members] == [0.0, 5.0]
    assert [member.gamma.mode for member in group.members] == ["auto", "hand"]
    group.set_auto()
    assert group.members[1].gamma.mode == "auto"
    fixed = {"gamma_end": 1.0}
    with pytest.raises(ValueError, match="expected a run that follows γ, got none"):
        lockstep(fixed, fixed).set_gamma(1.0)


def test_a_state_brings_all_of_them_back_in_step():
    group, again = (lockstep({}, {"optimizer": "sgd"}) for _ in range(2))
    group.advance(37)
    again.load_state_bytes(group.state_bytes())
    assert steps(again) == [37, 37]
    for one in (group, again):
        one.advance(20)
    for a, b in zip(group.members, again.members, strict=True):
        np.testing.assert_array_equal(a.snapshot().latents, b.snapshot().latents)
    with pytest.raises(ValueError, match="expected the states of 3 runs, got 2"):
        lockstep({}, {}, {}).load_state_bytes(group.state_bytes())
    with pytest.raises(ValueError, match="expected the state of a group of runs"):
        again.load_state_bytes(b"nothing")


def test_one_that_diverges_stands_still_and_the_others_go_on():
    group = lockstep({}, {"optimizer": "sgd", "lr": 10.0, "head_lr": 10.0, "gamma_schedule": "constant",
                          "gamma_end": 1e8})
    group.advance(120)
    assert steps(group) == [120, 0]
    assert group.members[1].diverged
    assert (group.diverged, group.finished, group.step, group.reason) == (False, True, 120, "")
