"""A film holds many runs at many moments: which of them is looked at."""

from __future__ import annotations

import streamlit as st

from app.desks.inspections import Held, InspectDesk, InspectRefused, Wish
from app.words import _
from lpc_core.film import open_film


def render(desk: InspectDesk, held: Held) -> None:
    """Choose γ and the moment; nothing for what is no film."""
    if held.inspection.source.get("kind") != "film":
        return
    film = held.once("film", lambda: open_film(held.upload.path))
    gammas, steps = film.gammas.tolist(), film.steps.tolist()
    key = f"inspect_film_{held.upload.path.name}"
    left, middle, right = st.columns([3, 3, 1], vertical_alignment="bottom")
    run = left.select_slider("γ of the run", range(len(gammas)), len(gammas) - 1, lambda i: f"{gammas[i]:.3g}",
                             key=f"{key}_gamma")
    frame = middle.select_slider("Training step", range(len(steps)), len(steps) - 1, lambda i: f"{steps[i]:,}",
                                 key=f"{key}_frame")
    if right.button(_("Look"), key=f"{key}_look", width="stretch", disabled=desk.busy):
        try:
            desk.inspect(Wish(gamma=gammas[run], frame=frame))
        except InspectRefused as error:
            desk.error = str(error)
        st.rerun()
