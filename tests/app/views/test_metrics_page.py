"""The Metrics page and its desks without a browser: what is started, kept, said and drawn."""

import dataclasses
import json
import subprocess
import sys

import pytest

from app.desks import jobs, studies
from app.desks.studies import StudyDesk, SweepDesk
from app.parts import readings
from app.views import metrics
from lpc_core.config import RunConfig, unflatten
from lpc_core.metrics import Reading
from lpc_core.presets import default_run
from lpc_core.study import Study, open_study
from tests.app._markdown import as_read
from tests.app._opening import opened
from tests.app.charts import _study
from tests.patience import PATIENCE_S, until

PAGE = """
from app.views.metrics import VIEW
VIEW.render()
"""
PRODUCER = """
import json, pathlib, shutil, sys, time
source, out, stop_after, end = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
out.mkdir()
shutil.copy(source / "study.safetensors", out)
print("a library's own chatter", flush=True)
for path in sorted(source.glob("[mr]o*"))[:stop_after]:
    print(json.dumps({"share": 0.5, "what": "training"}), flush=True)
    shutil.copy(path, out / "half")
    (out / "half").rename(out / path.name)  # whole or not there, as a command writes it
    print(json.dumps({"file": path.name}), flush=True)
if end == "hang":
    time.sleep(600)
sys.exit(end or 0)
"""
SMALL = unflatten({"samples": 300, "test_samples": 100, "steps": 20, "ramp_steps": 10, "batch_size": 32})


class Scripted(StudyDesk):
    """A desk whose command copies a study that is there already, then ends as it is told."""

    stop_after, end = 9, ""

    def _spawn(self, command, module):
        self.asked = [*getattr(self, "asked", []), list(command)]
        out = next(part for part in command if part.startswith("--out=")).removeprefix("--out=")
        with self._complaints.open("wb") as complaints:
            return subprocess.Popen([sys.executable, "-S", "-c", PRODUCER, self.source, out, str(self.stop_after),
                                     self.end], stdout=subprocess.PIPE, stderr=complaints, start_new_session=True)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies") / "a"
    _study.save(_study.study(), folder)
    return str(folder)


@pytest.fixture
def desk(stored):
    made = Scripted()
    made.source = stored
    yield made
    made.close()


def wait(desk, fits=lambda desk: not desk.running):
    until(lambda: fits(desk))


# ---- the desk ------------------------------------------------------------------------------------------------------


def test_a_study_is_read_while_it_grows_and_its_moments_are_published(desk):
    desk.want(SMALL)
    wait(desk, lambda d: d.study is not None)
    wait(desk)
    assert desk.error == ""
    assert desk.study.complete
    assert [m.step for m in desk.study.moments] == list(_study.STEPS)
    assert {m.latents.shape for m in desk.study.moments} == {(0, 2)}  # the samples stay on disk
    assert len(set(desk.tokens)) == 4
    assert [jobs.find(token).name for token in desk.tokens] == [f"moment-{i:04d}.safetensors" for i in range(4)]
    command = desk.asked[0]
    assert command[:2] == ["study", "follow"]
    assert {"samples=300", "steps=20", "--json", "--moments=21"} <= set(command)
    assert "--moments=40" in StudyDesk._more(desk, RunConfig())


def test_the_same_run_is_not_studied_twice_and_another_one_is(desk):
    desk.want(SMALL)
    wait(desk)
    tokens = desk.tokens
    desk.want(SMALL)
    assert (len(desk.asked), desk.tokens) == (1, tokens)
    other = unflatten({"seed": 5}, SMALL)
    desk.want(other)
    assert desk.run == other
    wait(desk)
    assert len(desk.asked) == 2
    assert desk.study.complete
    assert all(jobs.find(token) is None for token in tokens)
    desk.drop_other(SMALL)
    assert (desk.run, desk.study, desk.tokens) == (None, None, ())


def test_what_was_measured_survives_an_error(desk):
    desk.stop_after, desk.end = 2, "lpc: the run diverged at step 300"
    desk.want(SMALL)
    wait(desk)
    assert desk.error == "the run diverged at step 300"
    assert len(desk.study.moments) == 2
    assert not desk.study.complete
    desk.stop_after, desk.end = 9, ""
    desk.again()
    wait(desk)
    assert (desk.error, len(desk.study.moments)) == ("", 4)


def test_cancelling_keeps_what_is_there(desk):
    desk.stop_after, desk.end = 3, "hang"
    desk.want(SMALL)
    wait(desk, lambda d: d.study is not None and len(d.study.moments) == 3)
    process = desk._process
    desk.cancel()
    assert process.wait(PATIENCE_S) != 0
    assert not desk.look().busy
    assert (len(desk.study.moments), desk.error) == (3, "")


