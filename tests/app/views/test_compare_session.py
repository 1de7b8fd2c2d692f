"""The page that compares, without a browser: its link, its choices, its refusals."""

import pytest

from app.comparisons import OWN, READY
from lpc_core.config import flatten
from lpc_core.run_group import RunGroup, compare
from tests.app._markdown import as_read
from tests.app._opening import opened
from tests.app.views.test_session import speaks_plainly, still, widget  # noqa: F401

PAGE = """
from app.views.compare import VIEW
VIEW.render()
"""


def start(**link):
    return opened(PAGE, **link)


def warnings(test):
    return [as_read(item.value) for item in test.warning]


@pytest.mark.parametrize("name", READY)
def test_every_ready_comparison_can_be_opened_by_its_link(still, name):  # noqa: F811
    test = start(comparison=name, seed="5")
    ran = still.runs["s0"][0]
    assert isinstance(ran, RunGroup)
    assert ran.titles == tuple(title for title, _ in READY[name].runs)
    assert ran == compare(READY[name].run(5), [settings for _, settings in READY[name].runs], ran.titles)
    assert len(set(ran.runs)) == len(ran.runs)
    assert not warnings(test)
    again = start(**test.query_params)
    assert still.runs["s1"][0] == ran
    assert dict(again.query_params) == dict(test.query_params)


def test_the_first_visit_compares_no_penalty_with_a_strong_one(still):  # noqa: F811
    test = start()
    assert test.query_params["comparison"] == "penalty"
    assert still.runs["s0"][0].follows == (False, True)


def test_another_comparison_keeps_the_seed_and_the_place(still):  # noqa: F811
    test = start(seed="7")
    widget(test, "selectbox", "Comparison").set_value("width").run()
    assert list(still.runs) == ["s0"]
    ran = still.runs["s0"][-1]
    assert (ran.seed, ran.data.dataset, [run.model.latent_dim for run in ran.runs]) == (7, "digits", [4, 64])
    assert test.query_params["comparison"] == "width"


def test_the_form_changes_the_base_of_all_runs(still):  # noqa: F811
    test = start(seed="7")
    own = "These sentences were checked on the comparison's own"
    assert not any(own in caption.value for caption in test.caption)
    widget(test, "number_input", "classes").set_value(6).run()
    assert any(own in caption.value for caption in test.caption)
    assert [run.data.classes for run in still.runs["s0"][-1].runs] == [6, 6]
    assert test.query_params["classes"] == "6"


def test_ones_own_comparison_is_its_lines(still):  # noqa: F811
    test = start(comparison=OWN, dataset="moons", run2="optimizer=sgd lr=0.05", run3="latent_dim=5; hidden=8-8")
    ran = still.runs["s0"][0]
    assert [run.data.dataset for run in ran.runs] == ["moons"] * 3
    assert (ran.runs[1].optim.optimizer, ran.runs[2].model.latent_dim, ran.runs[2].model.hidden) == ("sgd", 5, (8, 8))
    assert ran.titles == ("base", "optimizer=sgd lr=0.05", "latent_dim=5; hidden=8-8")
    widget(test, "text_input", "Run 4").set_value("loss=arcface").run()
    assert [run.loss.loss for run in still.runs["s0"][-1].runs][-1] == "arcface"
    widget(test, "text_input", "Run 2").set_value("").run()
    assert still.runs["s0"][-1].titles == ("base", "latent_dim=5; hidden=8-8", "loss=arcface")
    assert test.query_params["run2"] == "latent_dim=5; hidden=8-8"
    assert "run4" not in test.query_params


@pytest.mark.parametrize(("line", "message"), [
    ("lr=fast", "Run 2: lr: expected a number from 1e-07 to 10, got 'fast'"),
    ("seed=4", "Run 2: seed: expected the same value in all runs of a comparison, 0, got 4"),
    ("gamma_start=0", "Run 2: gamma_start: expected a number above 0 for the exponential schedule"),
    ("sgd", "Run 2: settings: expected name=value pairs")])
def test_a_bad_line_changes_only_the_message(still, line, message):  # noqa: F811
    test = start(comparison=OWN)
    widget(test, "text_input", "Run 2").set_value(line).run()
    assert warnings(test)[0].startswith(message)
    assert warnings(test)[0].endswith("The comparison stays as it was.")
    assert len(still.runs["s0"]) == 1


def test_bad_values_in_a_link_are_named_and_fall_back_alone(still):  # noqa: F811
    test = start(comparison="cats", gamma_end="lots", seed="3", colour="red")
    assert warnings(test)[0].startswith("comparison: expected one of penalty, optimizer")
    assert warnings(test)[0].endswith("got 'cats'. Using penalty.")
    assert "gamma_end: expected a number from 0 to 1e+08, got 'lots'. Using 100.0." in warnings(test)
    assert any(text.startswith("colour: expected a known setting") for text in warnings(test))
    assert still.runs["s0"][0].seed == 3
    test = start(comparison=OWN, run2="speed=3", run3="lr=0.1", seed="3")
    assert [text for text in warnings(test) if text.startswith("speed: expected a known setting")]
    assert still.runs["s1"][0].titles == ("base", "lr=0.1")


def test_a_base_that_clashes_with_the_comparison_falls_back_to_its_own(still):  # noqa: F811
    test = start(comparison=OWN, gamma_schedule="constant", gamma_start="0", run2="gamma_schedule=exponential")
    assert any("gamma_start: expected a number above 0" in text for text in warnings(test))
    assert len(still.runs["s0"][0].runs) == 2


def test_the_names_in_links_are_no_settings():
    assert not {"comparison", "run2", "run3", "run4"} & set(flatten(READY["penalty"].run()))


def test_every_field_of_the_base_run_has_a_name_for_people(still):  # noqa: F811
    assert speaks_plainly(start())
