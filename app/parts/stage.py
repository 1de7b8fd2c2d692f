"""Mounts the stage: the component that draws a run in the browser and talks to it over its own WebSocket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.abouts import STAGE, abouts
from app.parts._mount import mount

_STYLE = """
[data-testid="stMainBlockContainer"] { padding: 4.2rem 1.2rem 1rem; max-width: 2200px; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 4.2rem .6rem 1rem; } }
.st-key-room-lead { position: absolute; } /* in Streamlit's own bar: on a slow line it comes late, and moves nothing */
"""


def style() -> None:
    """The page's own measures."""
    st.html(f"<style>{_STYLE}</style>")


def stage(token: str, module: str = "live/stage", hears: Callable[[], None] = lambda: None, **more: Any) -> Any:
    """Draw the run whose hub token this is with ``static/``'s ``module``, which also gets ``more``; returns what the
    module has told since (``told``: what a lesson's stage saw), of which ``hears`` is called (see `mount`).
    """
    style()
    return mount(module, module.rpartition("/")[2],
                 {"wsPath": "lab/ws", "token": token, "abouts": abouts(STAGE), **more},
                 "again", "told", hears=hears)  # again: the run has ended; the page is drawn anew with another place
