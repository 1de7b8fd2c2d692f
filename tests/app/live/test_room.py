"""A room without sockets or clocks: codes, names, who leads, who follows, what is predicted, and when it is over."""

import pytest

from app.live.frames import decode
from app.room import codes, register
from app.room.classroom import AWAY_S, SILENT_S, Classroom, RoomError, question
from app.room.messages import Where
from app.room.names import LONGEST, plain_name
from app.room.register import Register
from app.settings import Settings

LESSON = Where(page="learn", lesson="forces", index=1)


class Line:
    """A page's end of a line, as a room knows it."""

    def __init__(self):
        self.said, self.closed = [], None

    def put(self, slot, raw):
        assert slot == "room"
        self.said.append(decode(raw)[1])

    def close(self, code, reason):
        self.closed = code

    @property
    def last(self):
        return self.said[-1]


class StillHub:
    """Knows runs by their tokens and remembers what was said to them."""

    def __init__(self, **settings):
        self.age, self.settings, self.said, self.watched = 0.0, Settings(**settings), [], {}
        self.runs = {"token-1": "run-1", "token-2": "run-2", "token-own": "own"}

    def find(self, token):
        return self.runs.get(token)

    def say(self, run, message):
        self.said.append((run, message.type))

    def watch(self, run, page):
        self.watched[page] = run

    def unwatch(self, run, page):
        self.watched.pop(page, None)


@pytest.fixture
def led():
    """A register, a room in it, and its leader's line."""
    rooms, leader = Register(StillHub(room_members=3, max_rooms=2, room_idle_s=300.0)), Line()
    return rooms, rooms.open("token-1", "tab", LESSON, leader), leader


@pytest.mark.parametrize(("typed", "code"), [
    ("bcdf", "BCDF"), (" b c-d f ", "BCDF"), ("BCD", ""), ("BCDFG", ""), ("ABCD", ""), ("B<D>", ""), ("", ""),
    ("\uff22\uff23\uff24\uff26", ""), ("B" * 10_000, "")])
def test_a_code_is_read_however_it_was_typed(typed, code):
    assert codes.read(typed) == code


def test_codes_are_read_back_and_none_is_given_twice(monkeypatch):
    letters = iter("BCDFBCDFGHJK")
    monkeypatch.setattr(codes.secrets, "choice", lambda _: next(letters))
    assert codes.new(set()) == "BCDF"
    assert codes.new({"BCDF"}) == "GHJK"


@pytest.mark.parametrize(("given", "name"), [
    ("  Ada \n Lovelace ", "Ada Lovelace"), ("<b>x</b>", "<b>x</b>"), ("a\u202eb\u0000c\u200bd", "a b c d"),
    ("x" * 500, "x" * LONGEST), ("e\u0301" + "\u0301" * 100, "é\u0301"), ("\u200f\u2066", ""), ("", "")])
def test_a_name_is_one_short_line_of_what_can_be_seen(given, name):
    assert plain_name(given) == name


def test_who_joins_is_told_what_is_shown_and_the_leader_who_came(led):
    rooms, room, leader = led
    page = Line()
    _, member = rooms.join(room.code.lower(), "", "a", page)
    told = page.last
    assert (told["number"], told["member"], told["led"], told["own"]) == (1, member.token, True, False)
    assert told["where"] == {"page": "learn", "lesson": "forces", "index": 1}
    assert "secret" not in told
    assert leader.last["members"] == [
        {"number": 1, "name": "", "here": True, "own": False, "page": "learn", "lesson": "forces", "index": 1}]


def test_followers_go_along_and_own_hands_stay_where_they_are(led):
    rooms, room, leader = led
    pages = [Line(), Line()]
    _, (_, second) = [rooms.join(room.code, "", str(i), page) for i, page in enumerate(pages)]
    rooms.take_hands(room, second, "token-own", LESSON)
    rooms.show(room, "token-2", Where(page="play"))
    assert [page.last["where"]["page"] for page in pages] == ["play", "play"]
    assert [(seen["own"], seen["page"]) for seen in leader.last["members"]] == [(False, "play"), (True, "learn")]
    rooms.take_hands(room, second, "", Where())
    assert [(seen["own"], seen["page"]) for seen in leader.last["members"]] == [(False, "play"), (False, "play")]


def test_whoever_watches_sees_the_run_that_the_leader_shows_now(led):
    rooms, room, _ = led
    frames = Line()
    rooms.watch(room.code, frames)
    assert rooms._hub.watched == {frames: "run-1"}
    rooms.show(room, "token-2", LESSON)
    assert rooms._hub.watched == {frames: "run-2"}
    rooms.unwatch(room, frames)
    assert not rooms._hub.watched


def test_pausing_all_reaches_every_run_and_those_that_begin_meanwhile(led):
    rooms, room, leader = led
    page = Line()
    _, member = rooms.join(room.code, "", "a", page)
    rooms.halt(room, True)
    assert rooms._hub.said == [("run-1", "pause")]
    assert page.last["halted"]
    assert leader.last["halted"]
    rooms.take_hands(room, member, "token-own", LESSON)
    rooms.halt(room, False)
    assert rooms._hub.said[1:] == [("own", "pause"), ("run-1", "play"), ("own", "play")]


def test_a_run_that_a_leader_shows_anew_while_all_is_paused_is_paused_too(led):
    """Whoever reloads while a room is halted comes back with a new run, which would train on."""
    rooms, room, _ = led
    rooms.halt(room, True)
    rooms.show(room, "token-2", LESSON)
    rooms.halt(room, False)
    rooms.show(room, "token-1", LESSON)
    assert rooms._hub.said == [("run-1", "pause"), ("run-2", "pause"), ("run-2", "play")]


