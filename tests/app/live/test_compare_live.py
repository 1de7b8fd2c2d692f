"""A comparison at the hub: one session whose frames carry all its runs at the same step."""

from __future__ import annotations

import json
import os
import signal

import pytest

from app.live.hub import Hub
from app.live.processes import LocalWorker
from app.settings import Settings
from lpc_core.config import DataConfig, RunConfig
from lpc_core.run_group import compare
from tests.app.live._page import Page, until
from tests.app.live.test_hub import STATE, config, spare_is_ready, started, worker_pid

FIXED = {"gamma_schedule": "constant", "gamma_end": 0.0, "gamma_start": 0.5}


def comparison(*overrides, **settings):
    base = RunConfig(data=DataConfig(dataset="fake"), **{"steps": 100_000} | settings)
    return compare(base, overrides or (FIXED, {}), [f"run {i}" for i in range(len(overrides) or 2)])


@pytest.fixture(scope="module")
def hub():
    yield from started(Settings(heartbeat_s=600.0, silent_s=600.0, connect_s=600.0))


@pytest.fixture
def page(hub):
    session = hub.open(comparison())
    yield Page(hub, session)
    hub.close(session.id)


def in_step(frames):
    return all(len({panel["step"] for panel in info["panels"]} | {info["step"]}) == 1 for info in frames)


def test_the_setup_and_every_frame_carry_all_runs_at_one_step(page):
    setup = page.wait("setup")
    assert (setup["titles"], setup["follows"]) == (["run 0", "run 1"], [False, True])
    assert [panel["d"] for panel in setup["panels"]] == [2, 2]
    page.wait("frame", lambda info: info["step"] > 100)
    until(lambda: len(page.of("frame")) > 5)
    frames = page.of("frame")
    assert in_step(frames)
    assert {len(info["panels"]) for info in frames} == {2}


def test_step_pause_and_reset_are_for_all(page):
    count = page.pause()
    step = page.last["step"]
    page.say('{"type": "step", "count": 7}')
    page.wait("frame", lambda info: info["step"] == step + 7 and info["state"] == "paused", since=count)
    page.say('{"type": "reset"}')
    setup = page.wait("setup", since=count)
    assert [panel["history"]["step"] for panel in setup["panels"]] == [[0.0], [0.0]]
    page.wait("frame", lambda info: info["run"] == setup["run"] and info["step"] > 5, since=count)
    assert in_step(page.of("frame"))


def test_gamma_moves_the_runs_that_follow(page):
    page.wait("frame")
    page.say('{"type": "gamma", "value": 9.0, "seq": 4}')
    info = page.wait("frame", lambda info: info["gamma_seq"] == 4 and info["gamma"] == 9.0)
    assert [panel["gamma"] for panel in info["panels"]] == [0.5, 9.0]
    assert (info["gamma_mode"], info["gamma_target"]) == ("hand", 9.0)


def test_a_comparison_of_a_setting_that_cannot_be_had_leaves_the_old_one_going(hub, page):
    page.wait("setup")
    hub.configure(page.id, comparison({}, {"latent_dim": 13}))
    assert "out of memory. The run before it goes on." in page.wait("notice")["text"]
    hub.configure(page.id, comparison({}, {"latent_dim": 3}, {"latent_dim": 5}))
    setup = page.wait("setup", lambda info: len(info["panels"]) == 3)
    assert [panel["d"] for panel in setup["panels"]] == [2, 3, 5]
    hub.configure(page.id, config())  # a plain run in the same place
    page.wait("setup", lambda info: len(info["panels"]) == 1)
    page.wait("frame", lambda info: len(info["panels"]) == 1 and info["step"] > 5)


def test_a_page_that_acknowledges_nothing_gets_two_frames(hub):
    session = hub.open(comparison())
    mute = Page(hub, session, acks=False)
    until(lambda: len(mute.of("frame")) >= 2)
    mute.settle(0.5)
    assert len(mute.of("frame")) == 2
    hub.close(session.id)


def test_a_killed_worker_is_replaced_and_all_runs_go_on_in_step(hub, page):
    spare_is_ready(hub)
    until((hub.folder / STATE.format(page.id)).exists)
    before, count = page.last, len(page.seen)
    os.kill(worker_pid(hub), signal.SIGKILL)
    notice = page.wait("notice", lambda info: info["state"] == "restored", since=count)
    assert "went on from step" in notice["text"]
    after = page.wait("frame", lambda info: info["run"] > before["run"], since=count)
    assert after["step"] > 0
    page.wait("frame", lambda info: info["step"] > after["step"] + 50, since=count)
    assert in_step(page.of("frame"))
    late = Page(hub, hub._sessions[page.id])
    assert all(len(panel["history"]["step"]) > 2 for panel in late.wait("setup")["panels"])


def test_real_trainers_of_different_speed_stay_in_step_and_paused_ones_come_back_as_they_were():
    hub = Hub(Settings(), lambda folder: LocalWorker(folder, "app.training.worker:torch_engine"))
    hub.start()
    try:
        small = compare(RunConfig(data=DataConfig(samples=500, test_samples=100)), [{}, {"loss": "supcon"}], "ab")
        page = Page(hub, hub.open(small))
        page.wait("frame", lambda info: info["step"] > 60)
        spare_is_ready(hub)
        count = page.pause(0.5)
        before = page.last
        assert [panel["theory"] for panel in page.wait("setup")["panels"]] == [True, False]
        os.kill(worker_pid(hub), signal.SIGKILL)
        page.wait("notice", lambda info: info["state"] == "restored", since=count)
        after = page.wait("frame", lambda info: info["run"] > before["run"], since=count)
        same = ("step", "gamma", "norm_mean")
        told = [[{name: panel[name] for name in same} for panel in info["panels"]] for info in (before, after)]
        assert json.loads(json.dumps(told[0])) == [pytest.approx(one) for one in told[1]]
        assert in_step(page.of("frame"))
    finally:
        hub.stop()
