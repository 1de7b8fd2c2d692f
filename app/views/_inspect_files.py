"""Files into an inspection desk: a drop zone, what is asked of a file, and the samples that come with the lab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import session
from app.desks import samples as listed
from app.desks.inspections import Held, InspectDesk, Upload, Wish
from app.settings import from_env
from app.views._desk import asked
from app.words import _
from lpc_core.film import open_film

_PER_ROW = 5


def uploader(desk: InspectDesk, label: str) -> None:
    """Take a file of any ending, or the parts of one; the widget forgets them at once, the desk has them then."""
    tab = session.Session.current()
    given = st.file_uploader(label, key=f"inspect_file_{desk.id}#{tab.inspect_uploads}", accept_multiple_files=True,
                             max_upload_size=from_env().upload_mb, disabled=desk.running,
                             help=_("One file; of a checkpoint in parts (…-00001-of-00002…) all of them at once."))
    if given:
        with asked(desk):
            if len(given) == 1:
                desk.take(given[0].name, given[0])
            else:
                desk.take_parts([(file.name, file) for file in given])
        tab.inspect_uploads += 1
        st.rerun()


def question(desk: InspectDesk, asks: Mapping[str, Any]) -> None:
    """Which array or column of the refused file is the one that is missing; the answer reads it once more."""
    role, key = str(asks["role"]).replace("_", " "), f"inspect_ask_{asks['role']}_{desk.id}"
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    chosen = left.selectbox(_("Which one holds the {role}?", role=_(role)), asks["choices"], None, key=key,
                            placeholder=_("choose"))
    if right.button(_("Read it so"), key=f"{key}_go", width="stretch", disabled=chosen is None) and chosen is not None:
        with asked(desk):
            desk.inspect_but(picked={asks["role"]: chosen})
        st.rerun()


def film_moment(desk: InspectDesk, held: Held) -> None:
    """A film holds many runs at many moments: which is looked at; nothing for what is no film."""
    if held.inspection.source.get("kind") != "film":
        return
    film = held.once("film", lambda: open_film(held.upload.path))
    gammas, steps = film.gammas.tolist(), film.steps.tolist()
    key = f"inspect_film_{held.upload.path.name}"
    left, middle, right = st.columns([3, 3, 1], vertical_alignment="bottom")
    run = left.select_slider(_("γ of the run"), range(len(gammas)), len(gammas) - 1, lambda i: f"{gammas[i]:.3g}",
                             key=f"{key}_gamma")
    frame = middle.select_slider(_("training step").capitalize(), range(len(steps)), len(steps) - 1,
                                 lambda i: f"{steps[i]:,}", key=f"{key}_frame")
    if right.button(_("Look"), key=f"{key}_look", width="stretch", disabled=desk.busy):
        with asked(desk):
            desk.inspect(Wish(gamma=gammas[run], frame=frame))
        st.rerun()


def samples(desk: InspectDesk, heading: str) -> None:
    """One button per sample, each with its sentence."""
    known = listed.samples()
    if not known:
        return
    st.markdown(f"**{heading}**")
    for start in range(0, len(known), _PER_ROW):
        columns = st.columns(_PER_ROW)
        for column, sample in zip(columns, known[start : start + _PER_ROW], strict=False):
            with column, st.container(border=True, height="stretch"):
                _sample(desk, sample)


def open_linked(desk: InspectDesk, moment: Mapping[str, str]) -> None:
    """The sample that the link names, if nothing is open yet."""
    for sample in listed.samples():
        if sample.link == moment.get("file") and desk.upload is None and not desk.running:
            _open(desk, sample)


def sample_of(upload: Upload | None) -> str:
    """What a link calls the file, if it comes with the lab; else ""."""
    return next((sample.link for sample in listed.samples() if upload is not None and sample.path == upload.path), "")


def _open(desk: InspectDesk, sample: listed.Sample) -> None:
    with asked(desk):
        desk.accept(Upload(sample.path.name, sample.path, sample.path.stat().st_size), Wish(**sample.how))


def _sample(desk: InspectDesk, sample: listed.Sample) -> None:
    if st.button(_(sample.title), key=f"inspect_sample_{sample.name}_{desk.id}", width="stretch",
                 disabled=desk.running):
        _open(desk, sample)
        session.Session.current().inspect_uploads += 1
        st.rerun()
    st.caption(_(sample.sentence))
