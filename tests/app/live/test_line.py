"""The line before a full server: first come, first served; who stops asking loses their place."""

import pytest

from app.live.line import STALE_S, Line


def test_who_came_first_is_served_first():
    line = Line()
    for ticket in "abc":
        line.wait(ticket, 0.0)
    assert [line.ahead(ticket, 1.0) for ticket in ("a", "b", "c", "new", "")] == [0, 1, 2, 3, 3]
    line.leave("a")
    line.leave("never there")
    assert [line.ahead(ticket, 1.0) for ticket in "bc"] == [0, 1]


def test_asking_again_keeps_the_place_and_silence_loses_it():
    line = Line()
    line.wait("a", 0.0)
    line.wait("b", 0.0)
    line.wait("b", STALE_S)
    assert line.ahead("b", STALE_S + 1) == 0
    assert line.ahead("a", STALE_S + 1) == 1


@pytest.mark.parametrize("ticket", [""])
def test_who_has_no_ticket_does_not_wait(ticket):
    line = Line()
    line.wait(ticket, 0.0)
    assert line.ahead("new", 0.0) == 0
