"""The hub with a real worker process and a trainer that needs no torch; crashes with the real trainer too."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import time
from collections.abc import Iterator

import pytest

from app.live import hub as hubs
from app.live import sessions
from app.live.hub import Hub, HubError
from app.live.mark import mark_name
from app.live.processes import LocalWorker
from app.settings import Settings
from app.training import state_file
from app.training.keeping import SAVE_EVERY_S
from lpc_core.config import DataConfig, ModelConfig, RunConfig
from lpc_core.files import tensors
from lpc_core.run_group import RunGroup, alone
from tests.app.live._page import Page, until
from tests.patience import Stopwatch

STATE = "{}.safetensors"


def config(dataset: str = "fake", **settings: object) -> RunGroup:
    return alone(RunConfig(data=DataConfig(dataset=dataset), **settings))


def started(settings: Settings, engine: str = "tests.app.live._fake:engine") -> Iterator[Hub]:
    hub = Hub(settings, lambda folder: LocalWorker(folder, engine))
    hub.start()
    if engine != "tests.app.live._fake:broken_engine":
        until(lambda: hub.workers_ready == 1)
    yield hub
    hub.stop()
    assert not hub.folder.exists()
    assert not any(seat.link.alive() for seat in hub.crew.seats)


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    yield from started(Settings(heartbeat_s=600.0, silent_s=600.0, connect_s=600.0, max_sessions=11))


@pytest.fixture
def page(hub: Hub) -> Iterator[Page]:
    session = hub.open(config(steps=100_000))
    yield Page(hub, session)
    hub.close(session.id)


def spare_is_ready(hub: Hub) -> None:
    until(lambda: hub.crew.spare is not None and (hub.folder / mark_name(hub.crew.spare.process.pid)).exists())


def worker_pid(hub: Hub) -> int:
    return hub.crew.seats[0].link.process.pid


def test_a_page_gets_a_setup_and_then_frames_that_move(page):
    setup = page.wait("setup")
    assert (setup["n"], setup["K"], setup["d"], setup["theory"]) == (200, 4, 2, True)
    assert page.wait("frame")["run"] == setup["run"]
    page.wait("frame", lambda info: info["step"] > 50 and info["metrics"])
    assert page.seen[0][0] == "setup"
    assert [info["frame"] for info in page.of("frame")] == sorted({info["frame"] for info in page.of("frame")})


def test_ten_runs_all_go_on_and_none_is_starved(hub):
    pages = [Page(hub, hub.open(config(seed=i, steps=100_000))) for i in range(10)]
    for page in pages:
        page.say('{"type": "speed", "steps_per_second": 0}')
        page.wait("frame")
    begun = [(len(page.of("frame")), page.last["step"]) for page in pages]

    def gained() -> tuple[list[int], list[int]]:
        return ([len(page.of("frame")) - before for page, (before, _) in zip(pages, begun, strict=True)],
                [page.last["step"] - before for page, (_, before) in zip(pages, begun, strict=True)])

    until(lambda: min(gained()[0]) >= 10 and min(gained()[1]) >= 500)
    frames, steps = gained()
    for page in pages:
        hub.close(page.id)
    assert max(frames) < 5 * min(frames)
    assert max(steps) < 5 * min(steps)


def test_there_is_a_limit_and_it_is_said(hub):
    sessions = [hub.open(config()) for _ in range(11 - hub.health()["sessions"])]
    with pytest.raises(HubError, match="All 11 places of this server are taken"):
        hub.open(config())
    for session in sessions:
        hub.close(session.id)


def test_pause_stands_still_and_gamma_still_moves_the_predicted_points(page):
    page.wait("frame", lambda info: info["step"] > 5)
    count = page.pause()
    step, radius = page.last["step"], page.last["predicted_radius"]
    page.say('{"type": "gamma", "value": 50.0, "seq": 9}')
    moved = page.wait("frame", lambda info: info["gamma_seq"] == 9, since=count)
    assert moved["predicted_radius"] < radius / 2
    assert (moved["step"], moved["state"], moved["gamma_target"]) == (step, "paused", 50.0)
    page.settle()
    assert page.last["step"] == step


def test_step_takes_that_many_steps_and_pauses(page):
    count = page.pause()
    step = page.last["step"]
    page.say('{"type": "step", "count": 7}')
    page.wait("frame", lambda info: info["state"] == "paused" and info["step"] == step + 7, since=count)
    page.settle()
    assert page.last["step"] == step + 7


def test_replay_goes_to_that_very_step_from_before_it_and_from_after_it(page):
    begun = page.wait("frame", lambda info: info["step"] > 0)
    for target in (begun["step"] + 400, 3, 0):
        count = len(page.seen)
        page.say(f'{{"type": "replay", "step": {target}}}')
        page.wait("frame", lambda info, to=target: info["state"] == "paused" and info["step"] == to, since=count)
        page.settle()
        assert page.last["step"] == target


def test_a_finished_run_goes_on_by_play_and_by_hand_but_not_while_paused(hub):
    session = hub.open(config(steps=30))
    page = Page(hub, session)
    page.wait("frame", lambda info: info["state"] == "finished" and info["step"] == 30)
    page.say('{"type": "gamma", "value": 2.0}')
    page.wait("frame", lambda info: info["state"] == "finished" and info["step"] == 60)
    page.say('{"type": "pause"}')
    page.settle()
    page.say('{"type": "gamma", "value": 3.0}')
    page.settle()
    assert page.last["step"] == 60
    page.say('{"type": "play"}')
    page.wait("frame", lambda info: info["state"] == "finished" and info["step"] == 90)
    hub.close(session.id)


def test_reset_begins_a_new_run_at_step_0(page):
    page.wait("frame", lambda info: info["step"] > 20)
    first, count = page.of("setup")[0]["run"], len(page.seen)
    page.say('{"type": "reset"}')
    setup = page.wait("setup", since=count)
    assert setup["run"] > first
    assert setup["history"]["step"] == [0.0]
    page.wait("frame", lambda info: info["run"] == setup["run"] and info["step"] > 5)


def test_speed_is_kept_by_waiting(page):
    """A quarter second's worth may come at once (`StepBudget`); the rest takes its time, and more on a busy machine."""
    page.pause()
    step, watch = page.last["step"], Stopwatch()
    page.say('{"type": "speed", "steps_per_second": 50}')
    page.say('{"type": "play"}')
    page.wait("frame", lambda info: info["step"] >= step + 60)
    assert watch.seconds > 40 / 50


