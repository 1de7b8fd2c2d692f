"""A server that starts anew: a page that was there goes on from its run's saved state, and nobody else does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.live import rooms
from app.live.hub import Hub
from app.live.processes import LocalWorker
from app.live.sessions import SessionHandle
from app.settings import Settings
from app.training import state_file
from lpc_core.config import DataConfig, RunConfig
from lpc_core.run_group import alone
from tests.app.live._page import Page, until

ROOT = Path(__file__).resolve().parents[3]
RUN = alone(RunConfig(data=DataConfig(dataset="fake"), steps=100_000))
OTHER = alone(RunConfig(data=DataConfig(dataset="fake"), steps=100_000, seed=1))
PATIENT = Settings(spare=False, heartbeat_s=600.0, silent_s=600.0, connect_s=600.0)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@contextlib.contextmanager
def serving(*, keep: bool = False, keep_s: float = 0.0) -> Iterator[Hub]:
    hub = Hub(PATIENT, lambda folder: LocalWorker(folder, "tests.app.live._fake:engine", keep_s=keep_s))
    hub.start()
    try:
        yield hub
    finally:
        hub.stop(keep=keep)


def at_rest(hub: Hub) -> tuple[SessionHandle, Page]:
    """A run that a hand has changed and stopped, and that is saved."""
    session = hub.open(RUN)
    page = Page(hub, session)
    page.wait("frame", lambda info: info["step"] > 20)
    page.say('{"type": "gamma", "value": 4.0, "seq": 2}')
    page.say('{"type": "speed", "steps_per_second": 0}')
    page.wait("frame", lambda info: info["gamma_seq"] == 2)
    page.say('{"type": "pause"}')
    page.wait("frame", lambda info: info["state"] == "paused")
    page.settle()
    path = hub.folder / f"{session.id}.safetensors"
    until(lambda: (saved := state_file.read(path)) is not None and not saved.info["playing"])
    return session, page


def test_a_page_goes_on_where_its_run_was_and_nobody_else_does(place):
    with serving(keep=True) as hub:
        session, page = at_rest(hub)
        unsaved = hub.open(OTHER)
    before = page.last
    left = {path.name for path in place.glob("lpc-lab-*/*")}
    assert f"{session.id}.safetensors" in left <= {f"{one.id}.safetensors" for one in (session, unsaved)}
    with serving() as hub:
        for token in (session.id, session.token[:-1], unsaved.token, "../" + session.id):
            assert Page(hub, hub.open(RUN), before=token).wait("setup")["step"] < before["step"]
        back = Page(hub, hub.open(RUN), before=session.token)
        setup = back.wait("setup")
        assert setup["step"] == before["step"]
        assert setup["history"]["step"][0] == 0 < setup["history"]["step"][-1] <= before["step"]  # its curves are whole
        same = ("step", "gamma", "gamma_target", "gamma_mode", "state", "gamma_seq")
        after = back.wait("frame")
        assert {name: after[name] for name in same} == {name: before[name] for name in same}
        assert back.of("notice") == []
        assert Page(hub, hub.open(RUN), before=session.token).wait("setup")["step"] == 0  # once
    assert not list(place.glob(f"lpc-lab-*/{session.id}*"))


def test_another_run_takes_nothing_from_the_state(place):
    with serving(keep=True) as hub:
        session, _ = at_rest(hub)
    with serving() as hub:
        page = Page(hub, hub.open(OTHER), before=session.token)
        assert page.wait("setup")["step"] == 0
        assert page.wait("frame", lambda info: info["step"] > 20)["gamma_target"] != 4.0


KILLED = """
import sys
from tests.app.live.test_restarts import at_rest, serving
with serving(keep_s=600.0) as hub:
    session, page = at_rest(hub)
    print(session.token, page.last["step"], flush=True)
    sys.stdin.read()
"""


def test_after_a_sigkill_a_page_goes_on_from_what_was_saved_last(place):
    with subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env=os.environ | {"TMPDIR": str(place)}) as process:
        token, step = process.stdout.readline().split()
        desk = place / next(place.glob("lpc-lab-*")).name.replace("-lab-", "-desk-")
        desk.mkdir(mode=0o700)
        (desk / "upload-1.npz").write_bytes(b"somebody's file")
        process.send_signal(signal.SIGKILL)
    until(lambda: not desk.exists())  # uploads do not outlive it
    until(lambda: [path.suffix for path in place.glob("lpc-lab-*/*")] == [".safetensors"])
    with serving() as hub:
        assert Page(hub, hub.open(RUN), before=token).wait("setup")["step"] == int(step)
        rooms.sweep()
        assert list(place.glob("lpc-lab-*")) == [hub.folder]
        assert len(list(place.glob("lpc-*"))) == 2  # the folder and its lock
