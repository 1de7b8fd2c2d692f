"""Pacing, history, mailbag, orders, state files, outbox, data cache, settings: each alone."""

from __future__ import annotations

import asyncio
import errno
import io
import stat
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from app.live import messages, orders, wire
from app.live.outbox import Hangup, Outbox
from app.live.pacing import RateMeter, StepBudget, frame_interval, metrics_interval
from app.settings import Settings, SettingsError, from_env
from app.training import keeping, state_file
from app.training.history import History
from app.training.keeping import Keeper
from app.training.loading import DataCache
from app.training.run import Run
from lpc_core.config import DataConfig, RunConfig
from lpc_core.data import Dataset
from lpc_core.engine.lockstep import Lockstep
from lpc_core.run_group import alone
from tests.app.live._fake import FakeTrainer, load


def test_the_budget_gives_the_rate_and_no_burst():
    budget, steps, now = StepBudget(300.0, 0.0), 0, 0.0
    for _ in range(1000):
        now += 0.002
        taken = budget.allowance(now)
        budget.spend(taken)
        steps += taken
    assert steps == pytest.approx(600, abs=2)
    assert budget.allowance(now + 100) == 75  # a quarter of a second's worth
    slow = StepBudget(0.5, 0.0)
    slow.spend(slow.allowance(0.0))
    assert slow.allowance(1.0) == 0
    assert slow.wait(1.0) == pytest.approx(1.0)
    assert StepBudget(0.0, 0.0).allowance(0.0) > 10_000


@pytest.mark.parametrize(("rate", "wakes"), [(3_000.0, 60), (300.0, 60), (20.0, 20)])
def test_a_run_that_is_held_to_a_speed_keeps_it_and_is_woken_no_more_often_than_its_pictures_need(rate, wakes):
    budget, steps, now, turns = StepBudget(rate, 0.0), 0, 0.0, 0
    while now < 10:
        taken = budget.allowance(now)
        budget.spend(taken)
        steps += taken
        now += budget.wait(now) + 1e-9
        turns += 1
    assert steps == pytest.approx(10 * rate, rel=0.02)
    assert turns == pytest.approx(10 * wakes, rel=0.02)


def test_the_meter_follows_the_rate():
    meter = RateMeter(0.0)
    for i in range(1, 300):
        meter.add(5, i * 0.01)
    assert meter.rate == pytest.approx(500, rel=0.05)


@pytest.mark.parametrize(("cost", "interval"), [
    (0.0, 1 / 30), (0.01, 1 / 30), (0.035, 0.1), (0.1, 0.2), (0.14, 0.2), (0.28, 0.4)])
def test_frames_take_a_third_of_the_time_and_five_a_second_while_possible(cost, interval):
    assert frame_interval(cost) == pytest.approx(interval)


def test_metrics_are_measured_at_most_six_times_a_second():
    assert metrics_interval(0.001) == pytest.approx(1 / 6)
    assert metrics_interval(0.15) == pytest.approx(1.0)
    assert metrics_interval(10) == 2.0


def test_history_stays_short_keeps_first_and_last_and_has_equal_columns():
    history = History(max_rows=100)
    for step in range(5_000):
        history.add({"step": step, "ce": 1.0} | ({"late": 2.0} if step > 4_000 else {}))
        history.add({"step": step, "ce": 3.0})  # the same step again replaces the row
    columns = history.columns
    assert {len(column) for column in columns.values()} == {len(history)}
    assert 50 <= len(history) <= 100
    assert columns["step"][-1] == 4_999
    assert columns["step"][0] < 200
    assert set(columns["ce"]) == {3.0}
    names, table = history.table()
    again = History.from_table(names, table)
    np.testing.assert_equal(again.columns, columns)


