"""Lessons: every check is reached on seeds it was not written from, a broken file is named, a link opens a step."""

import math

import pytest

from app import lessons as room
from app.lessons import Claim, Condition, Lesson, Question, Step, Value, above, below, lessons, met
from app.session import Attending
from app.views import learn
from benchmarks.lessons import EVERY, rehearse
from lpc_core.engine.trainer import Trainer
from tests.app._markdown import as_read
from tests.app._opening import opened
from tests.app.views.test_session import still  # noqa: F401

SEED = 40  # the lessons were written, and their bars set, on seeds 5 to 9 and 12; `benchmarks.lessons` tries more
PAGE = """
from app.views.learn import VIEW
VIEW.render()
"""
PATH = ("penultimate", "forces", "shell", "binary", "linear", "optimizer", "too-much", "collapse", "robustness",
        "theory")


@pytest.mark.parametrize("name", lessons())
def test_who_does_what_a_step_says_sees_its_check_tick(name):
    found = rehearse(lessons()[name], SEED)
    assert None not in found, found


def test_who_comes_late_to_too_much_drags_on_as_the_step_says():
    lesson = lessons()["too-much"]
    step = lesson.steps[1]
    assert "drag on to **1,000** or **10,000**" in step.text
    run, seen = Trainer(lesson.run(SEED), "cpu"), [[]]
    run.advance(9_000)
    for gamma in [100.0] * 20 + [1_000.0] * 20 + [10_000.0] * 20:
        if met(step.check, seen):
            break
        run.set_gamma(gamma)
        run.advance(EVERY)
        now = run.snapshot()
        seen[0].append(now.metrics | {"step": now.step, "gamma": now.gamma})
    assert met(step.check, seen), seen[0][-1]
    assert seen[0][-1]["gamma"] > 100.0  # there the check would not have ticked, or the words were not needed


def test_the_path_is_whole_and_every_file_is_sound():
    assert tuple(lessons()) == PATH
    assert room.broken_lessons() == {}


@pytest.mark.parametrize("name", lessons())
def test_a_lesson_asks_something_and_says_who_says_what(name):
    steps = lessons()[name].steps
    assert [step for step in steps if step.question]
    assert [claim for step in steps for claim in step.claims]
    assert len({step.title for step in steps}) == len(steps)


@pytest.mark.parametrize("name", lessons())
def test_no_check_holds_before_its_run_has_begun(name):
    """A check that a fresh run meets would tick without anything being done."""
    for step in lessons()[name].steps:
        assert not met(step.check, [[{"step": 0, "gamma": math.nan}]] * 4)


