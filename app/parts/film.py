"""Mounts the film player: the component that fetches a film once and scrubs it from memory."""

from __future__ import annotations

import streamlit as st

from app.desks.films import Held
from app.parts.stage import LOADER

# Room below the menu, also for the sliders that stay in sight on narrow screens.
_STYLE = """
[data-testid="stMainBlockContainer"] { padding: 4rem 1.2rem 1rem; max-width: 1680px; }
.lpc-film { --lpc-film-top: 3.6rem; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 4rem .6rem 1rem; } }
"""


def style() -> None:
    """The page's own measures."""
    st.html(f"<style>{_STYLE}</style>")


def player(film: Held) -> None:
    """Play the film that is on the tab's desk."""
    component = st.components.v2.component("lpc_film", js=LOADER, html="<div></div>", isolate_styles=False)
    component(key="film", data={
        "stage": "lab/static/film.js",
        "plotlyUrl": "lab/plotly.min.js",
        "filmUrl": f"lab/file?token={film.token}",
        "saveUrl": f"lab/file?token={film.token}&save",
        "exportUrl": f"lab/film.html?token={film.token}",
    })
