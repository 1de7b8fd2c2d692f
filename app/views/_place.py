"""A page's place at the hub, or in line for one with a film meanwhile, or why there is none; and the other pages."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.desks.samples import FILMS, samples
from app.live.hub import Full, HubError
from app.live.sessions import SessionHandle
from app.parts.film import shipped, style
from app.parts.fragment import fragment
from app.session import Session
from app.views._plain import plain
from app.words import _

ASK_EVERY_S = 2.0


def place(tab: Session) -> SessionHandle | None:
    """The place of ``tab``; None where the server has none to give: then the page says so, and how it goes on."""
    try:
        return tab.connect()
    except Full:
        _wait(tab)
    except HubError as error:
        st.warning(plain(str(error)), icon=":material/hourglass_empty:")
        st.button(_("Try again"), type="primary", icon=":material/refresh:")  # pressing it draws the page anew
    return None


def _wait(tab: Session) -> None:
    """The place in line, and something to see meanwhile."""
    style()
    _line(tab)
    for film in samples(FILMS)[:1]:
        st.markdown(plain(_("Meanwhile, a film of many runs: {film}. Two sliders are yours, γ and time.",
                            film=_(film.title))))
        shipped(film)


@fragment(ASK_EVERY_S)
def _line(tab: Session) -> None:
    """Asks again and again; the page is drawn anew when there is a place."""
    try:
        tab.connect()
    except Full as full:
        told = _("All {places} places of this server are taken. You are number {place} in line; this page begins by "
                 "itself when it is your turn.", places=full.places, place=full.place)
        st.warning(plain(told), icon=":material/hourglass_empty:")
    except HubError as error:
        st.warning(plain(str(error)), icon=":material/hourglass_empty:")
    else:
        st.rerun()


def page_of(path: str, title: str) -> Any:
    """The page at ``path``, to link or go to: it is told by its address, and drawn by its own view."""
    return st.Page(lambda: None, title=title, url_path=path)
