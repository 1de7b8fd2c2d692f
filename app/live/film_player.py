"""Mounts the film player: the component that fetches a film once and scrubs it from memory."""

from __future__ import annotations

import streamlit as st

from app.live.films import Held
from app.live.stage import LOADER, STYLE


def player(film: Held) -> None:
    """Play the film that is on the tab's desk."""
    st.html(f"<style>{STYLE}</style>")
    component = st.components.v2.component("lpc_film", js=LOADER, html="<div></div>", isolate_styles=False)
    component(key="film", data={
        "stage": "lab/static/film.js",
        "plotlyUrl": "lab/plotly.min.js",
        "filmUrl": f"lab/film?token={film.token}",
        "saveUrl": f"lab/film?token={film.token}&save",
        "exportUrl": f"lab/film.html?token={film.token}",
    })
