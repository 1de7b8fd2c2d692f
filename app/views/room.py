"""Room: come in by a code, see what the leader shows, take hands of your own, come back."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import session
from app.lessons import lessons
from app.live.hub import current as hub
from app.parts.room import follow
from app.parts.stage import stage, style
from app.room.classroom import Classroom, RoomError
from app.room.codes import LENGTH
from app.room.register import STALE, current
from app.views import View
from app.views._place import place
from app.views._plain import plain, warn
from app.views.learn import drawn, onward, remaining, told
from app.words import N_, _

WELCOME = N_("""
## A room
Whoever leads shows a run or a lesson; you see it move, predict, and take hands of your own when you like.
Nobody needs an account, and nothing is kept.
""")
LEADING = N_("""
To lead one, open *Learn*, *Play* or *Compare* and press **Room** at the top: you get a code and a QR code to show.
""")


def render() -> None:
    """The room that the link or the reader names, or the door to one."""
    tab = session.Attending.current()
    warn(tab.problems)
    session.write_link(tab)
    style()
    try:
        room = current().find(tab.code)
    except RoomError as error:
        st.warning(plain(str(error)))
        return
    if room is None:
        _door(tab)
    else:
        _inside(tab, room)


def _door(tab: session.Attending) -> None:
    """A field for a code."""
    tab.follow()
    st.markdown(_(WELCOME))
    if tab.code:
        st.warning(plain(f"{tab.code[:20]}: {_(STALE)}"))
    with st.form("room-door", border=False, width=420):
        st.text_input(_("The room's code"), key="room-code", max_chars=20, value="",
                      placeholder=_("{n} letters", n=LENGTH))
        st.form_submit_button(_("Come in"), type="primary", on_click=session.carried("room-code", tab.join))
    st.markdown(_(LEADING))


def _inside(tab: session.Attending, room: Classroom) -> None:
    """What the leader shows, or what one's own hands do."""
    tab.goes_with(room)
    shown = room.where.model_dump() | ({"lesson": tab.name, "index": tab.index} if tab.own else {})
    bar = st.container()
    seat = place(tab) if tab.own else None
    with bar:
        heard = follow(room.code, shown, seat.token if seat else "")
    if heard and _take_up(tab, room, heard):
        st.rerun()
    elif seat is not None:
        _draw(tab, room, seat.token)
    elif not tab.own:
        _draw(tab, room, room.code, wsPath="lab/room/frames", following=True)


def _take_up(tab: session.Attending, room: Classroom, heard: object) -> bool:
    """What the bar told; whether the page is another one now."""
    match heard:
        case {"what": "hands"} if not tab.own:
            tab.take_hands(room)
        case {"what": "follow"}:
            tab.follow()
        case {"what": "leave"}:
            tab.join("")
        case _:
            return False
    return True


def _draw(tab: session.Attending, room: Classroom, token: str, **more: Any) -> None:
    """The run that ``token`` opens, with the words of the lesson it belongs to."""
    lesson, group = lessons().get(tab.name), tab.group or hub().config(room.run)
    if lesson is None:
        if group is None:
            st.info(_("The leader is on a page that a room does not show. This page goes on by itself."))
        else:
            several = len(group.titles) > 1
            stage(token, "compare/compare" if several else "live/stage", name="", **more)
        return
    words, live = st.columns([1, 2.2], gap="medium")
    with live:
        drawn(tab, lesson, token, **more)
    with words:
        told(tab, lesson)
        if tab.own:
            onward(tab, lesson)
        remaining(tab, lesson)


VIEW = View("Room", 8, render)
