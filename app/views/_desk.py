"""What a page does with a desk: says what it refuses, and shows how far its work is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import streamlit as st

from app.desks.jobs import Desk, JobRefused
from app.views._plain import plain
from app.words import _
from lpc_core.config import ConfigError
from lpc_core.film import FilmError


@contextlib.contextmanager
def asked(desk: Desk) -> Iterator[None]:
    """What is refused within becomes the ``desk``'s error, which its page says."""
    try:
        yield
    except (JobRefused, ConfigError, FilmError) as error:
        desk.error = str(error)


def progress(desk: Desk, share: float, what: str, key: str) -> None:
    """How far ``what`` is, and a button (``key``) that cancels it; once nothing runs the page is drawn anew."""
    if not desk.running:
        st.rerun(scope="app")
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    left.progress(min(max(share, 0.0), 1.0), plain(what))
    if right.button(_("Cancel"), key=key, width="stretch"):
        desk.cancel()
        st.rerun(scope="app")
