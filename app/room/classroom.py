"""Classroom: one room: who leads it, who is in it, where they are and what they predicted. It knows no clock.

Its pages are `Outlet`s: they are put the room as they may see it whenever that changes, in the slot "room".
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

from app.lessons import lessons
from app.live.frames import encode
from app.live.sessions import Outlet
from app.room.messages import Where
from app.room.names import plain_name
from app.words import N_

SILENT_S = 10.0  # a leader's page that said nothing for so long may be replaced by another tab's
AWAY_S = 60.0  # a member who went is forgotten after that
CLOSE_REPLACED, CLOSE_OVER = 4409, 4401  # WebSocket close codes: shown elsewhere; there is no such room (any more)
ELSEWHERE = N_("This room is led in another tab. Lead it there, or close that tab: this one then goes on by itself.")


def question(lesson: str, index: int) -> int:
    """How many answers the question of a lesson's step has; 0 where it has none, or there is no such step."""
    known = lessons().get(lesson)
    step = known.steps[index] if known is not None and index < len(known.steps) else None
    return len(step.question.options) if step is not None and step.question is not None else 0


class RoomError(RuntimeError):
    """What was asked of a room cannot be done; the message is for the reader. ``again``: it may be asked later.

    ``sentence`` is for the page, which says it in the reader's language: a text, or a text and its values.
    """

    def __init__(self, text: str, *, again: bool = False, **values: int) -> None:
        super().__init__(text.format(**values))
        self.again, self.sentence = again, [text, values] if values else text


@dataclass(eq=False)
class Member:
    """Somebody in a room; nothing is known of them but what they choose to be called."""

    number: int
    token: str
    name: str = ""
    tab: str = ""
    page: Outlet | None = None
    left: float = 0.0  # when the page went
    run: str = ""  # the session of their own hands
    where: Where = field(default_factory=Where)  # and where they are with them
    answers: dict[tuple[str, int], int] = field(default_factory=dict)


class Classroom:
    """One room. `Register` holds its lock while it changes, and says what time it is."""

    def __init__(self, code: str, run: str, where: Where) -> None:
        self.code, self.secret = code, secrets.token_urlsafe(24)
        self.run, self.where, self.halted = run, where, False
        self.members: dict[str, Member] = {}
        self.watchers: set[Outlet] = set()  # lines of frames
        self.leader: Outlet | None = None
        self.heard = 0.0  # when the leader last gave a sign of life
        self._tab, self._gone = "", 0.0
        self._count = 0

    # ---- who comes and goes ----------------------------------------------------------------------------------------

    def lead(self, page: Outlet, tab: str, now: float) -> None:
        """``page`` leads from now on; `RoomError` where another tab's does."""
        old = self.leader
        if old is not None and tab != self._tab and now - self.heard < SILENT_S:
            raise RoomError(ELSEWHERE, again=True)
        self.leader, self._tab, self.heard = page, tab, now
        if old is not None:
            old.close(CLOSE_REPLACED, "this room is led on a newer connection")
        self.tell_leader()
        self.tell_members()

    def is_secret(self, text: str) -> bool:
        """Whether this is the leader's."""
        return hmac.compare_digest(self.secret.encode(), text.encode())

    def join(self, page: Outlet, token: str, tab: str, most: int) -> Member:
        """The member whose token this is, unless another tab shows them; else a new one, of ``most`` at a time."""
        member = self.members.get(token)
        if member is None or (member.page is not None and member.tab != tab):
            if len(self.members) >= most:
                raise RoomError(N_("This room is full: {most} are in it. You come in as soon as one has left."),
                                again=True, most=most)
            self._count += 1
            member = Member(self._count, secrets.token_urlsafe(24))
            self.members[member.token] = member
        elif member.page is not None:
            member.page.close(CLOSE_REPLACED, "this place is shown on a newer connection")
        member.page, member.tab = page, tab
        self.tell(member)
        self.tell_leader()
        return member

    def leave(self, page: Outlet, now: float) -> None:
        """A page has gone, whoever's it was."""
        if page is self.leader:
            self.leader, self._gone = None, now
            self.tell_members()
        for member in self.members.values():
            if member.page is page:
                member.page, member.left = None, now
                self.tell_leader()

    def forget(self, now: float) -> None:
        """Members who went long ago are in the room no more."""
        gone = [token for token, member in self.members.items() if member.page is None and now - member.left > AWAY_S]
        for token in gone:
            del self.members[token]
        if gone:
            self.tell_leader()

    def is_over(self, now: float, idle_s: float) -> bool:
        """Whether its leader has been away for too long."""
        return self.leader is None and now - self._gone > idle_s

    def end(self, why: str) -> None:
        """Tell everybody that it is over, and hang up."""
        lines = [self.leader, *(member.page for member in self.members.values()), *self.watchers]
        for page in filter(None, lines):
            page.put("room", encode("room", {"over": why}, ()))
            page.close(CLOSE_OVER, "this room is over")

    # ---- what they say ---------------------------------------------------------------------------------------------

    def show(self, run: str, where: Where) -> None:
        """The leader shows this."""
        self.run, self.where = run, where
        self.tell_leader()
        self.tell_members()

    def halt(self, halted: bool) -> None:
        """The leader has paused all, or lets them go on."""
        self.halted = halted
        self.tell_leader()
        self.tell_members()

    def rename(self, member: Member, name: str) -> None:
        """A member wants to be called so."""
        member.name = plain_name(name)
        self.tell(member)
        self.tell_leader()

    def take_hands(self, member: Member, run: str, where: Where) -> None:
        """A member has a run of their own and is there in the lesson, or follows ("")."""
        member.run, member.where = run, where
        self.tell(member)
        self.tell_leader()

    def answer(self, member: Member, lesson: str, index: int, choice: int) -> None:
        """A member predicts; a later prediction takes the place of an earlier one."""
        if choice < question(lesson, index):
            member.answers[lesson, index] = choice
            self.tell_leader()

    # ---- what they are told ------------------------------------------------------------------------------------------

    def answers(self) -> list[int]:
        """How many gave each answer to the question that the leader shows; [] where it shows none."""
        key = self.where.lesson, self.where.index
        counts = [0] * question(*key)
        for member in self.members.values():
            if key in member.answers:
                counts[member.answers[key]] += 1
        return counts

    def tell_leader(self) -> None:
        """Who is where, and what they predicted."""
        if self.leader is not None:
            members = [{"number": member.number, "name": member.name, "here": member.page is not None,
                        "own": bool(member.run), **(member.where if member.run else self.where).model_dump()}
                       for member in self.members.values()]
            self.leader.put("room", _words(code=self.code, secret=self.secret, halted=self.halted, members=members,
                                           answers=self.answers(), where=self.where.model_dump()))

    def tell_members(self) -> None:
        """What the leader shows."""
        for member in self.members.values():
            self.tell(member)

    def tell(self, member: Member) -> None:
        """The same to one of them, and who they are."""
        if member.page is not None:
            member.page.put("room", _words(
                code=self.code, member=member.token, number=member.number, name=member.name, own=bool(member.run),
                halted=self.halted, led=self.leader is not None, where=self.where.model_dump()))


def _words(**info: Any) -> bytes:
    return encode("room", info, ())
