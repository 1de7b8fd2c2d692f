"""The page Reproduce and its desk without a browser: stores good and bad, rows run, diagrams, links and refusals."""

import json
import re
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.charts import paper_figure
from app.desks import experiments as desks
from app.desks import jobs
from app.desks.experiments import ExperimentDesk
from app.looks.phase_grid import grid, sentence
from app.views import _experiments_runs
from app.words import _, speaking
from lpc_core.config import RunConfig, flatten
from lpc_core.experiments import FigureData, PhaseCell, Store, plan, table_in_markdown, texts, verdicts_in_markdown
from lpc_core.experiments._latents import Latents
from lpc_core.film import run_of
from lpc_core.parsing import parse_run
from tests.app._markdown import as_read
from tests.patience import PATIENCE_S, until

PAGE = """
from app.views.experiments import VIEW
VIEW.render()
"""
SAYS = "import sys, time; print(sys.argv[1], flush=True); sys.stdin.read() if sys.argv[2] == 'waits' else sys.exit(0)"
START = {"versions": {"torch": "2"}, "device": "cpu", "threads": 1}


class Scripted(ExperimentDesk):
    """A desk whose command says what it is told to, then ends, or waits until it is ended."""

    lines, end = (), ""

    def _spawn(self, command, module):
        self.asked = list(command)
        with self._complaints.open("wb") as complaints:
            said = "\n".join(map(json.dumps, self.lines))
            return subprocess.Popen([sys.executable, "-S", "-c", SAYS, said, self.end],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints,
                                    start_new_session=True)


@pytest.fixture
def desk():
    made = Scripted()
    yield made
    made.close()


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("LPC_STORE", str(tmp_path / "secret" / "store"))
    (tmp_path / "secret").mkdir()
    return Store(tmp_path / "secret" / "store", create=True)


def put(store, name, *, seed=0, done=True, looks=2):
    """A run as a store holds it, of a few numbers."""
    run, = plan([name], first_seed=seed)
    history = [{"epoch": e, "step": 10 * e, "gamma": 0.1 + e, "within_class_spread": 1 / (1 + e + seed),
                "train_accuracy": 1.0} for e in range(looks)]
    with store.writing(run) as folder:
        folder.begin(flatten(run.config), START)
        if history:
            labels = np.array([0, 1, 2])
            latents = Latents.none(labels, 2, looks)
            for line in history:
                latents = latents.after(line["step"], line["gamma"], np.full((3, 2), line["epoch"], np.float32))
            folder.look(history, b"a checkpoint", latents)
        if done:
            folder.write("report.json", json.dumps({
                "diverged": "", "train": {"accuracy": {"value": 1.0}, "within_class_spread": {"value": 0.1 + seed}},
                "test": {"accuracy": {"value": 0.9}}, "seconds_training": 9.0}).encode())
        else:
            folder.tell(0.4, "epoch 3 of 8")
    return run


def page(section=""):
    test = AppTest.from_string(PAGE, default_timeout=PATIENCE_S)
    if section:
        test.session_state["paper_section"] = section
    test.run()
    assert not test.exception
    return test


def words(test):
    said = [each.value for kind in (test.markdown, test.info, test.warning, test.error, test.caption, test.success)
            for each in kind]
    return as_read("\n".join(said))


# ---- what is shown -------------------------------------------------------------------------------------------------


def test_without_a_store_the_page_shows_what_was_shipped_and_how_to_make_more(tmp_path, monkeypatch):
    monkeypatch.setenv("LPC_STORE", str(tmp_path / "none"))
    shown = words(page())
    assert "lpc paper run digits/all --seeds 3" in shown
    assert "\nlpc paper run digits/… --seeds 3: " in shown  # the caption, without the signs of Markdown
    assert "LPC costs no test accuracy" in shown
    assert "**holds**" in shown
    assert "no runs yet" in words(page("Runs"))
    assert not (tmp_path / "none").exists()  # looking makes nothing


