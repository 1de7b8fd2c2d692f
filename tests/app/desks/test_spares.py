"""Processes kept ready for jobs: one waits, is used once, and none is left behind."""

import json

import pytest

from app.desks import inspections, jobs, spares
from tests.patience import PATIENCE_S, until

WAITER = '''
import json, os, sys
line = sys.stdin.readline()
if line:
    order = json.loads(line)
    print(json.dumps({"share": 1.0, "what": " ".join(order["command"])}), flush=True)
    with open(order["errors"], "a") as errors:
        errors.write("a complaint\\n")
    sys.exit(len(order["command"]) - 1)
'''


@pytest.fixture
def waiter(tmp_path, monkeypatch):
    """A module that waits as `app.desks.inspecting` does."""
    (tmp_path / "lpc_waiter.py").write_text(WAITER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield "lpc_waiter"
    spares.end_all()


def test_one_waits_and_does_one_job(waiter, tmp_path):
    spares.prepare(waiter)
    first = spares._waiting[waiter]
    spares.prepare(waiter)
    assert spares._waiting[waiter] is first
    taken = spares.take(waiter, ["hello"], tmp_path / "errors.txt")
    assert taken is first
    with taken:
        assert json.loads(taken.stdout.read()) == {"share": 1.0, "what": "hello"}
    assert taken.returncode == 0
    assert (tmp_path / "errors.txt").read_text() == "a complaint\n"
    assert spares.take(waiter, ["again"], tmp_path / "errors.txt") is None


def test_one_that_died_is_no_help_and_is_replaced(waiter, tmp_path):
    spares.prepare(waiter)
    dead = spares._waiting[waiter]
    dead.kill()
    dead.wait()
    assert spares.take(waiter, ["x" * 200_000], tmp_path / "errors.txt") is None
    spares.prepare(waiter)
    spares._waiting[waiter].kill()
    spares._waiting[waiter].wait()
    spares.prepare(waiter)
    assert spares._waiting[waiter].poll() is None


def test_none_outlives_whoever_started_it(waiter):
    spares.prepare(waiter)
    process = spares._waiting[waiter]
    process.stdin.close()  # what the system does with the pipe of a server that ended
    assert process.wait(PATIENCE_S) == 0
    spares.prepare(waiter)
    process = spares._waiting[waiter]
    spares.end_all()
    assert process.poll() is not None
    assert not spares._waiting


def test_a_desk_s_job_goes_to_the_one_that_waits(waiter, monkeypatch):
    desk = jobs.Desk()
    try:
        for arguments, error in ((["only"], ""), (["one", "more"], "a complaint")):
            spares.prepare(waiter)
            process = spares._waiting[waiter]
            desk.start(arguments, waiter)
            assert desk._process in (process, None)
            until(lambda error=error: not desk.running and (desk.error or not error))
            assert desk.what == " ".join(arguments)
            assert desk.error == error
    finally:
        desk.close()


@pytest.mark.spares
def test_the_inspection_page_has_one_ready(monkeypatch):
    monkeypatch.setattr(inspections, "REST_S", 0.01)
    desk = inspections.InspectDesk()
    try:
        ready = spares._waiting[inspections.INSPECTING]
        desk.upload = inspections.Upload("no.npz", desk.folder / "no.npz", 1)
        desk.inspect(inspections.Wish())
        until(lambda: not desk.busy and inspections.INSPECTING in spares._waiting)
        assert "expected a file at 'no.npz'" in desk.error
        assert spares._waiting[inspections.INSPECTING] is not ready
    finally:
        jobs.close_all()
    assert not spares._waiting
