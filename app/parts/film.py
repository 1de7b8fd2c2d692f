"""Mounts the film player: the component that fetches a film once and scrubs it from memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.abouts import FILM, STAGE, abouts
from app.catalogue import catalogue
from app.desks.films import HeldFilm
from app.desks.samples import Sample
from app.looks.movie import can_write
from app.parts._mount import file_url, mount
from app.words import language

# Room below the menu, also for the sliders that stay in sight on narrow screens.
_STYLE = """
[data-testid="stMainBlockContainer"] { padding: 4rem 1.2rem 1rem; max-width: 1680px; }
.lpc-film { --lpc-film-top: 3.6rem; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 4rem .6rem 1rem; } }
"""


def style() -> None:
    """The page's own measures."""
    st.html(f"<style>{_STYLE}</style>")


def shipped(film: Sample) -> None:
    """Play a film that comes with the lab, at once and by itself."""
    mount("film/player", "film-shipped", {
        "filmUrl": f"lab/films/{film.path.name}", "catalogue": catalogue(), "abouts": abouts(STAGE | FILM),
        "playing": True})


def player(film: HeldFilm, moment: Mapping[str, str], share: Mapping[str, Any]) -> None:
    """Play the film that is on the tab's desk; ``moment`` is where its link wants it, ``share`` what a link needs."""
    mount("film/player", "film", {
        "moment": moment, "share": share,
        "filmUrl": file_url(film.token),
        "catalogue": catalogue(), "abouts": abouts(STAGE | FILM),
        "saveUrl": f"{file_url(film.token)}&save",
        "exportUrl": f"lab/film.html?token={film.token}&lang={language()}",
        "movies": [[kind.upper(), f"lab/film.{kind}?token={film.token}"] for kind in ("gif", "mp4")
                   if can_write(f".{kind}")],
    })
