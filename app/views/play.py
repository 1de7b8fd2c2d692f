"""Play: train a small LPC model live and drag γ."""

from __future__ import annotations

import streamlit as st

from app import session
from app.parts.stage import stage
from app.views import _form
from app.views._base import View
from app.views._place import place
from app.views._plain import plain
from app.views._take_along import take_along
from lpc_core.presets import device_note, named_presets


def render() -> None:
    """The form on the left, the stage in the middle, what was wrong with a link above it."""
    tab = session.current()
    for problem in tab.problems:
        st.warning(plain(problem))
    seat = place(tab)
    if seat is not None:
        stage(seat.token)
    with st.sidebar:
        presets, key = named_presets(), f"preset#{tab.form}"
        st.selectbox("preset", list(presets), None, format_func=lambda name: presets[name].title, key=key,
                     placeholder="start from …", on_change=session.carried(key, tab.start_from),
                     help="Runs found by measurement; `python -m benchmarks.recipes` prints what they reach.")
        if note := device_note(tab.run):
            st.caption(plain(note))
        _form.render(tab.run, tab.form)
        take_along(tab.run)
        link = session.link()
        st.text_input("link to this run", link, key=link, help="It opens the very same run, seed included.")


VIEW = View("Play", 0, render)
