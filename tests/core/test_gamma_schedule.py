"""γ schedules for loops of one's own: the trainer's numbers, torch's habits, and the paper's staircase by epochs."""

import json
import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import lpc_core
from lpc_core.config import ConfigError, ScheduleConfig
from lpc_core.schedules import GammaDriver, gamma_at, paper_gamma

SHAPES = ["two-regime", "exponential", "linear", "cosine", "constant"]
RAMP = {"start": 1e-4, "end": 1e4, "steps": 50, "switch": 10.0}


@pytest.mark.parametrize("kind", SHAPES)
def test_every_training_step_has_the_trainers_gamma(kind):
    driver = GammaDriver.start(ScheduleConfig(kind, 1e-4, 10.0, 1e4, 50))
    target = SimpleNamespace(gamma=None)
    schedule = lpc_core.GammaSchedule(target, kind, **RAMP)
    used = []
    for _ in range(60):
        used.append(target.gamma)
        assert schedule.get_last_gamma() == target.gamma
        schedule.step()
    assert used == [driver.advance() for _ in range(60)]


def test_it_drives_a_penalty_and_a_function():
    model = nn.Sequential(nn.Linear(3, 2))
    penalty = lpc_core.LatentPenalty(model, "0", gamma=7.0)
    schedule = lpc_core.GammaSchedule(penalty, "linear", start=0.0, end=10.0, steps=10)
    assert penalty.gamma == 0.0  # from the start on, as torch's schedulers do
    for _ in range(3):
        schedule.step()
    assert penalty.gamma == pytest.approx(3.0)
    model(torch.ones(1, 3))
    assert penalty().item() == pytest.approx(3.0 * float(penalty.latents.square().sum()))
    seen = []
    lpc_core.GammaSchedule(seen.append, "constant", start=1.0, end=2.0, steps=1).step()
    assert seen == [2.0, 2.0]


def test_a_state_goes_through_json_and_goes_on_exactly():
    first, second = SimpleNamespace(gamma=None), SimpleNamespace(gamma=None)
    one = lpc_core.GammaSchedule(first, "two-regime", **RAMP)
    for _ in range(17):
        one.step()
    other = lpc_core.GammaSchedule(second, start=1.0, end=2.0, steps=3)
    other.load_state_dict(json.loads(json.dumps(one.state_dict())))
    assert second.gamma == first.gamma == other.get_last_gamma()
    one.step()
    other.step()
    assert second.gamma == first.gamma


@pytest.mark.parametrize(("changes", "message"), [
    ({"kind": "stepwise"}, "kind: expected one of two-regime, exponential, linear, cosine, constant, got 'stepwise'"),
    ({"start": 0.0}, "start: expected a number above 0 for the exponential schedule, got 0.0"),
    ({"end": math.nan}, "end: expected a number from 0 to 1e\\+08, got nan"),
    ({"end": -1.0}, "end: expected a number from 0 to 1e\\+08, got -1.0"),
    ({"steps": 0}, "steps: expected a whole number from 1 to 10000000, got 0"),
    ({"switch": "1"}, "switch: expected a number from 0"),
    ({"target": 3}, "target: expected an object with a gamma, such as a LatentPenalty, or a function of γ, got 3"),
])
def test_what_is_no_schedule_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        lpc_core.GammaSchedule(**{"target": SimpleNamespace(gamma=0.0), **RAMP, **changes})


@pytest.mark.parametrize(("changes", "message"), [
    ({"step": -1}, "step: expected a whole number of at least 0, got -1"),
    ({"step": True}, "step: expected a whole number of at least 0, got True"),
    ({"kind": "?"}, "kind: expected one of"),
    ({"more": 1}, r"state: expected the state of a GammaSchedule \(end, kind, start, step, steps, switch\)"),
])
def test_a_bad_state_is_refused_and_changes_nothing(changes, message):
    target = SimpleNamespace(gamma=None)
    schedule = lpc_core.GammaSchedule(target, **RAMP)
    before = schedule.state_dict()
    with pytest.raises(ConfigError, match=message):
        schedule.load_state_dict({**before, "step": 4, **changes})
    assert schedule.state_dict() == before
    assert target.gamma == pytest.approx(1e-4)


def test_the_papers_schedule_doubles_every_five_epochs_and_then_slows_down():
    gammas = [paper_gamma(epoch) for epoch in range(400)]
    assert gammas[:5] == [1e-4] * 5
    assert gammas[5] == 2e-4
    assert [gammas[5 * k] for k in range(24)] == [1e-4 * 2**k for k in range(24)]
    assert gammas[130] / gammas[125] == pytest.approx(1.25)
    assert next(epoch for epoch, gamma in enumerate(gammas) if gamma == 1e6) == 275
    assert set(gammas[275:]) == {1e6}
    assert paper_gamma(10**6) == 1e6
    # a period that passes the switch ends on the curve of the lab's two-regime ramp
    periods = math.log2(1e7) + math.log(1e3, 1.25)
    ramp = ScheduleConfig("two-regime", 1e-4, 1e3, 1e6, 1_000_000)
    assert gammas[120] == pytest.approx(gamma_at(ramp, 24 / periods * 1_000_000), rel=1e-9)


def test_the_papers_schedule_counts_batches_as_parts_of_epochs():
    target = SimpleNamespace(gamma=None)
    schedule = lpc_core.PaperGammaSchedule(target, steps_per_epoch=3)
    used = []
    for _ in range(90):
        used.append(target.gamma)
        schedule.step()
    assert used == [paper_gamma(step // 3) for step in range(90)]
    other = lpc_core.PaperGammaSchedule(SimpleNamespace(gamma=None))
    other.load_state_dict(schedule.state_dict())
    assert other.get_last_gamma() == paper_gamma(30)


@pytest.mark.parametrize(("changes", "message"), [
    ({"steps_per_epoch": 0}, "steps_per_epoch: expected a whole number of at least 1, got 0"),
    ({"period": 2.5}, "period: expected a whole number of at least 1, got 2.5"),
    ({"start": 1e3, "end": 1.0}, "end: expected a number of at least start, 1000, got 1.0"),
    ({"start": 0.0}, "start: expected a number above 0"),
])
def test_a_bad_paper_schedule_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        lpc_core.PaperGammaSchedule(SimpleNamespace(gamma=0.0), **changes)