def test_a_busy_server_makes_a_study_wait_and_then_start(desk, monkeypatch):
    monkeypatch.setattr(Scripted, "at_once", 0)
    desk.want(SMALL)
    assert "expected fewer than 0 studies on this server" in desk.waiting
    assert desk.look().busy
    assert not desk.running
    monkeypatch.setattr(Scripted, "at_once", 1)
    desk.retry()
    assert desk.waiting == ""
    wait(desk)
    assert desk.study.complete


def test_a_damaged_file_is_said_and_hides_nothing(desk):
    desk.stop_after = 2
    desk.want(SMALL)
    wait(desk)
    (desk.folder / "study" / "moment-0002.safetensors").write_bytes(b"nonsense")
    desk.said({"file": "moment-0002.safetensors"})
    assert "moment-0002.safetensors: expected a whole file of a study" in desk.error
    assert len(desk.study.moments) == 2


def test_rows_of_a_comparison_come_one_by_one(desk, tmp_path):
    rows = tuple(_study.row(f"run {i}", 2.0 + i, 0.1, 0.1) for i in range(3))
    _study.save(Study("sweep", (SMALL,) * 3, ("a", "b", "c"), (), 3, rows=rows), tmp_path / "s")
    desk.source = str(tmp_path / "s")
    desk.want(SMALL)
    wait(desk)
    assert [row.title for row in desk.study.rows] == ["run 0", "run 1", "run 2"]
    assert desk.tokens == ()
    assert SweepDesk._more(desk, SMALL) == [f"--samples={studies.SAMPLES}"]


def test_the_real_command_does_what_the_desk_expects(monkeypatch):
    monkeypatch.setenv("LPC_DEVICE", "cpu")
    desk = StudyDesk()
    try:
        desk.want(SMALL)
        wait(desk)
        assert desk.error == ""
        assert desk.study.complete
        assert desk.study.configs == (SMALL,)
        assert [m.step for m in desk.study.moments] == list(range(21))
        assert open_study(jobs.find(desk.tokens[0]).parent).moments[3].step == 3
    finally:
        desk.close()


# ---- the table -----------------------------------------------------------------------------------------------------


def test_the_table_says_floors_and_reasons():
    found = {"nc1_pinv": Reading(1e-16, 1e-14, "at the noise floor"), "norm_mean": Reading(2.5),
             "nc3_self_duality": Reading(float("nan"), reason="needs the head's weight"),
             "separation_ratio": Reading(float("inf"), reason="all on their centroids")}
    floor, plain, nothing, endless = (readings.reading_row(name, one) for name, one in found.items())
    assert (floor["value"], floor["floor"], floor["at_floor"]) == (1e-16, 1e-14, True)
    assert (plain["value"], plain["floor"], plain["reason"]) == (2.5, None, "")
    assert (nothing["value"], nothing["shown"], nothing["reason"]) == (None, "undefined", "needs the head's weight")
    assert (endless["value"], endless["shown"]) == (None, "∞")
    assert all(row["formula"] and row["source"] and row["meaning"] for row in (floor, plain, nothing, endless))
    json.dumps([floor, plain, nothing, endless], allow_nan=False)
    columns = readings.reading_columns(found)
    assert columns["name"] == list(found)
    assert columns["at_floor"] == [True, False, False, False]


# ---- the page ------------------------------------------------------------------------------------------------------


class Still(StudyDesk):
    """A desk that only notes what it is asked."""

    busy_server = False

    def start(self, command, begin):
        if self.busy_server:
            raise jobs.JobRefused("no room")
        self.asked = [*getattr(self, "asked", []), list(command)]


class StillSweep(Still):
    task = "sweep"


@pytest.fixture
def page(monkeypatch):
    drawn = {}
    monkeypatch.setattr(metrics, "StudyDesk", Still)
    monkeypatch.setattr(metrics, "SweepDesk", StillSweep)
    monkeypatch.setattr(metrics, "cards", lambda items, key, columns=2, sentence="": drawn.update(
        {key: sentence or {card.key: card for card in items}}))
    monkeypatch.setattr(metrics, "microscope", lambda *shown: drawn.update(microscope=shown))
    monkeypatch.setattr(metrics, "readings_table", lambda found, key, title: drawn.update(readings=found, title=title))
    test = opened(PAGE)
    test.drawn = drawn
    yield test
    jobs.close_all()


def desk_of(page, name):
    return page.session_state.lpc.desks[name]


