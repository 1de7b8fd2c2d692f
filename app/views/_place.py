"""A page's place at the hub, or why there is none now and a way to try again; and the places of other pages."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.live.hub import HubError
from app.live.sessions import SessionHandle
from app.session import Session
from app.views._plain import plain


def place(tab: Session) -> SessionHandle | None:
    """The place of ``tab``; None with a sentence and a button on the page where the server has none to give."""
    try:
        return tab.connect()
    except HubError as error:
        st.warning(plain(str(error)), icon=":material/hourglass_empty:")
        st.button("Try again", type="primary", icon=":material/refresh:")  # pressing it draws the page anew
        return None


def page_of(path: str, title: str) -> Any:
    """The page at ``path``, to link or go to: it is told by its address, and drawn by its own view."""
    return st.Page(_nowhere, title=title, url_path=path)


def _nowhere() -> None:
    """Nothing: see `page_of`."""