def test_shipped_verdicts_and_tables_are_said_in_the_readers_language():
    """Sentence by sentence, with the quantities in them; the numbers stay."""
    for family in desks.shipped():
        with speaking("de"):
            german = "\n".join([verdicts_in_markdown(family.verdicts, _),
                                *(table_in_markdown(table, _) for table in family.tables)])
        english = {text for text in texts() if re.search("[a-z]{4}", text) and text != "partly"}
        assert [text for text in english if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", german)] == []
        for verdict in family.verdicts:
            assert verdict.words == "".join(text.format(**values) for text, values in verdict.said)
            numbers = re.findall(r"\d+\.\d+", verdict.words)
            assert all(number in german for number in numbers)
    assert "| **trifft zu** | Testgenauigkeit " in german


def test_a_store_is_judged_and_its_runs_can_be_filtered_and_compared(store):
    put(store, "digits/lpc"), put(store, "digits/no-pen", seed=1), put(store, "digits/lin-pen", done=False)
    assert "test accuracy 90.0% against 90.0% of NoPen" in words(page())
    runs = page("Runs")
    frame = runs.dataframe[0].value
    assert list(frame["run"]) == ["digits/lin-pen/seed-0", "digits/lpc/seed-0", "digits/no-pen/seed-1"]
    assert list(frame["state"]) == ["epoch 3 of 8, 40%", "done", "done"]
    runs.text_input(key="paper_filter").input("no-pen").run()
    assert list(runs.dataframe[0].value["run"]) == ["digits/no-pen/seed-1"]
    runs.multiselect(key="paper_compare").set_value(["digits/lpc/seed-0", "digits/no-pen/seed-1"]).run()
    assert not runs.exception
    assert "penultimate" in list(runs.dataframe[1].value["setting"])  # in which they differ


def test_a_run_that_has_begun_and_was_not_looked_at_yet_is_shown(store):
    put(store, "digits/lpc", done=False, looks=0)
    runs = page("Runs")
    runs.multiselect(key="paper_compare").set_value(["digits/lpc/seed-0"]).run()
    assert not runs.exception


def test_what_a_broken_store_holds_is_shown_beside_what_is_broken_and_no_path_is(store):
    put(store, "digits/lpc")
    for name, text in (("no-pen", "{"), ("lin-pen", json.dumps({"planned": {
            "key": "digits/gone", "seed": 0, "scale": 1.0, "lr": None, "options": {}}}))):
        folder = store.folder / "digits" / name / "seed-0"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(text)
    test = page("Runs")
    assert list(test.dataframe[0].value["run"]) == ["digits/lpc/seed-0"]
    assert "digits/no-pen/seed-0/run.json: expected" in words(test)
    assert "digits/gone: expected a row of this version, got another" in words(test)
    assert "secret" not in words(test)


@pytest.mark.parametrize(("head", "said"), [('{"format": 99}', "a newer version wrote it; update LPC Lab"),
                                            ("{", "expected store.json in JSON")])
def test_a_store_of_a_newer_version_or_none_at_all_is_said_in_words(store, head, said):
    (store.folder / "store.json").write_text(head)
    test = page()
    assert said in words(test)
    assert "secret" not in words(test)
    assert "LPC costs no test accuracy" in words(test)  # the shipped ones stay


@pytest.mark.parametrize("config", [None, {}, {"gone": 3}, {"lr": "fast"}])
def test_a_run_whose_settings_this_version_does_not_know_is_shown_without_a_way_into_play(store, config):
    run, other = put(store, "digits/lpc"), put(store, "digits/no-pen")
    path = store.folder / run.name / "run.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"config": about["config"] | config if config else config}))
    test = page("Runs")
    test.multiselect(key="paper_compare").set_value([run.name, other.name]).run()
    assert not test.exception
    assert len(test.selectbox(key="paper_open").options) == 2
    assert ("expected" in words(test)) is (config != {})


def test_a_look_of_a_run_goes_to_inspect_as_latents_and_a_run_as_its_checkpoint(store, monkeypatch):
    run = put(store, "digits/lpc")
    gone, taken = [], []
    monkeypatch.setattr("streamlit.switch_page", lambda page: gone.append(page.url_path))
    monkeypatch.setattr("app.desks.inspections.InspectDesk.take", lambda desk, name, raw: taken.append((name, raw)))
    monkeypatch.setattr("app.desks.inspections.InspectDesk.accept", lambda desk, upload: taken.append(upload))
    test = page("Runs")
    test.multiselect(key="paper_compare").set_value([run.name]).run()
    test.button(key="paper_inspect").click().run()
    test.selectbox(key=f"paper_moment_{run.name}").select_index(2).run()
    test.button(key="paper_inspect").click().run()
    assert not test.exception
    upload, (name, raw) = taken
    assert (upload.name, upload.path.read_bytes()) == ("digits-lpc-seed-0.safetensors", b"a checkpoint")
    assert name == "digits-lpc-seed-0-look-1.npz"
    assert np.load(raw)["latents"].tolist() == [[1, 1]] * 3
    assert gone == ["inspect", "inspect"]


# ---- the desk ------------------------------------------------------------------------------------------------------


def test_only_small_rows_of_this_version_are_run_and_the_command_names_them(desk, store):
    assert {"digits/lpc", "hypercube/figure-1@demo"} <= set(desks.offered())
    for key in ("cifar10/lpc@r6", "digits/../../etc", "imagenet/lpc@r6"):
        with pytest.raises(jobs.JobRefused, match="expected one of the rows offered, under 1 to 5 seeds, got"):
            desk.run_row(key, 1, 0, "cpu")
    with pytest.raises(jobs.JobRefused, match="under 99; larger"):
        desk.run_row("digits/lpc", 99, 0, "cpu")
    desk.lines = [{"run": "digits/lpc/seed-3", "status": "done", "reason": ""}]
    desk.run_row("digits/lpc", 2, 3, "cpu")
    until(lambda: not desk.running)
    assert desk.asked[:3] == ["paper", "run", "digits/lpc"]
    assert "--first-seed=3" in desk.asked
    assert [run.name for run in desk.runs] == ["digits/lpc/seed-3", "digits/lpc/seed-4"]
    assert desk.outcomes == {"digits/lpc/seed-3": ("done", "")}


def test_one_experiment_at_a_time_and_what_was_there_stays(desk, store):
    other = Scripted()
    other.end = "waits"
    other.run_row("digits/lpc", 1, 0, "cpu")
    try:
        with pytest.raises(jobs.JobRefused, match="fewer than 1 experiments on this server, got 1"):
            desk.run_row("digits/lpc", 1, 0, "cpu")
        assert (desk.runs, desk.outcomes) == ((), {})
        with pytest.raises(jobs.JobRefused, match="nothing under way in this tab"):
            other.draw_phases(RunConfig(), 8)
        assert other.now() == other.runs[0]
    finally:
        other.close()


def test_work_goes_on_without_its_page_and_is_found_again_by_the_link(store, monkeypatch):
    desk = Scripted()
    try:
        desk.end = "waits"
        desk.run_row("digits/lpc", 1, 0, "cpu")
        desk.leave()
        assert not (desk._leaving is not None and desk._leaving.is_alive() and not desk._leaving.finished.is_set())
        monkeypatch.setattr("app.views.experiments.ExperimentDesk", Scripted)
        test = AppTest.from_string(PAGE, default_timeout=PATIENCE_S)
        test.query_params["job"] = desk.id
        test.run()
        assert not test.exception
        assert desk._leaving is None
        assert desk.running
        test.button(key="paper_cancel").click().run()
        assert not desk.running
    finally:
        desk.close()


def test_a_desk_without_work_or_page_is_cleared_away(desk):
    desk.leave()
    assert desk._leaving is not None
    assert desk._leaving.is_alive()


def test_a_link_opens_no_desk_of_another_kind():
    other = jobs.Desk()
    try:
        test = AppTest.from_string(PAGE, default_timeout=PATIENCE_S)
        test.query_params["job"] = other.id
        test.run()
        assert not test.exception
    finally:
        other.close()


def test_a_refusal_of_the_command_shows_no_path(store, desk):
    assert desks.placeless(f"{store.folder}/digits/lpc/seed-0: expected …") == "digits/lpc/seed-0: expected …"
    assert desks.placeless(f"the disk of {store.folder}, got none") == "the disk of the server's store, got none"


# ---- phases --------------------------------------------------------------------------------------------------------

CELLS = [PhaseCell(gamma, rate, phase, 1.0, 0.9, 0.1, 1.0, 3.0) for rate, gamma, phase in (
    (1e-3, 0.1, "separated"), (1e-3, 1e4, "totally collapsed"), (0.1, 0.1, "collapsed"))]


def test_cells_come_one_by_one_and_each_links_to_its_run(desk):
    desk.lines = [{"cell": vars(cell)} for cell in CELLS]
    desk.draw_phases(RunConfig(), 8)
    until(lambda: not desk.running)
    assert desk.diagram.cells == tuple(CELLS)
    assert desk.diagram.planned == 64
    assert "--gammas=0.001:100000:8" in desk.asked
    html = grid(RunConfig(), CELLS)
    links = [link.partition('"')[0].replace("&amp;", "&") for link in html.split('href="')[1:]]
    runs = [parse_run({name: value for name, (value,) in parse_qs(urlsplit(link).query).items()}) for link in links]
    wanted = {(cell.gamma, cell.head_lr) for cell in CELLS}
    assert {(run.gamma.gamma_end, run.optim.head_lr) for run in runs} == wanted
    assert run_of(runs[0], runs[0].gamma.gamma_end) == runs[0]
    assert html.count("<td></td>") == 1  # not trained yet
    assert sentence(CELLS) == "Of 3 runs: 1 collapsed, 1 separated, 1 totally collapsed."


def test_diagrams_of_the_store_are_offered_and_a_broken_one_is_named(store):
    folder = store.folder / "phase"
    folder.mkdir()
    (folder / "mine.json").write_text(json.dumps({"settings": flatten(RunConfig()), "cells": [vars(c) for c in CELLS]}))
    (folder / "bad.json").write_text("[]")
    test = page("Phases")
    assert "mine" in test.selectbox[-1].options
    assert "bad.json: expected a diagram that `lpc phase --out` wrote" in words(test)
    assert "secret" not in words(test)


def test_a_diagram_is_refused_in_words(desk):
    with pytest.raises(jobs.JobRefused, match="expected one of 8, 12, 16 runs a side, got 400"):
        desk.draw_phases(RunConfig(), 400)


# ---- figures -------------------------------------------------------------------------------------------------------


def test_a_figure_is_a_card_per_quantity_and_a_line_per_run():
    lines = [{"row": row, "seed": seed, "epoch": epoch, "quantity": quantity, "value": epoch + seed}
             for row in ("a", "b") for seed in (0, 1) for epoch in (0, 1) for quantity in ("nc1_pinv", "norm_cv")]
    data = FigureData("5", "Collapse", "epoch", "value", "quantity", (False, True), tuple(lines))
    drawn = paper_figure.infos(data, ["a"])
    assert [one.title for one in drawn] == [paper_figure.called("nc1_pinv"), paper_figure.called("norm_cv")]
    assert [(line.name, line.seed, line.y) for line in drawn[0].lines] == [("a", 0, (0, 1)), ("a", 1, (1, 2))]
    cards = paper_figure.paper_cards(data, ["a", "b"])
    assert len(cards[0].figure.data) == 4
    assert cards[0].figure.data[0].y == (None, 1)
    assert cards[0].rows["row"] == ["a"] * 4 + ["b"] * 4
    assert paper_figure.paper_cards(data, [])[0].empty


def test_more_lines_than_marks_begin_with_the_first_mark_again():
    lines = [{"row": f"row {i}", "seed": 0, "epoch": 0, "quantity": "nc1_pinv", "value": 1.0} for i in range(14)]
    data = FigureData("5", "Collapse", "epoch", "value", "quantity", (False, True), tuple(lines))
    (card,) = paper_figure.paper_cards(data, [line["row"] for line in lines])
    symbols = [trace.marker.symbol for trace in card.figure.data]
    assert (symbols[0], symbols[13]) == ("circle", "square")


def test_curves_are_those_of_the_runs_so_far(store):
    put(store, "digits/lpc", done=False)
    data = _experiments_runs.curves(desks.shelf().runs, ["gamma"])
    assert [(line["epoch"], line["value"]) for line in data.lines] == [(0, 0.1), (1, 1.1)]


def test_every_shipped_figure_can_be_drawn():
    for family in desks.shipped():
        rows = [row.label for row in family.tables[0].rows]
        for data in family.figures.values():
            assert all(not card.empty for card in paper_figure.paper_cards(data, rows))
