"""A part of a page that runs again by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

P = ParamSpec("P")


def fragment(every_s: float | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """``st.fragment``, run every so many seconds if told, within a container that belongs to the page.

    When a fragment starts again before its last pass was sent (on a slow machine), Streamlit's queue drops what that
    pass drew, the fragment's own block among it, and keeps what the page drew behind it. A browser that has nothing in
    that place yet then gives up the whole page: "Bad delta path index 4 (should be between [0, 3])".
    """

    def decorate(draw: Callable[P, None]) -> Callable[P, None]:
        again = st.fragment(draw, run_every=every_s)

        def within(*args: P.args, **how: P.kwargs) -> None:
            with st.container():
                again(*args, **how)

        return within

    return decorate
