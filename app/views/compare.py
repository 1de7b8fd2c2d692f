"""Compare: two to four runs in lockstep from one seed, side by side."""

from __future__ import annotations

import functools
from typing import Any

import streamlit as st

from app import session
from app.comparisons import OWN, OWN_RUNS, READY
from app.parts.room import lead
from app.parts.stage import stage
from app.room.messages import Where
from app.views import View, _form
from app.views._place import place
from app.views._plain import warn
from app.words import _


def render() -> None:
    """The choice of a comparison and what to look for; the runs side by side; the base run's form at the left."""
    tab = session.Comparing.current()
    moment = tab.moment("compare")
    session.write_link(tab)
    _choice(tab)
    warn(tab.problems)
    begins = READY.get(tab.name)
    more: dict[str, Any] = {} if begins is None else {
        "axes": "own", "projection": begins.projection, "number": begins.number, "evidence": begins.evidence,
        "titles": [title for title, _own in begins.runs]}
    seat = place(tab)
    if seat is not None:
        lead(seat.token, Where(page="compare"), session.room_address())
        stage(seat.token, "compare/compare", name=tab.name, moment=moment,
              share=session.share("compare", tab.short_texts()), **more)
    with st.sidebar:
        st.caption(_("The base run: what all runs share unless the comparison says otherwise."))
        _form.render(tab, "compare-")


def _choice(tab: session.Comparing) -> None:
    names = [*READY, OWN]
    key = f"comparison#{tab.form}"
    st.selectbox(_("Comparison"), names, names.index(tab.name), key=key, on_change=session.carried(key, tab.choose),
                 label_visibility="collapsed", help=_("Ready ones, each with what to look for, or your own."),
                 format_func=lambda name: _(READY[name].title) if name in READY else _("Your own"))
    if tab.name == OWN:
        st.caption(_("The first run is the base; each line below is one more, with the settings in which it differs."))
        _lines(tab)
    else:
        ready = READY[tab.name]
        st.markdown(ready.look_for)
        if tab.run != ready.run(tab.run.seed):
            st.caption(_("You changed the base run. These sentences were checked on the comparison's own; "
                         "see whether they hold on yours."))


def _lines(tab: session.Comparing) -> None:
    """A line for each run of one's own, and an empty one for the next."""
    texts = [*tab.lines, ""][:len(OWN_RUNS)]
    for column, (i, text) in zip(st.columns(len(OWN_RUNS)), enumerate(texts), strict=False):
        key = f"line{i}#{tab.form}#{len(tab.lines)}"
        column.text_input(_("Run {n}", n=i + 2), text, key=key, placeholder="optimizer=sgd lr=0.05",
                          help=_("Settings by the names that a link gives them, with spaces between: optimizer=sgd "
                                 "lr=0.05"),
                          on_change=session.carried(key, functools.partial(tab.change_line, i)))


VIEW = View("Compare", 4, render)