def test_a_mailbag_keeps_one_item_a_key_in_order_of_the_last_put():
    bag = wire.Mailbag(orders.merge)
    for count in (1, 2):
        order = orders.Say("a", messages.Step(type="step", count=count))
        bag.put(orders.key(order), order)
    for i in range(1000):
        order = orders.Say("a", messages.Ack(type="ack", frame=i))
        bag.put(orders.key(order), order)
    assert len(bag) == 2
    step, ack = bag.take()
    assert step.message.count == 3
    assert ack.message.frame == 999
    assert bag.take(0.01) == []
    threading.Timer(0.05, bag.close).start()
    assert bag.take(None) == []
    assert bag.closed


def test_play_pause_and_step_replace_one_another_but_not_those_of_others():
    said = [orders.Say(who, m) for who in "ab" for m in (messages.Play(type="play"), messages.Pause(type="pause"))]
    assert len({orders.key(order) for order in said}) == 2


def test_messages_survive_the_wire_and_its_end_is_noticed():
    stream = io.BytesIO()
    wire.send(stream, orders.Open("a", alone(RunConfig()), 1))
    stream.seek(0)
    assert wire.receive(stream) == orders.Open("a", alone(RunConfig()), 1)
    with pytest.raises(EOFError):
        wire.receive(stream)


def test_a_state_file_comes_back_and_only_the_owner_can_read_it(tmp_path):
    history = History()
    history.add({"step": 1, "ce": 0.5})
    config = alone(RunConfig(seed=4))
    path = tmp_path / "a.safetensors"
    info = {"playing": False, "gamma_seq": 3, "speed": 30.0, "ticket": 1,
            "view": messages.View(type="view").model_dump_json()}
    state_file.write(path, state_file.Saved(config, b"state", (history,), info))
    saved = state_file.read(path)
    assert saved is not None
    assert (saved.config, saved.trainer, saved.info) == (config, b"state", info)
    assert saved.histories[0].columns == history.columns
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(path.read_bytes()[:50])
    assert state_file.read(path) is None
    Keeper(path, None).remove()
    assert state_file.read(path) is None


def test_an_outbox_holds_one_of_each_and_sends_them_in_order():
    async def fill() -> None:
        outbox = Outbox(asyncio.get_running_loop())
        for i in range(100):
            outbox.put("frame", b"%d" % i)
            outbox.put("notice-info", b"n")
        assert sum(map(len, outbox._slots.values())) == 3
        outbox.put("setup", b"s")  # the waiting frame is of the run before
        outbox.put("frame", b"f")
        assert await outbox.take() == [b"n", b"s", b"f"]
        outbox.put("notice-info", b"downloading")
        outbox.put("notice-error", b"no connection")
        outbox.put("notice-info", b"downloading more")
        outbox.put("notice-error", b"checksum")
        outbox.close(4409, "other tab")
        outbox.put("notice-error", b"too late")
        assert await outbox.take() == [b"downloading more", b"checksum"]  # the last word is what the page shows
        with pytest.raises(Hangup) as hangup:
            await outbox.take()
        assert hangup.value.code == 4409

    asyncio.run(fill())


def _dataset(floats: int) -> Dataset:
    x, y = np.zeros((floats, 1), np.float32), np.zeros(1, np.int64)
    return Dataset("x", x, y, x[:0], y[:0], ("a", "b"))