def test_a_view_is_answered_while_paused(page):
    count = page.pause()
    page.say('{"type": "view", "projection": "pca", "dims": 3, "large": [1]}')
    seen = page.wait("frame", since=count)
    assert (seen["projection"], seen["dims"], seen["large"]) == ("pca", 3, [1])


def test_pictures_are_sent_when_asked_for(hub, page):
    page.wait("setup")
    page.say('{"type": "thumbs"}')
    assert "not pictures" in page.wait("notice")["text"]
    session = hub.open(config("pictures"))
    other = Page(hub, session)
    assert other.wait("setup")["image"] == [4, 4, 1]
    other.say('{"type": "thumbs"}')
    other.wait("thumbs")
    hub.close(session.id)


def test_a_page_that_acknowledges_nothing_gets_two_frames_and_training_goes_on(hub):
    session = hub.open(config(steps=100_000))
    page = Page(hub, session, acks=False)
    until(lambda: len(page.of("frame")) >= 2)
    page.settle(1.0)
    assert len(page.of("frame")) == 2
    assert len(hub.crew.seats[0].bag) <= 5
    page.acknowledge()
    page.wait("frame", lambda info: info["step"] > 200)
    until(lambda: len(page.of("frame")) == 4)
    hub.close(session.id)


def test_data_that_cannot_be_had_leave_the_old_run_going(hub, page):
    run = page.wait("setup")["run"]
    hub.configure(page.id, config("broken"))
    notice = page.wait("notice", lambda info: info["level"] == "error")
    assert "put it there. The run before it goes on." in notice["text"]
    step = page.last["step"]
    page.wait("frame", lambda info: info["step"] > step + 20 and info["run"] == run)
    assert hub.config(page.id) == config(steps=100_000)
    hub.configure(page.id, config(model=ModelConfig(latent_dim=13)))
    page.wait("notice", lambda info: "out of memory" in info["text"])
    hub.configure(page.id, config(seed=5))
    page.wait("setup", lambda info: info["run"] > run)


def test_a_first_load_that_fails_is_told_to_a_page_that_comes_later(hub):
    session = hub.open(config("broken"))
    time.sleep(0.3)
    page = Page(hub, session)
    page.wait("notice", lambda info: info["state"] == "error")
    hub.configure(session.id, config())
    page.wait("frame")
    hub.close(session.id)


