"""A page's place at the hub, or why there is none now and a way to try again."""

from __future__ import annotations

import streamlit as st

from app.live.hub import HubError
from app.live.sessions import SessionHandle
from app.session import Session
from app.views._plain import plain
from app.words import _


def place(tab: Session) -> SessionHandle | None:
    """The place of ``tab``; None with a sentence and a button on the page where the server has none to give."""
    try:
        return tab.connect()
    except HubError as error:
        st.warning(plain(str(error)), icon=":material/hourglass_empty:")
        st.button(_("Try again"), type="primary", icon=":material/refresh:")  # pressing it draws the page anew
        return None
