"""Attack it, in Inspect: the desk and its refusals, the job on a real checkpoint, what the page says of a report."""

import json
import subprocess
import sys

import numpy as np
import pytest

from app.desks import attacks, inspecting, jobs
from app.desks.attacks import AttackDesk
from app.desks.samples import samples
from app.desks.uploads import Upload
from app.desks.wishes import Wish
from app.views import _inspect_attack
from lpc_core.files.plain_json import dumps
from tests.patience import until

SAYS = """
import pathlib, sys
print('{"seconds": 240.0}', flush=True)
print('{"share": 0.5, "what": "DDN"}', flush=True)
if sys.argv[1] == "waits":
    sys.stdin.read()
if sys.argv[1] == "reports":
    pathlib.Path(sys.argv[2]).write_text('{"accuracy": 1.0}')
"""


class Scripted(AttackDesk):
    end = ""

    def _spawn(self, command, module):
        self.asked_of = command, module
        with self._complaints.open("wb") as complaints:
            return subprocess.Popen([sys.executable, "-S", "-c", SAYS, self.end, command[2]], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=complaints, start_new_session=True)


@pytest.fixture
def upload(tmp_path):
    (tmp_path / "net.safetensors").write_bytes(b"")
    return Upload("net.safetensors", tmp_path / "net.safetensors", 0)


@pytest.fixture
def desk(upload):
    made = Scripted()
    made.of(upload)
    yield made
    made.close()


def test_how_long_is_said_without_attacking_and_the_report_is_taken(desk, upload):
    desk.attack(Wish(data="digits", split="train", layer="backbone"), ("deepfool", "ddn"), 40, only_ask=True)
    until(lambda: not desk.running)
    (command, module), report = desk.asked_of, desk.report
    assert (command[0], command[1], command[4:], module) == ("attack", str(upload.path), ["deepfool,ddn", "ask"],
                                                             "app.desks.inspecting")
    assert json.loads(command[3]) == {"data": "digits", "split": "test", "samples": 40}
    assert (desk.seconds, report) == (240.0, None)
    desk.end = "reports"
    desk.attack(Wish(), ("ddn",), 40)
    until(lambda: desk.report is not None)
    desk.of(desk.upload)
    assert desk.report == {"accuracy": 1.0}
    desk.of(Upload("other.safetensors", upload.path, 0))
    assert desk.report is None


def test_a_desk_that_is_closed_while_its_report_is_taken_is_closed(desk, monkeypatch):
    desk._fresh.write_text("{}")
    monkeypatch.setattr(attacks.json, "loads", lambda raw: desk.close())
    desk.finished()
    assert desk.closed
    desk.finished()  # of a job that ended just then


def test_an_upload_of_ones_own_data_has_no_held_out_half(desk):
    desk.attack(Wish(data="/desk/data.npz", data_name="mine.npz"), ("ddn",), 5)
    assert "split" not in json.loads(desk.asked_of[0][3])


def test_cancel_ends_it_and_one_attack_runs_at_a_time(desk, upload):
    desk.end = "waits"
    desk.attack(Wish(), ("ddn",), 5)
    until(lambda: desk.what == "DDN")
    other = Scripted()
    try:
        other.of(upload)
        with pytest.raises(jobs.JobRefused, match="expected fewer than 1 attacks on this server, got 1"):
            other.attack(Wish(), ("ddn",), 5)
    finally:
        other.close()
    desk.cancel()
    assert not desk.running
    assert desk.report is None


@pytest.mark.parametrize(("names", "count"), [((), 5), (("rm -rf",), 5), (("ddn",), 0), (("ddn",), 10_000)])
def test_refusals(desk, names, count):
    with pytest.raises(jobs.JobRefused, match=r"expected some of ddn, deepfool, .* on 1 to 1,000 samples, got"):
        desk.attack(Wish(), names, count)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the job writes for a checkpoint that comes with the lab, and what it prints."""
    sample = next(sample for sample in samples() if sample.name == "collapsed")
    out = tmp_path_factory.mktemp("attack") / "out.json"
    wishes = Wish(**sample.how).wishes() | {"samples": 20, "split": "test"}
    inspecting.attack(str(sample.path), str(out), dumps(wishes), "deepfool,ddn")
    return json.loads(out.read_bytes())


def test_the_job_attacks_a_real_checkpoint(found):
    assert [each["name"] for each in found["attacks"]] == ["deepfool", "ddn"]
    assert found["samples"] == 20
    assert {"deepfool-overstates", "white-box-worse"} <= {flag["name"] for flag in found["flags"]}
    shown = _inspect_attack.table(found).splitlines()
    assert len(shown) == 5
    assert shown[2].startswith("| DeepFool |")
    assert shown[4].startswith("| Smallest known |")


def test_the_curves_begin_at_the_accuracy_and_the_smallest_is_below_all(found):
    lines = _inspect_attack.curve(found, "net").lines
    by_attack = {name: [line["share"] for line in lines if line["attack"] == name]
                 for name in ("deepfool", "ddn", "smallest known")}
    assert all(shares[0] == pytest.approx(found["accuracy"]) for shares in by_attack.values())
    assert (np.array(by_attack["smallest known"]) <= np.minimum(by_attack["deepfool"], by_attack["ddn"])).all()
    assert by_attack["smallest known"][-1] == 0


def test_the_job_only_says_how_long_where_that_is_asked(tmp_path, capsys):
    sample = next(sample for sample in samples() if sample.name == "collapsed")
    inspecting.attack(str(sample.path), str(tmp_path / "out.json"), dumps(Wish(**sample.how).wishes() | {"samples": 5}),
                      "ddn", "ask")
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[-1]["seconds"] > 0
    assert not (tmp_path / "out.json").exists()


def test_durations_are_round():
    assert [_inspect_attack.duration(seconds) for seconds in (1, 42, 600)] == [
        "About 5 seconds", "About 40 seconds", "About 10 minutes"]
