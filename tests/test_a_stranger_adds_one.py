"""A stranger drops one file of each kind (`tests/stranger`) into a copy of the tree, and each works everywhere."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forks import forking
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[1]
ADDED = sorted(path.relative_to(ROOT / "tests" / "stranger").as_posix()
               for path in (ROOT / "tests" / "stranger").rglob("*.py"))
PARTS = {  # of a run: the new name, a setting that it uses and one that it does not
    "dataset": ("stripes", "noise", "dim"), "loss": ("hinge", "margin", "temperature"),
    "model": ("skip-mlp", "width", "hidden"), "optimizer": ("rmsprop", "beta2", "momentum")}
SETTINGS = ["samples=60", "test_samples=20", "classes=3", "steps=4", "ramp_steps=2", "batch_size=16",
            *(f"{name}={new}" for name, (new, _, _) in PARTS.items())]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the project with the stranger's files in it, and nothing else changed."""
    copy = tmp_path_factory.mktemp("stranger")
    for name in ("app", "lpc_core", "assets", "benchmarks", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("shots", "stranger"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name in ADDED:
        assert not (copy / name).exists(), f"{name} is there already"
        shutil.copy(ROOT / "tests" / "stranger" / name, copy / name)
    with forking(copy, ("app.cli", "-c", "pytest")):
        yield copy


@pytest.fixture(scope="module")
def trained(tree):
    """The file of a run whose data set, loss, backbone and optimiser are the stranger's."""
    out = tree / "run.safetensors"
    lpc(tree, "train", *SETTINGS, "--json", "--out", str(out))
    return str(out)


def run(tree, *command):
    """What ``command`` of the copy's Python prints."""
    done = subprocess.run([sys.executable, *command], cwd=tree, capture_output=True, text=True, timeout=PATIENCE_S,
                          check=False, env=os.environ | {"PYTHONPATH": str(tree), "COLUMNS": "400"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lpc(tree, *arguments):
    return run(tree, "-m", "app.cli", *arguments)


FORM = """
import json, sys
from app.views._form import relevant
from lpc_core.choices import choices
from lpc_core.engine.cost import cost_of
from lpc_core.parsing import parse_run, settings_table, to_texts
run = parse_run(dict(part.split("=") for part in sys.argv[1:]))
assert parse_run(to_texts(run)) == run
assert cost_of(run).memory > 0
print(json.dumps([{name: choices(name) for name in ("dataset", "loss", "model", "optimizer")}, sorted(relevant(run)),
                  {row[0]: row[2] for row in settings_table()}]))
"""


def test_the_parts_of_a_run_are_in_the_form_the_link_and_the_help(tree):
    menus, shown, told = json.loads(run(tree, "-c", FORM, *SETTINGS))
    for name, (new, used, idle) in PARTS.items():
        assert new in menus[name]
        assert new in told[name]
        assert used in shown
        assert idle not in shown


def test_a_run_of_them_is_measured_attacked_and_inspected(tree, trained):
    assert json.loads(lpc(tree, "measure", trained, "--json"))
    assert "Shrinking" in lpc(tree, "attack", trained, "--attacks", "ddn,shrink", "--samples", "10")
    assert "LPC Lab skip-mlp" in lpc(tree, "inspect", trained, "--json")


def test_a_film_of_them_is_recorded(tree):
    film = tree / "a.film.safetensors"
    lpc(tree, "film", *SETTINGS, "--gammas", "1,10", "--frames", "2", "--out", str(film))
    assert film.stat().st_size > 0


def test_a_row_of_a_table(tree):
    assert "stripes/lpc" in lpc(tree, "paper", "list")
    lpc(tree, "paper", "run", "stripes/lpc", "--seeds", "1", "--store", str(tree / "store"))
    assert list((tree / "store").rglob("*.safetensors"))


METRIC_CHART_SWEEP = """
import numpy as np
from app.charts import Track, charts
from lpc_core.config import unflatten
from lpc_core.metrics import METRICS, measure
from lpc_core.study import sweep
assert measure(np.eye(4), [0, 0, 1, 1])["median_norm"] == 1.0
assert METRICS["median_norm"].title == "Median radius"
assert "median" in [card.key for chart in charts("collapse") for card in chart.cards(Track.of(None, None))]
tiny = unflatten({"samples": 60, "test_samples": 20, "steps": 4, "ramp_steps": 2, "batch_size": 16})
(row,) = sweep([("a", tiny)], samples=10, attacks=["shrink"])
assert list(row.robustness) == ["shrink", "smallest"]
"""


def test_a_metric_a_chart_and_an_attack(tree):
    run(tree, "-c", METRIC_CHART_SWEEP)


LAYOUT = """
import torch
from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts import recognise
found = recognise(Checkpoint("safetensors", {
    "encoder.weight": torch.eye(2, 5), "encoder.bias": torch.zeros(2), "readout.weight": torch.ones(3, 2),
    "readout.bias": torch.zeros(3)}))
print(found.name, found.obstacle, found.build()(torch.ones(1, 5))[0].shape)
"""


def test_a_layout(tree):
    assert run(tree, "-c", LAYOUT) == "Stranger's network  torch.Size([1, 3])\n"


def test_a_command(tree):
    told = lpc(tree, "--help")
    assert "Say hello." in told
    assert "Say that the lab is there." in told
    assert lpc(tree, "hello") == "hello from a stranger\n"
    assert lpc(tree, "greet") == "greetings from the lab\n"


PAGE = """
from streamlit.testing.v1 import AppTest
from app.views import views
assert ("lesson", "Lesson") in [(name, view.title) for name, view in views()]
page = AppTest.from_string("from app.views.lesson import VIEW; VIEW.render()").run()
print(page.title[0].value, [str(error) for error in page.exception])
"""


def test_a_page(tree):
    assert run(tree, "-c", PAGE) == "First lesson []\n"


LESSON = """
from pathlib import Path
from app.lessons import broken_lessons, lessons
from benchmarks.lessons import rehearse
from streamlit.testing.v1 import AppTest
assert list(lessons())[-1] == "first" and len(lessons()) == 11 and not broken_lessons()
assert rehearse(lessons()["first"], 1) == [60]
page = AppTest.from_string("from app.views.learn import VIEW; VIEW.render()").run()
print([b.label for b in page.button if b.key == "lesson-first"][0], [str(error) for error in page.exception])
"""
BROKEN_LESSON = """
from app.lessons import lessons
from streamlit.testing.v1 import AppTest
page = AppTest.from_string("from app.views.learn import VIEW; VIEW.render()").run()
print(len(lessons()), [error.value.replace(chr(92), "") for error in page.error])
"""


def test_a_lesson_and_one_with_an_error(tree):
    assert run(tree, "-c", LESSON) == "11 · Stranger's lesson []\n"
    broken = tree / "app" / "lessons" / "broken.py"
    broken.write_text("LESSON = (")
    told = run(tree, "-c", BROKEN_LESSON)
    broken.unlink()
    assert told == "11 [\"The lesson broken cannot be shown: line 1: '(' was never closed\"]\n"


EVERY_ENTRY = ("tests/test_layers.py", "tests/core/test_choices.py", "tests/core/optimizers/test_optimizers.py",
               "tests/core/robustness/test_any_model.py::test_each_is_found_by_its_name",
               "tests/core/test_presets.py::test_there_is_a_binary_preset_and_every_fast_one_is_of_a_data_set",
               "tests/core/metrics/test_measure.py::test_every_name_is_explained",
               "tests/app/views/test_metrics_page.py::test_opening_the_page_starts_the_study_of_the_tabs_run")


def test_the_suite_asks_for_nothing_else(tree):
    """Tests that look at every entry of a registry, in the copy: none of them has a list that wants to be added to."""
    run(tree, "-m", "pytest", "-n", "0", "-q", "-x", "-p", "no:cacheprovider", "--assert=plain", *EVERY_ENTRY)


def test_contributing_has_a_row_for_each_kind_and_the_stranger_a_file():
    rows = [line.split("|") for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines() if line.startswith("| a")]
    named = {name.rstrip("/") for row in rows for name in row[2].split("`")[1::2]}
    assert named == {name.rpartition("/")[0] for name in ADDED}
