"""Play: train a small LPC model live and drag γ."""

from __future__ import annotations

import streamlit as st

from app import session
from app.abouts import TOUR
from app.parts.room import lead
from app.parts.stage import stage
from app.room.messages import Where
from app.views import View, _form
from app.views._place import place
from app.views._plain import plain, warn
from app.views._take_along import take_along
from app.words import _
from lpc_core.config import unflatten
from lpc_core.presets import device_note, named_presets


def render() -> None:
    """The form on the left, the stage in the middle, what was wrong with a link above it."""
    tab = session.Session.current()
    moment = tab.moment("play")
    session.write_link(tab)
    warn(tab.problems)
    seat = place(tab)
    if seat is not None:
        lead(seat.token, Where(page="play"), session.room_address())
        stage(seat.token, moment=moment, share=session.share("play", tab.short_texts()), tour=TOUR)
    with st.sidebar:
        _presets(tab)
        if note := device_note(tab.run):
            st.caption(plain(_(note)))
        _form.render(tab)
        take_along(tab.run)


def _presets(tab: session.Session) -> None:
    """Runs to start from; the one that this run is stays shown until a setting makes it another."""
    presets = named_presets()
    own = next((name for name, preset in presets.items()
                if unflatten({"seed": tab.run.seed}, preset.run) == tab.run), None)
    names, key = list(presets), f"preset#{tab.form}#{own}"
    st.selectbox(_("Start from a preset"), names, None if own is None else names.index(own),
                 format_func=lambda name: _(presets[name].title), key=key, placeholder=_("choose a run"),
                 on_change=session.carried(key, tab.start_from),
                 help=_("Runs found by measurement, each for a purpose: a fast collapse, or a binary code."))


VIEW = View("Play", 1, render)
