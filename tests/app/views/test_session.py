"""The form and the link, without a browser: what a tab shows, changes and refuses."""

import threading
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.live import hub
from app.views._form import GROUPS, folded
from lpc_core.config import fields, unflatten
from lpc_core.presets import default_run, named_presets
from tests.app._markdown import as_read
from tests.app._opening import ran
from tests.patience import PATIENCE_S

MAIN = str(Path(__file__).parents[3] / "app" / "main.py")


class StillHub:
    """Takes sessions and remembers what they were asked to run; trains nothing."""

    def __init__(self):
        self.runs, self.lock = {}, threading.Lock()

    def open(self, run, ticket=""):
        handle = hub.SessionHandle(f"s{len(self.runs)}", "token")
        self.runs[handle.id] = [_told(run)]
        return handle

    def configure(self, place, run):
        self.runs[place].append(_told(run))

    def alive(self, place):
        return place in self.runs

    def close(self, place):
        self.runs.pop(place, None)


def _told(group):
    """The run itself where it is alone."""
    return group.runs[0] if len(group.runs) == 1 else group


@pytest.fixture
def still(monkeypatch):
    made = StillHub()
    monkeypatch.setattr(hub, "current", lambda: made)
    return made


def start(sections=tuple(GROUPS), **link):
    link = link or {"seed": "0"}  # the bare address is the home page
    return ran(AppTest.from_file(MAIN, default_timeout=PATIENCE_S), sections, **link)


def widget(test, kind, name):
    """The widget of setting ``name``, or of that label."""
    label = fields()[name].metadata["label"] if name in fields() else name
    return next(item for item in getattr(test, kind) if item.label == label)


def test_a_first_visit_runs_the_papers_figure_1_and_writes_the_link(still):
    test = start()
    assert still.runs["s0"] == [default_run("hypercube")]
    assert test.query_params["dataset"] == "hypercube"
    assert test.query_params["gamma_end"] == "100.0"


def test_a_link_is_the_run(still):
    start(dataset="digits", seed="9", gamma_end="1000", hidden="32-16")
    run = still.runs["s0"][0]
    assert (run.data.dataset, run.seed, run.gamma.gamma_end, run.model.hidden) == ("digits", 9, 1000.0, (32, 16))


def test_a_bad_value_is_named_with_what_is_used_instead(still):
    test = start(gamma_end="-1", seed="3")
    told = [as_read(warning.value) for warning in test.warning]
    assert told == ["gamma_end: expected a number from 0 to 1e+08, got -1.0. Using 100.0."]
    assert still.runs["s0"][0].seed == 3


def test_the_form_changes_the_run_and_the_link(still):
    test = start()
    widget(test, "number_input", "classes").set_value(6).run()
    widget(test, "selectbox", "optimizer").set_value("sgd").run()
    assert still.runs["s0"][-1].data.classes == 6
    assert still.runs["s0"][-1].optim.optimizer == "sgd"
    assert test.query_params["classes"] == "6"
    assert not [item for item in test.number_input if "β₂" in item.label]  # SGD has none


def test_another_data_set_brings_its_own_starting_run_and_keeps_the_seed(still):
    test = start(seed="4")
    widget(test, "selectbox", "dataset").set_value("digits").run()
    run = still.runs["s0"][-1]
    assert run.seed == 4
    assert run.model == default_run("digits").model
    assert "Noise" not in [item.label for item in test.number_input]


def test_a_preset_replaces_the_whole_run_but_the_seed(still):
    test = start(seed="4", dataset="digits")
    widget(test, "selectbox", "Start from a preset").set_value("binary").run()
    assert still.runs["s0"][-1] == unflatten({"seed": 4}, named_presets()["binary"].run)
    assert widget(test, "number_input", "ramp_steps").value == 2_400
    assert widget(test, "selectbox", "Start from a preset").value == "binary"  # stays shown
    widget(test, "number_input", "batch_size").set_value(63).run()
    assert widget(test, "selectbox", "Start from a preset").value is None  # another run now


def test_a_section_that_was_not_opened_makes_no_fields_and_opening_it_leaves_the_run(still):
    test = start(sections=())
    assert "Classes" in [item.label for item in test.number_input]
    assert "Seed" not in [item.label for item in test.number_input]
    test.session_state[folded("Run")] = True
    test.run()
    assert widget(test, "number_input", "seed").value == 0
    assert len(still.runs["s0"]) == 1


def speaks_plainly(test):
    """Whether every field has a name and a help for people: no code, such as test_samples, and no command."""
    boxes = [*test.selectbox, *test.number_input, *test.text_input]
    assert len(boxes) > 20
    for box in boxes:
        assert "_" not in box.label
        assert box.label not in fields()
        assert box.help, box.label
        assert "python" not in box.help
    return True


def test_every_field_has_a_name_and_a_help_for_people(still):
    assert speaks_plainly(start(optimizer="muon", gamma_schedule="two-regime", loss="arcface"))
    assert len({field.metadata["label"] for field in fields().values()}) == len(fields())



def test_a_value_that_clashes_changes_nothing_but_the_message(still):
    test = start()
    widget(test, "number_input", "gamma_start").set_value(0.0).run()
    assert still.runs["s0"] == [default_run("hypercube")]
    assert "gamma_start: expected a number above 0" in as_read(test.warning[0].value)
    assert widget(test, "number_input", "gamma_start").value == default_run("hypercube").gamma.gamma_start


def test_a_tab_whose_place_was_given_up_gets_another(still):
    test = start()
    still.close("s0")
    still.runs["gone"] = []
    test.run()
    assert still.runs["s1"] == [default_run("hypercube")]
