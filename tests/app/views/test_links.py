"""What each page makes of a link to a moment: what its parts are given, what its own link opens, what it refuses."""

import pytest

from app.desks import inspections, jobs, studies
from app.parts import cloud, film, link, stage
from tests.app._markdown import as_read
from tests.app._opening import opened
from tests.app.test_moments import WHOLE
from tests.app.views.test_inspect_page import StillDesk
from tests.app.views.test_session import start, still  # noqa: F401

OPENS = {"play": {"seed": "3"}, "compare": {"comparison": "optimizer", "seed": "5"},
         "learn": {"lesson": "shell", "step": "2"}, "film": {}, "metrics": {"dataset": "moons"}, "inspect": {}}
SHARED = {"play": "dataset=hypercube&seed=3", "compare": "comparison=optimizer&seed=5", "learn": "lesson=shell&step=2",
          "film": "film=digits", "metrics": "dataset=moons", "inspect": "file=badly-trained"}
PART = {"play": "live/stage", "compare": "compare/compare", "learn": "learn/lesson", "film": "film/player",
        "metrics": "kit/link"}


@pytest.fixture
def mounted(monkeypatch, still):  # noqa: F811
    """What is mounted, by module, on a server that trains, measures and inspects nothing."""
    calls = {}
    for part in (stage, film, link, cloud):
        monkeypatch.setattr(part, "mount", lambda module, key, data, *_, **__: calls.update({module: data}) or {})
    monkeypatch.setattr(studies.StudyDesk, "_try", lambda self: None)
    monkeypatch.setattr(inspections, "InspectDesk", StillDesk)
    yield calls
    jobs.close_all()


def page(name, **link):
    return opened(f"from app.views.{name} import VIEW\nVIEW.render()", **link)


def refusals(test):
    return [text for text in (as_read(item.value) for item in test.warning) if ": expected " in text]


@pytest.mark.parametrize("name", PART)
def test_a_page_hands_its_moment_to_its_parts_and_says_how_it_is_opened(mounted, name):
    test = page(name, **OPENS[name], **WHOLE[name])
    assert not refusals(test)
    data = mounted[PART[name]]
    assert data["moment"] == WHOLE[name]
    assert data["share"]["run"] == SHARED[name]
    assert not [word for word in test.query_params if word in WHOLE[name] and word != "film"]


def test_a_linked_sample_is_opened_and_stays_in_the_address(mounted):
    test = page("inspect", **WHOLE["inspect"])
    ((_, command),) = test.session_state.lpc.desks["inspect"].asked
    assert command[1].endswith("badly-trained.safetensors")
    assert dict(test.query_params) == {"file": "badly-trained"}
    assert not test.warning


def test_a_link_to_somebody_s_own_file_asks_for_a_copy_of_it(mounted):
    test = page("inspect", view="n0-3", chosen="wrong")
    assert "does not travel" in test.info[0].value
    assert not page("inspect").info


def test_a_link_to_a_film_that_is_no_longer_held_sets_everything_to_record_it(mounted):
    test = page("film", dataset="moons", gammas="0.1,1,30", frames="50", points="400", length="900", hand="1", at="300")
    assert not mounted
    asked = test.session_state
    assert [asked[f"film_{name}"] for name in ("gammas", "frames", "points", "steps")] == ["0.1,1,30", 50, 400, 900]
    assert asked.lpc.run.data.dataset == "moons"
    assert "Record" in test.info[0].value
    assert asked.lpc.desks["film"].held is None


@pytest.mark.parametrize("name", [*PART, "inspect"])
@pytest.mark.parametrize("hostile", ["<b>**x**</b>", "[a](https://example.org)", "1" * 900, "__proto__"])
def test_a_hostile_word_costs_one_plain_sentence_and_nothing_else(mounted, name, hostile):
    test = page(name, **OPENS[name], at=hostile, chosen=hostile)
    said = refusals(test)
    assert len(said) == 2
    assert all(text.count(": expected ") == 1 and text.endswith(". It is ignored.") for text in said)
    assert mounted.get(PART.get(name), {"moment": {}})["moment"] == {}


def test_a_moment_is_its_page_s_alone(mounted):
    test = page("play", seed="3", at="300")
    assert test.session_state.lpc.moment("film") == {}
    assert test.session_state.lpc.moment("play") == {"at": "300"}


def test_controls_that_a_link_hides_stay_in_the_address_and_bad_ones_are_named(still, mounted):  # noqa: F811
    test = start(seed="3", hide="gamma,nodes")
    assert mounted["live/stage"]["share"]["hidden"] == ["gamma", "nodes"]
    assert "hide" in test.query_params
    assert not test.warning
    test = start(seed="3", hide="gamma,<i>")
    assert mounted["live/stage"]["share"]["hidden"] == []
    assert "hide: expected controls" in as_read(test.warning[0].value)
