"""γ and learning-rate schedules against closed forms."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpc_core.config import ConfigError, OptimConfig, ScheduleConfig
from lpc_core.schedules import HAND_DECADES_PER_STEP, GammaDriver, gamma_at, lr_at, step_of

SHAPES = ["two-regime", "exponential", "linear", "cosine", "constant"]


@pytest.mark.parametrize("shape", SHAPES)
def test_ends_where_it_says_and_stays_there(shape):
    config = ScheduleConfig(gamma_schedule=shape, gamma_start=1e-3, gamma_end=1e4, ramp_steps=100)
    assert gamma_at(config, 0) == pytest.approx(1e4 if shape == "constant" else 1e-3)
    assert gamma_at(config, 100) == pytest.approx(1e4)
    assert gamma_at(config, 10_000) == pytest.approx(1e4)


def test_exponential_doubles_per_epoch_as_in_the_paper():
    config = ScheduleConfig(gamma_start=1e-4, gamma_end=1e-4 * 2**10, ramp_steps=10)
    assert [gamma_at(config, k) for k in range(11)] == pytest.approx([1e-4 * 2**k for k in range(11)])


def test_two_regimes_grow_by_2_and_then_by_1_25_per_period():
    """The paper's v5 schedule: one period is five epochs; here one period is made one step."""
    fast, slow = math.log(1e3 / 1e-4, 2), math.log(1e6 / 1e3, 1.25)
    periods = 100_000
    config = ScheduleConfig("two-regime", 1e-4, 1e3, 1e6, periods)
    per_period = periods / (fast + slow)
    early = gamma_at(config, 6 * per_period) / gamma_at(config, 5 * per_period)
    late = gamma_at(config, 40 * per_period) / gamma_at(config, 39 * per_period)
    assert early == pytest.approx(2.0)
    assert late == pytest.approx(1.25)
    assert gamma_at(config, fast * per_period) == pytest.approx(1e3)


def test_two_regimes_with_the_switch_outside_the_ramp():
    config = ScheduleConfig("two-regime", 1e-4, 1e3, 1e2, 100)
    assert gamma_at(config, 50) == pytest.approx(1e-1)


@given(st.sampled_from(SHAPES[:-1]), st.floats(0.0, 1.0))
def test_step_of_inverts_the_schedule(shape, share):
    config = ScheduleConfig(gamma_schedule=shape, gamma_start=1e-2, gamma_switch=1.0, gamma_end=1e3, ramp_steps=1_000)
    gamma = gamma_at(config, share * 1_000)
    assert gamma_at(config, step_of(config, gamma)) == pytest.approx(gamma, rel=1e-6)


def test_a_late_cosine_is_constant_for_a_fifth():
    late = OptimConfig(lr_schedule="late-cosine", lr_end=0.1)
    assert [lr_at(late, 2.0, step, 100) for step in (0, 20, 60, 100)] == pytest.approx([2.0, 2.0, 1.1, 0.2])


def test_cosine_learning_rate_falls_to_its_share_and_constant_does_not():
    cosine = OptimConfig(lr_schedule="cosine", lr_end=0.1)
    assert [lr_at(cosine, 2.0, step, 100) for step in (0, 50, 100, 200)] == pytest.approx([2.0, 1.1, 0.2, 0.2])
    assert lr_at(OptimConfig(lr_schedule="constant"), 2.0, 70, 100) == 2.0


def test_the_driver_follows_the_schedule_exactly():
    config = ScheduleConfig(gamma_schedule="linear", gamma_start=0.0, gamma_end=1e6, ramp_steps=10)
    driver = GammaDriver.start(config)
    assert [driver.advance() for _ in range(12)] == [gamma_at(config, k) for k in range(12)]


def test_a_hand_glides_to_its_value_and_the_schedule_goes_on_from_there():
    config = ScheduleConfig(gamma_start=1e-4, gamma_end=1e2, ramp_steps=6_000)
    driver = GammaDriver.start(config)
    driver.hold(1.0)
    path = [driver.value] + [driver.advance() for _ in range(450)]
    jumps = [abs(math.log10(b / a)) for a, b in pairwise(path)]
    assert max(jumps) <= HAND_DECADES_PER_STEP + 1e-12
    assert path[-1] == 1.0
    driver.release()
    after = [driver.advance() for _ in range(6_000)]
    assert after[0] == pytest.approx(1.0, rel=0.01)
    assert after[1_000] == pytest.approx(10.0, rel=0.02)  # the ramp's own pace: a decade per 1,000 steps
    assert after[-1] == pytest.approx(1e2)


def test_a_hand_reaches_zero_and_comes_back():
    driver = GammaDriver.start(ScheduleConfig(gamma_start=1e-4))
    driver.hold(0.0)
    assert [driver.advance() for _ in range(250)][-1] == 0.0
    driver.hold(1e6)
    assert [driver.advance() for _ in range(1_250)][-1] == 1e6


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf, "1"])
def test_a_hand_is_refused_what_is_no_gamma(bad):
    with pytest.raises(ConfigError, match="gamma: expected a finite number of at least 0"):
        GammaDriver.start(ScheduleConfig()).hold(bad)