def test_opening_the_page_starts_the_study_of_the_tabs_run(page):
    (command,) = desk_of(page, "study").asked
    assert command[:2] == ["study", "follow"]
    assert "dataset=hypercube" in command
    assert desk_of(page, "study").run == default_run("hypercube")
    assert set(page.drawn["cards-collapse"]) >= {"nc1", "nc2", "nc3", "nc4"}
    assert set(page.drawn["cards-code"]) >= {"peaks", "shell", "code", "hamming"}
    assert all(card.empty for card in page.drawn["cards-collapse"].values())
    assert "first numbers come" in page.drawn["verdict"]
    assert [len(part) for part in page.drawn["microscope"]] == [0, 0, 0]


def test_a_study_that_grows_while_the_page_is_drawn_comes_whole_at_the_next_look(page, monkeypatch):
    desk, whole, part = desk_of(page, "study"), _study.study(), _study.study()
    part = dataclasses.replace(part, moments=part.moments[:2])
    monkeypatch.setattr(metrics.verdict, "verdict", lambda track: setattr(desk, "study", whole) or str(len(track)))
    for study in (part, whole):
        desk.study = study
        page.run()
        assert not page.exception
        nc1, steps = page.drawn["cards-collapse"]["nc1"].figure.data[0].x, page.drawn["microscope"][0]
        assert page.drawn["verdict"] == str(len(nc1)) == str(len(steps)) == str(len(study.moments))


def test_a_change_in_the_form_starts_another_study(page):
    seed = next(one for one in page.number_input if one.label == "Seed")
    seed.set_value(7).run()
    assert not page.exception
    assert [("seed=7" in command) for command in desk_of(page, "study").asked] == [False, True]


def test_what_is_measured_is_drawn(page):
    desk = desk_of(page, "study")
    desk.study, desk.tokens = _study.study(), ("t0", "t1", "t2", "t3")
    page.run()
    assert not page.exception
    assert "was reached by step 400" in page.drawn["verdict"]
    assert not page.drawn["cards-collapse"]["nc1"].empty
    steps, tokens, names = page.drawn["microscope"]
    assert (list(steps), tokens, names) == (list(_study.STEPS), desk.tokens, _study.NAMES)
    assert set(desk.study.moments[-1].readings) < set(page.drawn["readings"])
    before = page.drawn["cards-collapse"]["nc1"]
    page.run()
    assert page.drawn["cards-collapse"]["nc1"] is before
    assert page.drawn["title"] == "Step 1,000"
    assert any("Measured at 4 moments" in caption.value for caption in page.caption)


@pytest.mark.parametrize("end", ["", "."])
def test_an_error_stands_above_what_was_measured_until_then(page, end):
    desk = desk_of(page, "study")
    desk.study, desk.error = _study.study(2), f"The run diverged{end}"
    page.run()
    assert as_read(page.error[0].value) == "The run diverged. What was measured until then (2) is below."
    assert not page.drawn["cards-collapse"]["nc1"].empty
    page.button(key="study_again").click().run()
    assert not page.error
    assert len(desk.asked) == 2


def test_a_cancelled_study_says_how_far_it_came(page):
    desk = desk_of(page, "study")
    desk.study = _study.study(3)
    page.run()
    assert page.warning[0].value == "Stopped early, after 3 of 4 measurements."


def test_waiting_is_told_and_ends_by_itself(page, monkeypatch):
    monkeypatch.setattr(Still, "busy_server", True)
    next(one for one in page.number_input if one.label == "Seed").set_value(8).run()
    assert "This one starts by itself when there is room" in page.info[0].value
    monkeypatch.setattr(Still, "busy_server", False)
    page.run()
    assert not page.info
    assert "seed=8" in desk_of(page, "study").asked[-1]


def test_comparing_is_by_a_press_and_of_the_same_run(page):
    sweep = desk_of(page, "sweep")
    assert not hasattr(sweep, "asked")
    assert page.drawn["cards-separation"]["separation"].empty.startswith("Press “Compare many runs”")
    page.button(key="sweep_start").click().run()
    assert not page.exception
    assert sweep.asked[0][:2] == ["study", "sweep"]
    assert sweep.run == desk_of(page, "study").run
    sweep.study = Study("sweep", (SMALL,), ("a",), (), 1, rows=(_study.row("a", 3.0, 0.1, 0.1),))
    page.run()
    assert any(caption.value.startswith("Runs compared: 1.") for caption in page.caption)
    assert page.drawn["cards-separation"]["separation"].rows["run"] == ["a"]


def test_the_metrics_page_comes_after_compare():
    from app.views import views

    names = [name for name, _ in views()]
    assert names.index("metrics") == names.index("compare") + 1