def test_loading_says_how_far_it_is_and_the_newest_choice_wins(hub, page):
    first = page.wait("setup")["run"]  # its setup may come once more
    count = len(page.seen)
    hub.configure(page.id, config("slow", seed=1))
    notice = page.wait("notice", lambda info: info["state"] == "loading", since=count)
    assert 0 <= notice["progress"] < 1
    hub.configure(page.id, config(seed=2, steps=77))
    page.wait("setup", lambda info: info["steps"] == 77, since=count)
    time.sleep(1.5)  # the slow one would be there by now
    assert len({info["run"] for kind, info in page.seen[count:] if kind == "setup"} - {first}) == 1


def test_a_refused_value_is_a_notice(page):
    page.wait("frame")
    page.say('{"type": "lr", "value": 5}')
    assert page.wait("notice")["text"] == "lr: expected at most 1"
    assert page.last["state"] == "running"


def test_a_fault_in_one_run_stays_there_and_reset_starts_it_again(hub, page):
    session = hub.open(config("faulty"))
    faulty = Page(hub, session)
    seen = faulty.wait("frame", lambda info: info["state"] == "diverged")
    assert seen["reason"] == "internal error: ZeroDivisionError: a fault"
    pid, step = worker_pid(hub), page.wait("frame")["step"]
    page.wait("frame", lambda info: info["step"] > step + 50)
    assert worker_pid(hub) == pid
    count = len(faulty.seen)
    faulty.say('{"type": "reset"}')
    assert faulty.wait("setup", since=count)["run"] == 2
    faulty.wait("frame", lambda info: info["run"] == 2 and info["state"] == "diverged", since=count)
    again = Page(hub, session)  # the page is loaded again
    assert again.wait("frame")["reason"] == seen["reason"]
    hub.close(session.id)


def saved_step(hub: Hub, session_id: str) -> int:
    """The step of the state that a run has saved; 0 where it has none."""
    saved = state_file.read(hub.folder / STATE.format(session_id))
    return json.loads(tensors.arrays(saved.trainer)["0"].tobytes())[0] if saved else 0


def stands_still(hub: Hub, session_id: str) -> int:
    """The step at which a run stands, once it does: a run that trains saves another every two seconds."""
    def still() -> bool:
        step = saved_step(hub, session_id)
        time.sleep(1.5 * SAVE_EVERY_S)
        return 0 < step == saved_step(hub, session_id)

    until(still)
    return saved_step(hub, session_id)


def test_a_page_that_has_gone_stops_training_at_once_and_ends_after_the_heartbeat(hub, monkeypatch):
    session = hub.open(config(steps=100_000))
    page = Page(hub, session)
    page.wait("frame", lambda info: info["step"] > 50)
    hub.disconnect(session.id, page)
    step = stands_still(hub, session.id)
    assert step >= page.last["step"]
    again = Page(hub, session)  # in time: the run goes on from where it stood
    assert again.wait("frame")["step"] >= step
    assert len(again.wait("setup")["history"]["step"]) > 1
    hub.disconnect(session.id, again)
    assert hub.alive(session.id)
    monkeypatch.setattr(hub, "settings", dataclasses.replace(hub.settings, heartbeat_s=0.5))
    until(lambda: not hub.alive(session.id))
    until(lambda: not (hub.folder / STATE.format(session.id)).exists())
    assert hub.connect(session.token, again) is None
    with pytest.raises(HubError, match="This run has ended"):
        hub.configure(session.id, config())


def test_a_page_whose_line_broke_has_longer_to_come_back_than_one_that_was_closed(hub, monkeypatch):
    asleep, closed = hub.open(config(steps=100_000)), hub.open(config(steps=100_000))
    for session in (asleep, closed):
        page = Page(hub, session)
        page.wait("frame")
        hub.disconnect(session.id, page, lost=session is asleep)
    monkeypatch.setattr(hub, "settings", dataclasses.replace(hub.settings, heartbeat_s=0.5, silent_s=3_000.0))
    until(lambda: not hub.alive(closed.id))
    assert hub.alive(asleep.id)
    assert Page(hub, asleep).wait("frame")["run"] == 1
    monkeypatch.setattr(hub, "settings", dataclasses.replace(hub.settings, heartbeat_s=0.5, silent_s=0.5))
    until(lambda: not hub.alive(asleep.id))


def test_a_silent_page_stands_still_until_it_speaks(hub, monkeypatch):
    session = hub.open(config(steps=100_000))
    page = Page(hub, session)
    page.wait("frame")
    page.acks = False
    monkeypatch.setattr(hub, "settings", dataclasses.replace(hub.settings, heartbeat_s=0.5))
    until(lambda: hub._sessions[session.id].held)
    step = stands_still(hub, session.id)
    monkeypatch.undo()
    count, page.acks = len(page.seen), True
    page.acknowledge()
    page.wait("frame", lambda info: info["step"] > step, since=count)
    hub.close(session.id)