STEP = Step("A", "Text.", "Points.", "A goal", (above("step", 0),))
WRONG = {
    "a check without a condition": (lambda: Step("A", "T", "L", "G", ()), "expected a check with a condition, got "
                                                                          "none"),
    "an unknown metric": (lambda: above("radiance", 1), "expected the name of a live metric, step or gamma, got "
                                                        "'radiance'"),
    "an unknown sign": (lambda: Condition(Value("step"), "=", 1), "expected < or > and a finite number, got '='"),
    "a bound that is none": (lambda: above("step", math.inf), "expected < or > and a finite number"),
    "an unknown panel": (lambda: Step("A", "T", "L", "G", (above("step", 0),), shows=("clock",)),
                         "expected shows to be of nodes, curves, forces, points, shell, got clock"),
    "one option": (lambda: Question("Q", ("a",), 0, "A"), "expected two or more options"),
    "no right option": (lambda: Question("Q", ("a", "b"), 2, "A"), "which of them is right"),
    "a claim of nobody's": (lambda: Claim("W", "someone", "E"), "expected by to be one of paper, ours and evidence, "
                                                                "got 'someone'"),
    "a claim without evidence": (lambda: Claim("W", "ours", ""), "and evidence, got 'ours' with ''"),
    "no steps": (lambda: Lesson("L", 1, "S", ()), "expected at least one step, got none"),
    "a run that is not allowed": (lambda: Lesson("L", 1, "S", (STEP,), settings={"latent_dim": 0}),
                                  "latent_dim: expected a whole number from 1 to 2048, got 0"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_lesson_with_an_error_says_what_is_expected(wrong):
    make, words = WRONG[wrong]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        make()
    assert words in str(caught.value)


HISTORY = [[{"norm_mean": 4.0, "ce": 1.0}, {"norm_mean": 8.0, "ce": math.nan}, {"norm_mean": 2.0, "ce": 0.5}],
           [{"norm_mean": 1.0}, {"norm_mean": 6.0}, {"norm_mean": math.nan}]]


@pytest.mark.parametrize(("condition", "holds"), [
    (below("norm_mean", 2.5), True), (below("norm_mean", 2.0), False), (above("norm_mean", 1.5), True),
    (below("norm_mean", 0.3, Value("norm_mean", when="largest")), True),
    (below("norm_mean", 0.2, Value("norm_mean", when="largest")), False),
    (above("norm_mean", 0.9, Value("norm_mean", when="smallest")), True),
    (above("norm_mean", 1.0, run=1), False), (below("norm_mean", 1.0, run=1), False),
    (above("norm_mean", 0.3, Value("norm_mean", 1, "largest")), True), (above("ce", 0.4), True),
    (below("nc1_pinv", 1.0), False), (below("norm_mean", 9.0, run=3), False)])
def test_a_condition_is_judged_at_the_last_moment(condition, holds):
    assert condition.holds(HISTORY) is holds


def test_a_tab_in_a_room_says_that_room_in_few_words_too():
    tab = Attending.__new__(Attending)
    tab.code = "abcd"
    assert tab.short_texts() == tab.texts() == {"code": "abcd"}


def start(**link):
    return opened(PAGE, **link)


def said(test):
    return [as_read(item.value) for item in test.warning]


def button(test, key):
    return next(item for item in test.button if item.key == key)


@pytest.mark.parametrize("name", lessons())
def test_every_step_opens_by_its_link(still, name):  # noqa: F811
    for index, step in enumerate(lessons()[name].steps):
        test = start(lesson=name, step=str(index + 1), seed="7")
        assert not test.warning
        assert any(step.title in item.value for item in test.markdown)
        assert dict(test.query_params) == {"lesson": name, "step": str(index + 1), "seed": "7"}
    ran = still.runs["s0"][0]
    work = lessons()[name].work(7)
    assert ran in (work, work.runs[0])


def test_the_words_of_a_step_are_explained_beside_it(still):  # noqa: F811
    said_there = [item.value for item in start(lesson="penultimate").markdown]
    assert any("* **latent**: What the penultimate layer makes of one sample" in text for text in said_there)
    assert not any("**robustness**" in text for text in said_there)


def test_the_path_trains_nothing_and_leads_into_a_lesson_step_by_step(still):  # noqa: F811
    test = start()
    assert still.runs == {}
    assert len([item for item in test.button if item.key.startswith("lesson-")]) == len(PATH)
    button(test, "lesson-forces").click().run()
    assert test.query_params["lesson"] == "forces"
    button(test, "lesson-next").click().run()
    assert test.query_params["step"] == "2"
    assert len(still.runs["s0"]) == 1  # the run goes on
    button(test, "lesson-next").click().run()
    button(test, "lesson-next").click().run()
    assert test.query_params["lesson"] == "shell"
    assert len(still.runs["s0"]) == 2
    button(test, "lesson-path").click().run()
    assert "lesson" not in test.query_params


@pytest.mark.parametrize(("link", "words"), [
    ({"lesson": "alchemy"}, "lesson: expected one of penultimate, forces"),
    ({"lesson": "shell", "step": "9"}, "step: expected a whole number from 1 to 3, got '9'. Using 1."),
    ({"lesson": "shell", "step": "-1"}, "step: expected a whole number from 1 to 3, got '-1'. Using 1."),
    ({"lesson": "shell", "seed": "x"}, "seed: expected a whole number from 0"),
    ({"lesson": "shell", "colour": "red"}, "colour: expected lesson, step or seed on this page, got 'red'. It is "
                                           "ignored.")])
def test_a_wrong_link_is_named(still, link, words):  # noqa: F811
    test = start(**link)
    assert len(test.warning) == 1
    assert words in said(test)[0]


def test_a_broken_lesson_is_named_on_the_page_and_the_others_stand(still, monkeypatch):  # noqa: F811
    monkeypatch.setattr(learn, "broken_lessons", lambda: {"mine": "line 3: invalid syntax"})
    test = start()
    assert [as_read(item.value) for item in test.error] == ["The lesson mine cannot be shown: line 3: invalid syntax"]
    assert len([item for item in test.button if item.key.startswith("lesson-")]) == len(PATH)
