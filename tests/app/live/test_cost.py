"""What a frame costs, as pacing counts it: a turn in which the machine was busy elsewhere does not count."""

from collections import deque

import pytest

from app.live.pacing import frame_interval, usual


def costing(*times):
    return usual(deque([0.0, *times], maxlen=5))


def test_it_is_what_frames_take_and_follows_them():
    assert costing() == 0.0
    assert costing(*[0.003] * 3) == 0.003
    assert costing(*[0.003] * 9, *[0.01] * 5) == 0.01
    assert costing(*[0.01] * 9, *[0.003] * 5) == 0.003


@pytest.mark.parametrize("before", range(8))
def test_one_that_met_a_busy_machine_holds_no_frame_back(before):
    times = [*[0.003] * before, 0.9, *[0.003] * 2]
    for end in range(1, len(times) + 1):
        assert frame_interval(15 * costing(*times[:end])) < 0.2
