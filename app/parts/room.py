"""Mounts what a page has of a room: above a run, to present and to lead; on the room's own page, to follow."""

from __future__ import annotations

from typing import Any

from app.lessons import Question
from app.parts._mount import mount
from app.room.messages import Where


def lead(token: str, where: Where, address: dict[str, str], question: Question | None = None) -> None:
    """The buttons by which the run of this hub token is presented and shown to a room; ``address`` is where others
    come in, ``question`` what the step asks them.
    """
    mount("room/lead", "room-lead", {
        "roomPath": "lab/room", "run": token, "where": where.model_dump(), **address,
        "question": question and {"words": question.words, "options": list(question.options)}})


def follow(code: str, where: dict[str, Any], token: str) -> Any:
    """The bar of somebody in the room ``code``; ``token`` is that of their own run, "" if they follow. Returns what it
    told: hands, follow, leave, over, or that the leader is elsewhere than ``where``.
    """
    return mount("room/follow", "room-follow", {"roomPath": "lab/room", "code": code, "where": where, "run": token},
                 "told").get("told")
