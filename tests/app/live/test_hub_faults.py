"""What goes wrong around the hub: full or vanished disks, workers that hang, workers that do not start for a while."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.live import hub as hubs
from app.live import seats, sessions
from app.live.crew import MAX_BACK_OFF_S, Crew
from app.live.hub import Hub, HubError
from app.live.processes import LocalWorker
from app.live.seats import Seat
from app.settings import Settings
from app.training.worker import BEAT_S
from lpc_core.config import unflatten
from lpc_core.run_group import RunGroup, alone
from tests.app.live._fake import GATE
from tests.app.live._page import Page, until
from tests.patience import PATIENCE_S


def run(dataset: str = "fake", **more: object) -> RunGroup:
    return alone(unflatten({"dataset": dataset, "steps": 1_000_000, **more}))


@pytest.fixture
def gate(tmp_path, monkeypatch):
    monkeypatch.setenv(GATE, str(tmp_path / "gate"))
    return tmp_path / "gate"


@contextlib.contextmanager
def serving(settings: Settings, engine: str = "engine") -> Iterator[Hub]:
    hub = Hub(settings, lambda folder: LocalWorker(folder, f"tests.app.live._fake:{engine}"))
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()


PATIENT = {"connect_s": 600.0, "silent_s": 600.0}


def trains_on(page: Page, steps: int = 100) -> None:
    count = len(page.seen)
    step = page.wait("frame", since=count)["step"]
    page.wait("frame", lambda info: info["step"] > step + steps, since=count)


def told(page: Page, state: str) -> int:
    return len([info for info in page.of("notice") if info["state"] == state])


def pid(hub: Hub) -> int:
    return hub.crew.seats[0].link.process.pid


def test_where_no_process_can_be_started_ahead_the_one_that_is_there_trains_on():
    made = []

    def make(folder: Path) -> LocalWorker:
        if made:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        made.append(LocalWorker(folder, "tests.app.live._fake:engine"))
        return made[0]

    hub = Hub(Settings(**PATIENT), make)
    hub.start()
    try:
        page = Page(hub, hub.open(run()))
        trains_on(page)
        assert hub.crew.seats[0].link is made[0]
        assert told(page, "restarting") == 0
    finally:
        hub.stop()


def test_a_worker_that_cannot_be_started_for_days_is_tried_twice_a_minute(monkeypatch):
    owner, waited = SimpleNamespace(age=0.0), []
    crew = Crew(Settings(), lambda: None, owner, threading.RLock())
    monkeypatch.setattr(crew._stopping, "wait", waited.append)
    crew._back_off(Seat(None, heard=0.0, failures=5_000))
    assert waited == [MAX_BACK_OFF_S]


# ---- disks -------------------------------------------------------------------------------------------------------


def is_full_and_then_not(hub: Hub, page: Page, mend: object) -> None:
    """While nothing can be written, workers die and are replaced; then everything is as before."""
    page.wait("notice", lambda info: info["state"] == "unsaved")
    for _ in range(hubs.MAX_CRASHES + 1):
        count, before = len(page.seen), pid(hub)
        os.kill(before, signal.SIGKILL)
        page.wait("notice", lambda info: info["state"] == "restarting", since=count)
        page.wait("setup", since=count, seconds=120)
        trains_on(page)
        assert pid(hub) != before
    until(lambda: hub.health()["status"] == "degraded" and hub.health()["unsaved"] == 1)
    count = len(page.seen)
    unsaved = told(page, "unsaved")
    assert unsaved <= hubs.MAX_CRASHES + 2  # once for each worker that began to serve it
    mend()
    page.wait("notice", lambda info: info["state"] == "saved", since=count, seconds=120)
    assert told(page, "unsaved") == unsaved
    until((hub.folder / f"{page.id}.safetensors").exists)
    until(lambda: hub.health()["status"] == "ok")
    count = len(page.seen)
    os.kill(pid(hub), signal.SIGKILL)
    assert "went on from step" in page.wait("notice", lambda i: i["state"] == "restored", since=count)["text"]


@pytest.fixture
def blameless(monkeypatch):
    """Kills that happen to fall into a turn of the run are not laid at its door: these tests are about the disk."""
    monkeypatch.setattr(sessions, "CRASH_WINDOW_S", 0.0)


@pytest.fixture
def tiny_disk(tmp_path, monkeypatch):
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True,
                      check=False).returncode:
        pytest.skip("no right to mount a tmpfs here; the next test does the same with a folder that cannot be used")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_ends_nothing_for_good(tiny_disk, blameless):
    with serving(Settings(**PATIENT)) as hub:
        page = Page(hub, hub.open(run()))
        trains_on(page)
        filler = tiny_disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1024))
        is_full_and_then_not(hub, page, filler.unlink)
        assert not list(hub.folder.glob("*.new"))


def test_a_folder_that_cannot_be_used_ends_nothing_for_good(blameless):
    with serving(Settings(**PATIENT)) as hub:
        page = Page(hub, hub.open(run()))
        trains_on(page)
        aside = hub.folder.with_name(hub.folder.name + "-aside")
        hub.folder.rename(aside)
        hub.folder.write_text("in the way")

        def mend() -> None:
            hub.folder.unlink()
            with contextlib.suppress(OSError):  # the hub may have made it anew already
                aside.rename(hub.folder)

        is_full_and_then_not(hub, page, mend)
        for path in aside.glob("*") if aside.exists() else ():
            path.unlink()
        with contextlib.suppress(FileNotFoundError):
            aside.rmdir()


def test_a_folder_that_was_cleared_away_comes_back():
    with serving(Settings(**PATIENT)) as hub:
        page = Page(hub, hub.open(run()))
        trains_on(page)
        hub.folder.rename(gone := hub.folder.with_name(hub.folder.name + "-gone"))
        for path in gone.glob("*"):
            path.unlink()
        gone.rmdir()
        until((hub.folder / f"{page.id}.safetensors").exists)
        assert hub.folder.stat().st_mode & 0o777 == 0o700


def test_the_log_says_once_that_saving_fails(capfd):
    with serving(Settings(**PATIENT)) as hub:
        pages = [Page(hub, hub.open(run(seed=seed))) for seed in range(3)]
        for page in pages:
            trains_on(page)
        hub.folder.rename(aside := hub.folder.with_name(hub.folder.name + "-aside"))
        hub.folder.write_text("in the way")
        for page in pages:
            page.wait("notice", lambda info: info["state"] == "unsaved")
            assert str(hub.folder) not in page.of("notice")[-1]["text"]
        hub.folder.unlink()
        aside.rename(hub.folder)
        for page in pages:
            page.wait("notice", lambda info: info["state"] == "saved", seconds=120)
        until(lambda: hub.health()["unsaved"] == 0)
    log = capfd.readouterr().err
    assert log.count("state files cannot be written") == 1
    assert log.count("state files can be written to") == 1
    assert "Traceback" not in log


# ---- workers that do not start -----------------------------------------------------------------------------------


def test_when_no_worker_could_be_started_for_a_while_everything_comes_back_by_itself(gate):
    with serving(Settings(**PATIENT), "mendable_engine") as hub:
        page = Page(hub, hub.open(run()))
        page.wait("notice", lambda info: info["state"] == "stopped", seconds=120)
        with pytest.raises(HubError, match="No training process can be started on this server"):
            hub.open(run())
        assert hub.health()["status"] == "down"
        gate.touch()
        page.wait("notice", lambda info: "works again" in info["text"], seconds=120)
        trains_on(page)
        until(lambda: hub.health()["status"] == "ok")
        trains_on(Page(hub, hub.open(run(seed=2))))


def test_a_system_that_starts_no_process_for_a_while_is_asked_again(monkeypatch):
    with serving(Settings(spare=False, **PATIENT)) as hub:
        page = Page(hub, hub.open(run()))
        trains_on(page)
        make, refused = hub.crew.make, []

        def refuse() -> LocalWorker:
            if len(refused) < hubs.MAX_CRASHES:
                refused.append(1)
                raise BlockingIOError(11, "Resource temporarily unavailable")
            return make()

        monkeypatch.setattr(hub.crew, "make", refuse)
        count = len(page.seen)
        os.kill(pid(hub), signal.SIGKILL)
        page.wait("setup", since=count, seconds=120)
        trains_on(page)
        assert len(refused) == hubs.MAX_CRASHES


# ---- workers that hang -------------------------------------------------------------------------------------------


def test_a_worker_that_hangs_is_noticed_and_its_runs_go_on_in_another(monkeypatch):
    with serving(Settings(worker_silent_s=4.0, **PATIENT)) as hub:
        page = Page(hub, hub.open(run()))
        trains_on(page)
        until((hub.folder / f"{page.id}.safetensors").exists)
        until(lambda: hub.health()["status"] == "ok")
        count, hung, seen = len(page.seen), pid(hub), []
        link = hub.crew.seats[0].link
        end = link.end
        monkeypatch.setattr(link, "end", lambda patience_s: (seen.append(hub.health()), end(patience_s)))
        os.kill(hung, signal.SIGSTOP)
        until(lambda: page.seen[count:] and pid(hub) != hung)
        assert (seen[0]["status"], seen[0]["silent"]) == ("down", 1)  # with one worker there is none left meanwhile
        page.wait("notice", lambda info: "did not answer any more" in info["text"], since=count)
        page.wait("notice", lambda info: info["state"] == "restored", since=count, seconds=120)
        trains_on(page)
        until(lambda: hub.health()["status"] == "ok")
        with pytest.raises(ProcessLookupError):
            os.kill(hung, 0)


def test_a_worker_whose_loop_stands_still_counts_as_hanging_only_after_what_its_runs_explain(gate, monkeypatch):
    monkeypatch.setattr(seats, "TURN_S", 2.0)
    with serving(Settings(worker_silent_s=60.0, **PATIENT)) as hub:
        stuck = Page(hub, hub.open(run("gated")))  # light by its estimate: nothing explains a step without end
        stuck.wait("setup")
        before = pid(hub)
        until(lambda: pid(hub) != before)
        gate.touch()


def test_a_long_step_is_not_taken_for_a_hanging_worker(gate):
    with serving(Settings(worker_silent_s=max(3.0, 3 * BEAT_S), **PATIENT)) as hub:
        page = Page(hub, hub.open(run("gated")))
        page.wait("setup")
        before, age = pid(hub), hub.age
        until(lambda: hub.age > age + 3 * hub.settings.worker_silent_s)
        assert pid(hub) == before
        assert hub.health()["silent"] == 0
        gate.touch()
        trains_on(page)


def test_time_in_which_the_server_itself_did_not_run_counts_for_nobody(monkeypatch):
    with serving(Settings(**PATIENT)) as hub:
        page = Page(hub, hub.open(run()))
        trains_on(page)
        before, age = pid(hub), hub.age
        ahead = [0.0]
        monkeypatch.setattr(hubs, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + ahead[0]))
        ahead[0] = 10_000.0  # the machine slept
        until(lambda: hub.age > age + 2)
        trains_on(page)
        assert pid(hub) == before
        assert hub.alive(page.id)
        assert hub.age < age + 1_000


def test_a_silent_worker_is_seen_by_who_asks_for_the_server_s_health(tmp_path):
    import json
    import re
    import urllib.error
    import urllib.request

    def health(url: str) -> tuple[int, dict[str, object]]:
        try:
            with urllib.request.urlopen(url + "/lab/health", timeout=PATIENCE_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    env = os.environ | {"TMPDIR": str(tmp_path), "LPC_WORKER_SILENT_S": "60", "LPC_SPARE": "0"}
    process = subprocess.Popen([sys.executable, "-m", "app", "--port", "0", "--workers", "2"], text=True, env=env,
                               cwd=Path(__file__).resolve().parents[3], stdout=subprocess.PIPE)
    with process:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        until(lambda: health(url)[1]["workers"] == 2)
        assert health(url)[1]["status"] == "ok"
        marks = list(tmp_path.glob("lpc-lab-*/*.serving"))
        os.kill(int(marks[0].stem.rpartition(".")[2]), signal.SIGSTOP)
        until(lambda: health(url)[1]["silent"] == 1)
        code, body = health(url)
        assert (code, body["status"], body["workers"]) == (200, "degraded", 1)
        os.kill(int(marks[0].stem.rpartition(".")[2]), signal.SIGCONT)  # it was only slow
        until(lambda: health(url)[1]["status"] == "ok")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