def test_equal_data_are_loaded_once_even_when_asked_for_at_once():
    loads: list[int] = []

    def load(config, seed, progress):
        loads.append(seed)
        time.sleep(0.05)
        return _dataset(10)

    cache = DataCache(load, max_sets=2)
    threads = [threading.Thread(target=cache.get, args=(DataConfig(), 1, print)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [1]
    for seed in (2, 3, 1):
        cache.get(DataConfig(), seed, print)
    assert loads == [1, 2, 3, 1]  # the oldest had to go
    cache.get(DataConfig(augment="flip-crop"), 1, print)  # the same samples
    assert loads == [1, 2, 3, 1]


def test_the_cache_is_bounded_in_bytes_and_a_failure_is_not_kept():
    calls = []

    def load(config, seed, progress):
        calls.append(seed)
        if seed == 9:
            raise ValueError("no")
        return _dataset(1000)

    cache = DataCache(load, max_sets=10, max_bytes=9_000)
    for seed in (1, 2, 3, 2, 3, 1):
        cache.get(DataConfig(), seed, print)
    assert calls == [1, 2, 3, 1]
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            cache.get(DataConfig(), 9, print)
    assert calls[-2:] == [9, 9]
    assert not cache._loading  # nor is anything else of it: a server may see very many


def test_settings_come_from_the_environment():
    given = from_env({"LPC_WORKERS": "2", "LPC_ALLOWED_ORIGINS": "https://a.org/, http://b:80", "LPC_DEVICE": "",
                      "LPC_ALLOW_MISSING_ORIGIN": "yes", "LPC_HEARTBEAT_S": "3.5", "OTHER": "x"})
    origins = ("https://a.org", "http://b:80")
    assert given == Settings(workers=2, allowed_origins=origins, allow_missing_origin=True, heartbeat_s=3.5)


@pytest.mark.parametrize(("name", "text", "told"), [
    ("LPC_WORKERS", "two", "LPC_WORKERS: expected a whole number, got 'two'"),
    ("LPC_WORKERS", "0", "LPC_WORKERS: expected a number from 1 to 64, got 0"),
    ("LPC_HEARTBEAT_S", "nan", "LPC_HEARTBEAT_S: expected a number from 0.2 to 86400"),
    ("LPC_ALLOWED_ORIGINS", "example.org", "LPC_ALLOWED_ORIGINS: expected origins like https://lab.example.org"),
    ("LPC_ALLOW_MISSING_ORIGIN", "maybe", "expected yes or no"),
])
def test_bad_settings_say_what_is_expected(name, text, told):
    with pytest.raises(SettingsError, match=told):
        from_env({name: text})


@pytest.mark.parametrize("halt", [lambda step: messages.Pause(type="pause"),
                                  lambda step: messages.Replay(type="replay", step=step)], ids=["pause", "replay"])
def test_a_pause_right_after_saving_is_saved_too(tmp_path, halt):
    def make(group, data):
        return Lockstep(group, lambda config: FakeTrainer(config, "cpu", data))

    run = Run("a", lambda report: None, make, tmp_path / "a")
    run.start(alone(RunConfig()), load(DataConfig(), 0, None), 1)
    run.come()
    run.train(1.0)
    run.save()  # of a run that plays; no step follows
    run.hear(halt(run.trainer.step))
    assert run.keeper.wait(0.0) <= 0  # due at once
    run.save()
    assert state_file.read(tmp_path / "a").info["playing"] is False


def test_a_disk_that_stays_full_for_days_is_tried_once_a_minute(tmp_path, monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keeping, "time", SimpleNamespace(perf_counter=lambda: 100.0))
    keeper = Keeper(tmp_path / "a", lambda *_, **__: None)
    keeper.failures = 5_000
    keeper.save(full)
    assert keeper.wait(100.0) == keeping.SAVE_AGAIN_S


def test_a_run_that_cannot_be_looked_at_leaves_the_one_before_as_it_was(tmp_path, monkeypatch):
    """The first look is the largest piece of work of a run, and the one that memory may not suffice for."""
    def make(group, data):
        return Lockstep(group, lambda config: FakeTrainer(config, "cpu", data))

    data, said = load(DataConfig(), 0, None), []
    run = Run("a", said.append, make, tmp_path / "a")
    run.start(alone(RunConfig()), data, 1)
    run.come()
    run.save()
    before, count = run.trainer, len(said)

    def snapshot(trainer, metrics=True):
        raise MemoryError

    monkeypatch.setattr(FakeTrainer, "snapshot", snapshot)
    with pytest.raises(MemoryError):
        run.start(alone(RunConfig(seed=3)), data, 2)
    assert (run.trainer, run.ticket, run.run, len(said)) == (before, 1, 1, count)
    assert state_file.read(tmp_path / "a").config == alone(RunConfig())