def test_predictions_are_counted_once_each_for_the_step_that_is_shown(led):
    rooms, room, leader = led
    members = [rooms.join(room.code, "", str(i), Line())[1] for i in range(3)]
    options = question("forces", 1)
    assert options >= 2
    for member, choice in zip(members, (0, 1, 1), strict=True):
        room.answer(member, "forces", 1, choice)
    room.answer(members[0], "forces", 1, 1)
    room.answer(members[1], "forces", 1, options)  # no such answer
    room.answer(members[1], "forces", 99, 0)  # no such step
    room.answer(members[1], "<b>", 0, 0)  # no such lesson
    assert leader.last["answers"] == [0, 3] + [0] * (options - 2)
    assert list(members[1].answers) == [("forces", 1)]
    rooms.show(room, "token-1", Where(page="play"))
    assert leader.last["answers"] == []


def test_who_comes_back_with_their_token_is_the_same_member_and_a_copied_tab_another(led):
    rooms, room, leader = led
    first = Line()
    _, member = rooms.join(room.code, "", "a", first)
    room.rename(member, "<i>Ada</i>")
    rooms.leave(room, first)
    assert not leader.last["members"][0]["here"]
    again = Line()
    assert rooms.join(room.code, member.token, "b", again)[1] is member
    assert again.last["name"] == "<i>Ada</i>"
    newer = Line()
    assert rooms.join(room.code, member.token, "b", newer)[1] is member  # its old line was dead
    assert again.closed == 4409
    assert rooms.join(room.code, member.token, "copy", Line())[1].number == 2
    rooms.leave(room, again)  # the dead line's end comes late
    assert leader.last["members"][0]["here"]


def test_members_who_stay_away_make_room_for_others(led):
    rooms, room, leader = led
    pages = [Line() for _ in range(3)]
    for page in pages:
        rooms.join(room.code, "", "a", page)
    with pytest.raises(RoomError, match="This room is full: 3 are in it") as refused:
        rooms.join(room.code, "", "b", Line())
    assert refused.value.sentence[1] == {"most": 3}  # said by the page
    assert refused.value.again  # which asks again
    rooms.leave(room, pages[0])
    rooms._hub.age += AWAY_S + 1
    rooms.tidy()
    assert [seen["number"] for seen in leader.last["members"]] == [2, 3]
    assert rooms.join(room.code, "", "b", Line())[1].number == 4


def test_a_leader_who_reloads_leads_on_and_a_second_tab_is_told(led):
    rooms, room, leader = led
    with pytest.raises(RoomError, match="led in another tab") as refused:
        rooms.lead(room.code, room.secret, "copy", Line())
    assert refused.value.again
    newer = Line()
    rooms.lead(room.code, room.secret, "tab", newer)  # the same tab: its old line was dead
    assert leader.closed == 4409
    rooms.leave(room, newer)
    other = Line()
    rooms.lead(room.code, room.secret, "after the reload", other)
    rooms._hub.age += SILENT_S + 1
    rooms.lead(room.code, room.secret, "copy", Line())  # silent for long: gone without a goodbye
    assert other.closed == 4409


@pytest.mark.parametrize(("code", "secret"), [("", ""), ("BCDF", "x"), (None, "wrong"), (None, "é")])
def test_nobody_leads_without_the_secret(led, code, secret):
    rooms, room, leader = led
    with pytest.raises(RoomError, match=r"This room is over\. Open a new one"):
        rooms.lead(room.code if code is None else code, secret, "tab", Line())
    assert leader.closed is None


def test_a_room_is_over_when_its_leader_ends_it(led):
    rooms, room, leader = led
    page, frames = Line(), Line()
    rooms.join(room.code, "", "a", page)
    rooms.watch(room.code, frames)
    rooms.end(room, register.ENDED)
    assert [line.closed for line in (leader, page, frames)] == [4401] * 3
    assert page.last == {"over": register.ENDED, "panels": []}
    assert not rooms._hub.watched
    for come in (lambda: rooms.join(room.code, "", "a", Line()), lambda: rooms.watch(room.code, Line())):
        with pytest.raises(RoomError, match="There is no room by this code"):
            come()


def test_a_room_is_over_when_its_leader_stays_away_and_waits_for_one_who_does_not(led):
    rooms, room, leader = led
    page = Line()
    rooms.join(room.code, "", "a", page)
    rooms.leave(room, leader)
    assert not page.last["led"]
    rooms._hub.age += 299.0
    rooms.tidy()
    assert rooms.find(room.code) is room
    rooms._hub.age += 2.0
    rooms.tidy()
    assert rooms.find(room.code) is None
    assert page.last["over"] == register.LEFT


def test_a_run_has_one_room_and_a_server_so_many(led):
    rooms, first, leader = led
    second = rooms.open("token-1", "tab", LESSON, Line())
    assert leader.closed == 4401
    assert rooms.find(first.code) is None
    rooms.open("token-2", "tab", LESSON, Line())
    with pytest.raises(RoomError, match="All 2 rooms of this server are in use"):
        rooms.open("token-own", "tab", LESSON, Line())
    with pytest.raises(RoomError, match="Expected the run of a page that is open"):
        rooms.open("wrong", "tab", LESSON, Line())
    assert rooms.find(second.code) is second


def test_a_classroom_says_nothing_to_lines_that_are_gone():
    room = Classroom("BCDF", "run", LESSON)
    member = room.join(Line(), "", "a", 5)
    room.leave(member.page, 0.0)
    room.halt(True)
    room.rename(member, "x")
    room.end("over")
    assert member.page is None
