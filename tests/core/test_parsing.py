"""Texts from links, forms and command lines become runs; bad ones say which field, what was given, what is allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpc_core.choices import choices
from lpc_core.config import ConfigError, RunConfig, fields, flatten, unflatten
from lpc_core.data import sources
from lpc_core.parsing import parse_run, parse_run_leniently, parse_value, settings_table, to_texts
from lpc_core.presets import default_run, named_presets


def values_of(name, field):
    meta = field.metadata
    if choices(name):
        return st.sampled_from(choices(name))
    if str(field.type) == "int":
        return st.integers(int(meta["low"]), int(meta["high"]))
    if str(field.type) == "float":
        return st.floats(max(meta["low"], 1e-6), meta["high"])
    return st.lists(st.integers(int(meta["low"]), int(meta["high"])), max_size=6).map(tuple)


RUNS = st.fixed_dictionaries({name: values_of(name, field) for name, field in fields().items()})


@given(RUNS)
def test_a_run_survives_its_link(flat):
    run = unflatten(flat)
    assert parse_run(to_texts(run)) == run


@pytest.mark.parametrize("dataset", sorted(sources()))
def test_every_data_set_has_a_starting_run_that_a_short_link_names(dataset):
    assert parse_run({"dataset": dataset}) == default_run(dataset)


@pytest.mark.parametrize(("name", "text", "message"), [
    ("gamma_end", "abc", "gamma_end: expected a number from 0 to 1e+08, got 'abc'"),
    ("gamma_end", "nan", "gamma_end: expected a number from 0 to 1e+08, got nan"),
    ("gamma_end", "1e9", "gamma_end: expected a number from 0 to 1e+08, got 1000000000.0"),
    ("classes", "1", "classes: expected a whole number from 2 to 100, got 1"),
    ("classes", "2.5", "classes: expected a whole number from 2 to 100, got '2.5'"),
    ("hidden", "32-x", "hidden: expected whole numbers from 1 to 8192, got '32-x'"),
    *((name, "lion", f"{name}: expected one of {', '.join(choices(name))}, got 'lion'")
      for name in fields() if choices(name)),
])
def test_a_bad_value_falls_back_for_its_field_alone(name, text, message):
    run, problems = parse_run_leniently({name: text, "seed": "7"})
    assert [str(problem) for problem in problems] == [message]
    assert run == unflatten({"seed": 7})
    with pytest.raises(ConfigError, match="expected"):
        parse_run({name: text})


def test_an_unknown_data_set_names_the_known_ones():
    with pytest.raises(ConfigError, match=r"dataset: expected one of .*hypercube.*, got 'imagenet'"):
        parse_run({"dataset": "imagenet"})


def test_a_preset_replaces_the_starting_run_and_the_rest_overrides_it():
    binary = named_presets()["binary"].run
    assert parse_run({"preset": "binary"}) == binary
    changed = parse_run({"seed": "7", "lr": "0.001", "preset": "binary"})
    assert changed == unflatten({"seed": 7, "lr": 0.001}, binary)
    assert parse_run({"preset": "binary", "dataset": "mnist"}).optim == binary.optim


@pytest.mark.parametrize("given_", ["", "Binary", "x" * 5_000, None, ["binary"], 3])
def test_an_unknown_preset_names_the_known_ones(given_):
    run, problems = parse_run_leniently({"preset": given_, "dataset": "digits"})
    assert run == default_run("digits")
    assert [problem.field for problem in problems] == ["preset"]
    assert str(problems[0]).startswith("preset: expected one of ")
    assert "fast-digits, " in str(problems[0])
    assert len(str(problems[0])) < 900
    with pytest.raises(ConfigError, match=r"preset: expected one of .*binary"):
        parse_run({"preset": given_})


def test_an_unknown_setting_and_a_huge_value_are_named_in_short():
    _, problems = parse_run_leniently({"x" * 5_000: "1", "seed": "9" * 5_000})
    assert all(len(str(problem)) < 900 for problem in problems)
    assert [problem.field[:4] for problem in problems] == ["xxxx", "seed"]


def test_values_that_clash_fall_back_one_by_one():
    run, problems = parse_run_leniently({"gamma_start": "0", "gamma_end": "5"})
    assert [problem.field for problem in problems] == ["gamma_start"]
    assert run == unflatten({"gamma_end": 5.0})


@given(st.dictionaries(st.text(max_size=20), st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text()))))
def test_anything_at_all_gives_a_run_and_clear_problems(given_):
    run, problems = parse_run_leniently(given_)
    assert isinstance(run, RunConfig)
    assert all("expected" in str(problem) for problem in problems)


def test_widths_read_in_every_spelling():
    assert [parse_value("hidden", given) for given in ("64-32", "64, 32", [64, 32])] == [(64, 32)] * 3
    assert parse_value("hidden", "none") == ()


def test_the_table_of_settings_is_complete():
    assert [row[0] for row in settings_table()] == list(flatten(RunConfig()))