def test_a_run_nobody_comes_for_and_one_whose_page_never_speaks_are_ended():
    for hub in started(Settings(spare=False, heartbeat_s=0.3, silent_s=0.6, connect_s=0.5)):
        alone, mute = hub.open(config()), hub.open(config())
        page = Page(hub, mute, acks=False)
        until(lambda hub=hub: hub.health()["sessions"] == 0)
        assert page.closed == 4408
        assert not hub.alive(alone.id)


def test_a_second_tab_takes_over(hub, page):
    page.wait("frame")
    second = Page(hub, hub._sessions[page.id])
    assert page.closed == 4409
    second.wait("setup")
    hub.disconnect(page.id, page)  # the old one's goodbye comes late
    step = second.wait("frame")["step"]
    second.wait("frame", lambda info: info["step"] > step + 20)


def test_only_the_token_opens_a_run(hub, page):
    for wrong in ("", "x", hub._sessions[page.id].token[:-1], page.id, "ü"):
        assert hub.connect(wrong, page) is None
    assert (os.stat(hub.folder).st_mode & 0o777) == 0o700


def test_a_killed_worker_is_replaced_and_its_runs_go_on(hub, page):
    spare_is_ready(hub)
    other = Page(hub, hub.open(config(seed=3, steps=100_000)))
    other.say('{"type": "pause"}')
    page.wait("frame")
    page.say('{"type": "gamma", "value": 4.0, "seq": 2}')
    page.wait("frame", lambda info: info["gamma_seq"] == 2)
    until(lambda: saved_step(hub, page.id))
    saved = saved_step(hub, page.id)
    before, count = page.last, len(page.seen)
    os.kill(worker_pid(hub), signal.SIGKILL)
    notice = page.wait("notice", lambda info: info["state"] == "restored", since=count)
    after = page.wait("frame", lambda info: info["run"] > before["run"], since=count)
    told = re.fullmatch(r"The training process stopped; went on from step ([\d,]+)\.", notice["text"])
    assert saved <= int(told[1].replace(",", "")) <= after["step"]
    assert other.wait("setup", lambda info: info["run"] > 1)
    assert other.wait("frame", lambda info: info["run"] > 1)["state"] == "paused"
    hub.close(other.id)


def test_a_run_that_ends_its_worker_again_and_again_is_stopped_and_the_others_go_on(hub, page, monkeypatch):
    monkeypatch.setattr(sessions, "CRASH_WINDOW_S", 1_000.0)  # three starts may last longer than a minute
    page.wait("frame", lambda info: info["step"] > 10)
    session = hub.open(config("deadly"))
    deadly = Page(hub, session)
    stopped = deadly.wait("notice", lambda info: info["state"] == "stopped")
    assert "3 times within a minute" in stopped["text"]
    count = len(page.seen)
    page.wait("frame", lambda info: info["state"] == "running", since=count)
    assert hub.alive(page.id)
    hub.configure(session.id, config())  # a way out
    deadly.wait("frame", lambda info: info["step"] > 30)
    hub.close(session.id)


def test_workers_that_never_start_are_given_up(monkeypatch):
    monkeypatch.setattr(sessions, "CRASH_WINDOW_S", 1_000.0)
    for hub in started(Settings(), "tests.app.live._fake:broken_engine"):
        page = Page(hub, hub.open(config()))
        page.wait("notice", lambda info: info["state"] == "stopped")
        with pytest.raises(HubError, match="No training process can be started"):
            hub.open(config())


def test_outside_the_server_there_is_no_hub():
    with pytest.raises(HubError, match="python -m app"):
        hubs.current()


def test_the_real_trainer_survives_a_kill():
    for hub in started(Settings(), "app.training.worker:torch_engine"):
        page = Page(hub, hub.open(alone(RunConfig())))
        spare_is_ready(hub)
        page.wait("frame", lambda info: info["step"] > 100)
        page.say('{"type": "gamma", "value": 0.5, "seq": 1}')
        count = page.pause(0.3)
        before = page.last
        os.kill(worker_pid(hub), signal.SIGKILL)
        notice = page.wait("notice", lambda info: info["state"] == "restored", since=count)
        assert notice["text"] == f"The training process stopped; went on from step {before['step']:,}."
        after = page.wait("frame", since=count)
        same = ("step", "gamma", "gamma_target", "gamma_mode", "norm_mean", "state", "gamma_seq")
        assert {name: after[name] for name in same} == pytest.approx({name: before[name] for name in same})
