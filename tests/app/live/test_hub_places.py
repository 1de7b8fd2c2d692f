"""Heavy runs beside light ones: places, limits and what the reader is told, with real processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from app.live import admission
from app.live.hub import Hub
from app.live.processes import LocalWorker
from app.settings import Settings
from lpc_core.config import unflatten
from lpc_core.run_group import RunGroup, alone
from tests.app.live._fake import GATE
from tests.app.live._page import Page, until

SETTINGS = Settings(connect_s=300.0, silent_s=300.0, own_processes=1, run_memory_mb=10_000, memory_mb=14_000)
STATE = "{}.safetensors"


def light(dataset: str = "fake", **more: object) -> RunGroup:
    return alone(unflatten({"dataset": dataset, "steps": 1_000_000, **more}))


def heavy(dataset: str = "fake", **more: object) -> RunGroup:
    return light(dataset, hidden=(8192, 8192), **more)


@pytest.fixture
def gate(tmp_path, monkeypatch):
    monkeypatch.setenv(GATE, str(tmp_path / "gate"))
    return tmp_path / "gate"


@pytest.fixture
def hub(gate) -> Iterator[Hub]:
    hub = Hub(SETTINGS, lambda folder: LocalWorker(folder, "tests.app.live._fake:engine"))
    hub.start()
    until(lambda: hub.workers_ready == 1, 120)
    yield hub
    gate.touch()
    hub.stop()
    assert not hub.folder.exists()


def own_pids(hub: Hub) -> list[int]:
    return [seat.link.process.pid for seat in hub.crew.seats if seat.own]


def trains_on(page: Page, steps: int = 100) -> None:
    step = page.wait("frame")["step"]
    page.wait("frame", lambda info: info["step"] > step + steps)


@pytest.mark.parametrize("dataset", ["gated", "gated-build"])
def test_a_heavy_run_never_holds_up_its_neighbours_whatever_it_is_doing(hub, gate, dataset):
    beside = Page(hub, hub.open(light()))
    trains_on(beside)
    slow = Page(hub, hub.open(heavy(dataset)))  # one step of it, or its beginning, takes as long as the gate is shut
    assert slow.wait("notice", lambda info: "process of its own" in info["text"])["level"] == "info"
    if dataset == "gated":
        slow.wait("setup")
    trains_on(beside, 300)
    assert len(own_pids(hub)) == 1
    assert hub.health()["own"] == 1
    gate.touch()
    slow.wait("frame", lambda info: info["step"] > 5)
    hub.close(slow.id)
    until(lambda: not own_pids(hub))
    trains_on(beside)


def test_beyond_the_places_there_is_one_sentence_and_the_run_before_goes_on(hub):
    first = Page(hub, hub.open(heavy()))
    second = Page(hub, hub.open(light()))
    trains_on(first)
    trains_on(second)
    hub.configure(second.id, heavy(seed=1))
    told = second.wait("notice", lambda info: info["level"] == "error")
    assert "all 1 places for runs this heavy are taken; try again when one has ended, or reduce hidden" in told["text"]
    assert told["text"].endswith("The run before it goes on.")
    assert told["state"] == "error"
    assert hub.config(second.id) == light()
    trains_on(second)
    middling = Page(hub, hub.open(light(hidden=(512, 512))))  # would have a place of its own if there was one
    trains_on(middling)
    assert len(own_pids(hub)) == 1
    hub.close(first.id)
    until(lambda: not own_pids(hub))
    hub.configure(second.id, heavy(seed=1))
    second.wait("setup", lambda info: info["run"] == 2)
    trains_on(second)
    assert len(own_pids(hub)) == 1


def test_a_link_to_a_run_that_is_too_large_is_answered_with_the_estimate_and_a_way_on(hub):
    session = hub.open(light(hidden=(8192,) * 6, batch_size=65_536, samples=100_000))
    page = Page(hub, session)
    told = page.wait("notice")
    assert told["level"] == "error"
    assert told["state"] == "stopped"
    assert told["text"].startswith("memory: expected at most 10,000 MB, what one run may take on this server, got ab")
    assert told["text"].endswith("reduce hidden or batch_size")
    hub.configure(session.id, light(hidden=(8192,) * 5, batch_size=65_536, samples=100_000))
    page.wait("notice", lambda info: info["state"] == "error")
    page.say('{"type": "play"}')
    hub.configure(session.id, light())
    trains_on(page)


def test_a_network_that_does_not_fit_its_data_is_refused_in_words_and_the_run_before_goes_on(hub):
    page = Page(hub, hub.open(light("hypercube", model="convnet")))
    told = page.wait("notice")
    assert (told["level"], told["state"]) == ("error", "stopped")
    assert told["text"].startswith("model: expected mlp for data that are not pictures of at least 8 by 8 pixels")
    hub.configure(page.id, light())
    trains_on(page)
    hub.configure(page.id, light("hypercube", model="convnet"))
    told = page.wait("notice", lambda info: info["state"] == "error")
    assert told["text"].endswith("got 'convnet'. The run before it goes on.")
    trains_on(page)


def test_all_together_have_a_limit(hub):
    admission.LEDGER.hold("a film", 10**10)
    page = Page(hub, hub.open(heavy()))
    admission.LEDGER.release("a film")
    assert "what is left of the server's 14,000 MB, got about" in page.wait("notice")["text"]
    assert not own_pids(hub)
    hub.configure(page.id, heavy())
    trains_on(page)
    assert admission.LEDGER.held_by_others("a film") > 4 * 10**9
    hub.close(page.id)
    assert admission.LEDGER.held_by_others("a film") == 0


def test_what_the_reader_has_set_goes_along_when_a_run_changes_its_process(hub):
    page = Page(hub, hub.open(light()))
    trains_on(page)
    page.say('{"type": "view", "projection": "pca", "dims": 3, "large": [1]}')
    page.say('{"type": "pause"}')
    page.wait("frame", lambda info: info["state"] == "paused" and info["projection"] == "pca")
    for run, config in enumerate((heavy(), heavy(seed=2), light(seed=3)), 2):
        count = len(page.seen)
        hub.configure(page.id, config)
        page.wait("setup", lambda info, run=run: info["run"] == run, since=count)
        seen = page.wait("frame", lambda info, run=run: info["run"] == run, since=count)
        assert (seen["state"], seen["step"], seen["projection"]) == ("paused", 0, "pca")
        assert len(own_pids(hub)) == (run < 4) or run == 4
    until(lambda: not own_pids(hub))
    assert not [info for info in page.of("notice") if info["level"] != "info"]


def test_a_heavy_run_that_cannot_be_built_gives_way_to_the_run_before(hub):
    page = Page(hub, hub.open(light(seed=7)))
    trains_on(page)
    step = page.last["step"]
    hub.configure(page.id, heavy(latent_dim=13))
    page.wait("notice", lambda info: "out of memory. The run before it goes on." in info["text"])
    count = len(page.seen)
    assert page.wait("frame", since=count)["step"] >= step
    trains_on(page)
    assert hub.config(page.id) == light(seed=7)


def test_the_run_before_goes_on_also_if_it_is_put_away_late(hub, gate):
    page = Page(hub, hub.open(light("gated")))
    page.wait("setup")  # its second step takes as long as the gate is shut, and then it is put away
    hub.configure(page.id, heavy(latent_dim=13))
    until(lambda: any(seat.own and seat.ready for seat in hub.crew.seats))
    time.sleep(0.3)  # the other process has all it needs, but for the state
    gate.touch()
    page.wait("notice", lambda info: "out of memory. The run before it goes on." in info["text"])
    trains_on(page)


def test_a_heavy_run_whose_process_is_killed_goes_on_and_one_that_kills_it_is_stopped(hub):
    page = Page(hub, hub.open(heavy()))
    trains_on(page)
    until((hub.folder / STATE.format(page.id)).exists)
    os.kill(own_pids(hub)[0], signal.SIGKILL)
    page.wait("notice", lambda info: info["state"] == "restored")
    trains_on(page)
    hub.configure(page.id, heavy("deadly"))
    page.wait("notice", lambda info: info["state"] == "stopped", seconds=120)
    until(lambda: not own_pids(hub))
    hub.configure(page.id, light())
    count = len(page.seen)
    page.wait("frame", since=count)
    trains_on(page)
