"""States of runs at rest that somebody edited, or a disk damaged: taken for none or refused in words, never a crash."""

import json
import math

import numpy as np
import pytest
import safetensors.numpy

from app.live import frames, messages, orders, wire
from app.training import state_file
from app.training.history import MAX_ROWS, History
from app.training.worker import Engine, Worker
from lpc_core.config import unflatten
from lpc_core.data import load
from lpc_core.engine.lockstep import Lockstep
from lpc_core.engine.trainer import Trainer
from lpc_core.run_group import alone, compare
from tests.patience import PATIENCE_S, looks

BASE = unflatten({"dataset": "moons", "classes": 2, "samples": 40, "test_samples": 20, "steps": 20, "ramp_steps": 10,
                  "batch_size": 16, "hidden": (4,), "dim": 2})
SMALL = alone(BASE)
BOTH = compare(BASE, [{}, {"lr": 0.1}], ["a", "b"])
WRONG = [None, -1, -(10**400), 10**400, 1.5, math.nan, math.inf, "x", "", "inf", [], [1], {}, {"a": 1}, True, [[[]]]]
FIELDS = ("playing", "gamma_seq", "ticket", "speed", "columns", "view")
FITS = {"playing": True, "speed": 1.5}  # of those


def trainer_of(config):
    made = Lockstep(config, lambda run: Trainer(run, "cpu"))
    made.advance(7)
    return made


@pytest.fixture(scope="module", params=["run", "comparison"])
def at_rest(request, tmp_path_factory):
    """A run at rest: its configuration, its file's arrays and its facts."""
    config = SMALL if request.param == "run" else BOTH
    history = History()
    history.add({"step": 7, "gamma": 0.1, "loss": math.nan})
    histories = (history,) * (2 if config is BOTH else 1)
    info = {"playing": False, "gamma_seq": 3, "speed": 30.0, "ticket": 1,
            "view": messages.View(type="view").model_dump_json()}
    path = tmp_path_factory.mktemp("rest") / "a.safetensors"
    state_file.write(path, state_file.Saved(config, trainer_of(config).state_bytes(), histories, info))
    raw = path.read_bytes()
    facts = json.loads(json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]["info"])
    return config, safetensors.numpy.load(raw), facts


def packed(arrays, info):
    text = info if isinstance(info, str) else json.dumps(info)
    return safetensors.numpy.save({name: np.ascontiguousarray(value) for name, value in arrays.items()}, {"info": text})


def unusable(arrays, info):
    """Files that are not gone on with, as (what was done, bytes)."""
    whole = packed(arrays, info)
    yield "nothing", b""
    yield "cut short", whole[:-1]
    yield "more behind", whole + b"x"
    yield "no info", safetensors.numpy.save(arrays)
    for text in ("", "{", "[1]", "null", "NaN", "[" * 100_000, '{"playing": NaN}'):
        yield f"info {text[:9]}", packed(arrays, text)
    for name in info:
        yield f"without {name}", packed(arrays, {key: value for key, value in info.items() if key != name})
    yield "more", packed(arrays, info | {"more": 1})
    for name in FIELDS:
        for wrong in WRONG:
            if wrong not in (FITS.get(name), info[name]) or wrong is None:
                yield f"{name} = {str(wrong)[:9]}", packed(arrays, info | {name: wrong})
    for name, most in (("gamma_seq", 2**53), ("ticket", 2**53), ("speed", 1e6)):
        yield f"{name} too large", packed(arrays, info | {name: most * 2})
    for view in ({"projection": "x"}, {"nodes": []}, {"nodes": [512]}, {"nodes": [0.5]}, {"dims": 4}, {"more": 1},
                 {"type": "ack", "frame": 1}, {"nodes": "01"}, {"large": [1] * 9}):
        yield f"view {view}", packed(arrays, info | {"view": json.dumps({"type": "view"} | view)})
    yield "view as an object", packed(arrays, info | {"view": json.loads(info["view"])})
    yield from unusable_arrays(arrays, info)


def unusable_arrays(arrays, info):
    for name, value in arrays.items():
        yield f"without {name}", packed({key: kept for key, kept in arrays.items() if key != name}, info)
        yield f"renamed {name}", packed({f"{key}x" if key == name else key: kept for key, kept in arrays.items()}, info)
        for edited in (np.nan_to_num(value).astype(kind) for kind in (np.float32, bool, np.int64)):
            yield f"{name} {edited.dtype}", packed(arrays | {name: edited}, info)
    table = arrays["history0"]
    for edited in (table[None], table[0], table[:0], table[:, :0], np.vstack([table, table]), np.zeros(()),
                   np.zeros((len(table), MAX_ROWS + 1))):
        yield f"history {edited.shape}", packed(arrays | {"history0": edited}, info)
    yield "more arrays", packed(arrays | {"history9": table}, info)
    names = info["columns"][0]
    others = [f"{name}x" for name in names]
    for columns in (names[1:], [*names, "x"], [names[0], *names[:-1]], [1, *names[1:]], "abc", {}, others):
        yield f"columns {columns}", packed(arrays, info | {"columns": [columns, *info["columns"][1:]]})


