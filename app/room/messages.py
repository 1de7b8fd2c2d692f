"""What pages say to their room: small JSON texts, parsed strictly. The first is an `Open`, a `Lead` or a `Join`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, model_validator

from app.lessons import lessons
from app.live.messages import Message, Ping

Token = Annotated[str, Field(max_length=128)]
Lesson = Annotated[str, Field(max_length=60)]
Index = Annotated[int, Field(ge=0, le=99)]


class Where(Message):
    """A page of the lab and, on a lesson's, its step; ``page`` "" is one that the room does not show."""

    page: Literal["", "learn", "play", "compare"] = ""
    lesson: Lesson = ""
    index: Index = 0

    @model_validator(mode="after")
    def _is_there(self) -> Where:
        """Pages draw what is shown: a step that its lesson does not have would be a flaw on every one."""
        last = len(lessons()[self.lesson].steps) - 1 if self.lesson in lessons() else 0
        if self.index > last:
            raise ValueError(f"expected a step from 0 to {last}, got {self.index}")
        return self


class Open(Message):
    """Open a room for the run that ``run`` is the token of. ``tab`` tells the pages of one browser apart."""

    type: Literal["open"]
    run: Token
    tab: Token
    where: Where


class Lead(Message):
    """Go on leading, after a reload or a lost line, with the secret that came when the room was opened."""

    type: Literal["lead"]
    code: Token
    secret: Token
    tab: Token


class Join(Message):
    """Come in; with ``member``, the token that came the first time, as the same one as before."""

    type: Literal["join"]
    code: Token
    tab: Token
    member: Token = ""


class At(Message):
    """The leader shows this, in the run that ``run`` is the token of."""

    type: Literal["at"]
    run: Token = ""
    where: Where


class Halt(Message):
    """The leader pauses all, or lets them go on."""

    type: Literal["halt"]
    halted: bool


class End(Message):
    """The leader ends the room."""

    type: Literal["end"]


class Name(Message):
    """What a member wants to be called; "" for their number."""

    type: Literal["name"]
    name: Annotated[str, Field(max_length=200)]


class Hands(Message):
    """A member has a run of their own, ``run`` its token, and is there in the lesson; "" if they follow."""

    type: Literal["hands"]
    run: Token = ""
    where: Where = Where()


class Answer(Message):
    """What a member predicts in a step of a lesson."""

    type: Literal["answer"]
    lesson: Lesson
    index: Index
    choice: Annotated[int, Field(ge=0, le=9)]


First = Annotated[Open | Lead | Join, Field(discriminator="type")]
OfLeader = Annotated[At | Halt | End | Ping, Field(discriminator="type")]
OfMember = Annotated[Name | Hands | Answer | Ping, Field(discriminator="type")]
FIRST: TypeAdapter[First] = TypeAdapter(First)
OF_LEADER: TypeAdapter[OfLeader] = TypeAdapter(OfLeader)
OF_MEMBER: TypeAdapter[OfMember] = TypeAdapter(OfMember)
