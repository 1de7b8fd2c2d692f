"""Configs check themselves, say what they expect, and survive being flat."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpc_core.config import (
    MAX_SEED,
    SECTIONS,
    ConfigError,
    DataConfig,
    LossConfig,
    ModelConfig,
    RunConfig,
    ScheduleConfig,
    describe,
    fields,
    flatten,
    unflatten,
)
from lpc_core.presets import default_run


def allowed_values(field):
    """Every value that the field's own description allows (schedules need a γ above 0)."""
    meta, kind = field.metadata, str(field.type)
    if meta["choices"] and not meta["files"]:
        return st.sampled_from(meta["choices"])
    if kind == "str":
        return st.text(min_size=1)
    whole = st.integers(int(meta["low"] or 0), int(meta["high"] or 0)) if kind != "float" else None
    if kind.startswith("tuple"):
        return st.lists(whole, max_size=6).map(tuple)
    return st.floats(max(meta["low"], 1e-9), meta["high"]) if kind == "float" else whole


FLAT = st.fixed_dictionaries({name: allowed_values(field) for name, field in fields().items()})
PART = st.fixed_dictionaries({}, optional={name: allowed_values(field) for name, field in fields().items()})


@given(FLAT)
def test_flat_and_nested_are_the_same(flat):
    run = unflatten(flat)
    assert flatten(run) == flat
    assert unflatten(flatten(run)) == run


@given(FLAT, PART)
def test_unflatten_replaces_only_what_is_named(base, part):
    assert flatten(unflatten(part, unflatten(base))) == base | part


def test_nothing_named_is_the_defaults():
    assert unflatten({}) == RunConfig()


def test_names_are_unique_and_everything_is_described():
    names = [field.name for kind in (*SECTIONS.values(), RunConfig) for field in dataclasses.fields(kind)
             if field.metadata]
    assert len(names) == len(set(names)) == len(fields()) == len(flatten(RunConfig()))
    assert list(fields()) == list(flatten(RunConfig()))
    assert all(field.metadata["help"].endswith(".") for field in fields().values())


def test_defaults_are_the_papers_figure_1():
    run = default_run("hypercube")
    assert run == RunConfig()
    assert (run.data.samples, run.data.noise, run.data.dim, run.data.classes) == (10_000, 0.8, 20, 4)


def test_frozen_and_hashable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunConfig().seed = 1
    assert len({RunConfig(), RunConfig(), RunConfig(seed=1)}) == 2


@pytest.mark.parametrize(("name", "value", "allowed"), [
    ("classes", 1, "a whole number from 2 to 100"),
    ("classes", 101, "a whole number from 2 to 100"),
    ("classes", 4.0, "a whole number from 2 to 100"),
    ("classes", "4", "a whole number from 2 to 100"),
    ("classes", True, "a whole number from 2 to 100"),
    ("classes", None, "a whole number from 2 to 100"),
    ("classes", (4, 5), "a whole number from 2 to 100"),
    ("classes", (), "a whole number from 2 to 100"),
    ("samples", 10**400, "a whole number from 2 to 1000000"),
    ("noise", -0.1, "a number from 0 to 10"),
    ("noise", float("nan"), "a number from 0 to 10"),
    ("noise", float("inf"), "a number from 0 to 10"),
    ("noise", False, "a number from 0 to 10"),
    ("noise", (0.1, 0.2), "a number from 0 to 10"),
    ("dataset", "", "a name"),
    ("dataset", 3, "a name"),
    ("model", "", "a name"),
    ("convention", "SUM", "one of sum, mean"),
    ("hidden", [32, 32], "whole numbers from 1 to 8192, as a tuple of at most 6"),
    ("hidden", 32, "whole numbers from 1 to 8192, as a tuple of at most 6"),
    ("hidden", (32, 0), "whole numbers from 1 to 8192, as a tuple of at most 6"),
    ("hidden", (8,) * 7, "whole numbers from 1 to 8192, as a tuple of at most 6"),
    ("gamma_end", 1e9, "a number from 0 to 1e+08"),
    ("gamma_end", 0.0, "a number above 0 for the exponential schedule"),
    ("gamma_start", 0, "a number above 0 for the exponential schedule"),
    ("steps", 0, "a whole number from 1 to 10000000"),
    ("seed", -1, f"a whole number from 0 to {MAX_SEED}"),
    ("seed", MAX_SEED + 1, f"a whole number from 0 to {MAX_SEED}"),
])
def test_a_bad_value_is_named_with_what_is_allowed(name, value, allowed):
    with pytest.raises(ConfigError) as error:
        unflatten({name: value})
    assert str(error.value) == str(ConfigError(name, allowed, value))
    assert (error.value.field, error.value.allowed) == (name, allowed)


def test_an_unknown_setting_is_named_with_all_known_ones():
    with pytest.raises(ConfigError, match=r"^gama: expected a known setting \(dataset, classes, .*, seed\), got 3$"):
        unflatten({"seed": 1, "gama": 3})


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_gamma_may_be_zero_where_no_logarithm_is_taken(schedule):
    assert ScheduleConfig(gamma_schedule=schedule, gamma_start=0.0, gamma_end=0.0).gamma_end == 0


@pytest.mark.parametrize("section", [DataConfig, ModelConfig, LossConfig])
def test_a_section_checks_itself(section):
    field = dataclasses.fields(section)[0]
    with pytest.raises(ConfigError, match=re.escape(f"{field.name}: expected {describe(field)}, got None")):
        section(**{field.name: None})