def doubtful(arrays, info):
    """Files whose run may not be what was saved: other settings, and a trainer's bytes that are none."""
    for wrong in WRONG:
        yield f"config = {str(wrong)[:9]}", packed(arrays, info | {"config": wrong})
    state = arrays["trainer"]
    for edited in (state[:0], state[:-1], state[:40], np.zeros(40, np.uint8), state[::-1], np.append(state, state)):
        yield f"trainer of {len(edited)} bytes", packed(arrays | {"trainer": edited}, info)
    config = info["config"]["runs"][0]

    def with_config(changed):
        return packed(arrays, info | {"config": info["config"] | {"runs": [changed, *info["config"]["runs"][1:]]}})

    for name in config:
        for wrong in (-1, "x", {}):  # others in the tests of the engine's own states
            yield f"config {name} = {str(wrong)[:9]}", with_config(config | {name: wrong})
    for name, other in (("latent_dim", 3), ("hidden", [5]), ("classes", 3), ("optimizer", "sgd"), ("batch_size", 7)):
        yield f"another {name}", with_config(config | {name: other})
    for name in ("runs", "titles", "follows"):
        for wrong in (*WRONG, [1, 2], ["a"], [None, None]):
            yield f"{name} = {str(wrong)[:9]}", packed(arrays, info | {"config": info["config"] | {name: wrong}})


def gone_on(folder, raw, config):
    """The run that a new worker makes of ``raw``, and what was told meanwhile; whatever it raises is raised here."""
    (folder / "a.safetensors").write_bytes(raw)
    inbox, told = wire.Mailbag(orders.merge), []
    worker = Worker(inbox, told.append, Engine(Trainer, load), device="cpu", folder=folder, pulse=orders.Beat())
    worker._obey(orders.Open("a", config, 1, restore=True, run=1))
    for _ in looks(pause=lambda _: None):
        for order in inbox.take(PATIENCE_S):
            worker._obey(order)
        if not worker._wanted:
            break
    run = worker._runs["a"]
    for order in (orders.Presence("a", True), orders.Say("a", messages.Step(type="step"))):
        worker._obey(order)
    worker._round()
    run.save()
    return run, [frames.decode(report.raw)[1] for report in told if isinstance(report, orders.Notice)]


def test_the_state_that_nobody_edited_is_gone_on_with(at_rest, tmp_path):
    config, arrays, info = at_rest
    run, told = gone_on(tmp_path, packed(arrays, info), config)
    assert run.trainer.step == 8
    assert [notice["text"] for notice in told] == ["The training process stopped; went on from step 7."]


def test_a_worker_that_is_told_to_stop_saves_its_runs_first(tmp_path):
    inbox = wire.Mailbag(orders.merge)
    worker = Worker(inbox, lambda _: None, Engine(Trainer, load), device="cpu", folder=tmp_path, pulse=orders.Beat())
    worker._obey(orders.Open("a", SMALL, 1))
    for _ in looks(pause=lambda _: None):
        for order in inbox.take(PATIENCE_S):
            worker._obey(order)
        if not worker._wanted:
            break
    for order in (orders.Presence("a", True), orders.Say("a", messages.Step(type="step", count=3))):
        worker._obey(order)
    worker._round()
    inbox.put("stop", orders.Stop())
    worker.serve()
    state, steps = trainer_of(SMALL), worker._runs["a"].trainer.step
    state.load_state_bytes(state_file.read(tmp_path / "a.safetensors").trainer)
    assert state.step == steps > 0


def test_a_state_that_cannot_be_gone_on_with_is_as_none(at_rest, tmp_path, caplog):
    _, arrays, info = at_rest
    path, odd = tmp_path / "a.safetensors", []
    for what, raw in unusable(arrays, info):
        path.write_bytes(raw)
        caplog.clear()
        try:
            if state_file.read(path) is not None:
                odd.append(f"{what}: taken up")
            [line] = [record.getMessage() for record in caplog.records]
            if not line.isprintable() or len(line) > 500:
                odd.append(f"{what}: {line}")
        except Exception as error:  # which is what is looked for
            odd.append(f"{what}: {type(error).__name__} {error}")
    assert not odd, "\n".join(odd)


def test_no_edited_state_takes_a_worker_down(at_rest, tmp_path):
    config, arrays, info = at_rest
    odd = []
    for number, (what, raw) in enumerate(doubtful(arrays, info)):
        (tmp_path / str(number)).mkdir()
        try:
            run, told = gone_on(tmp_path / str(number), raw, config)
            refused = [notice["text"] for notice in told if notice["level"] == "error"]
            if run.broken or "internal error" in " ".join(refused) or not (run.trainer or refused):
                odd.append(f"{what}: {run.broken or told}")
        except Exception as error:  # which is what is looked for
            odd.append(f"{what}: {type(error).__name__} {error}")
    assert not odd, "\n".join(odd)
