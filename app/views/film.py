"""Film: train many γ from one seed together, then scrub γ and time without a wait."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app import session
from app.desks.films import FRAMES, GAMMAS, POINTS, FilmDesk, usual_steps
from app.desks.samples import FILMS, samples
from app.parts.film import player, style
from app.parts.fragment import fragment
from app.settings import from_env
from app.views import View, _form
from app.views._desk import asked, progress
from app.views._plain import plain, warn
from app.words import N_, _
from lpc_core.config import ConfigError
from lpc_core.film import MAX_BYTES, MAX_FRAMES, MAX_POINTS, MIN_FRAMES, MIN_POINTS, FilmError

EMPTY = N_("""
## One slider for γ, one for time
A film trains the run on the left once for every γ, all from the same seed and all together, and keeps every moment.
Then both sliders answer at once, and the curves against γ show where collapse sets in and where it becomes total.
""")


def render() -> None:
    """Controls and form on the left; the film, its progress, or the offer to record one in the middle."""
    tab = session.Session.current()
    desk, moment = tab.film_desk(), tab.moment("film")
    style()
    with st.sidebar:
        _controls(tab, desk, moment)
        _form.render(tab)
    _open_linked(desk, moment)
    held = desk.held
    session.write_link(tab, tab.texts() | ({"film": held.sample} if held and held.sample else {}))
    warn(tab.problems)
    if desk.running:
        _progress(desk)
    if desk.error:
        st.error(plain(desk.error))
    if held is not None:
        player(held, moment, session.share("film", held.texts))
        return
    if moment:
        st.info(_("The link shows a film of the settings at the left. Press “Record”: it is trained here, and opens at "
                  "the link's moment."))
    st.markdown(_(EMPTY))
    if not desk.running:
        _offer(tab, desk)


def _open_linked(desk: FilmDesk, moment: Mapping[str, str]) -> None:
    """The film that the link names, if none is there yet."""
    for film in samples(FILMS):
        if film.link == moment.get("film") and desk.held is None and not desk.running:
            with asked(desk):
                desk.adopt(film.path.read_bytes(), film.link)


def _offer(tab: session.Session, desk: FilmDesk) -> None:
    """Record one, with what that will take; or open one of those that come with the lab."""
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.button(_("Record the film"), key="film_record_first", type="primary", icon=":material/movie:", width="stretch",
                on_click=_record, args=(tab,))
    right.caption(plain(_estimate(tab)))
    known = samples(FILMS)
    if known:
        st.markdown(_("**Or open one that comes with the lab:**"))
    for column, film in zip(st.columns(max(1, len(known))), known, strict=False):
        with column, st.container(border=True, height="stretch"):
            if st.button(_(film.title), key=f"film_sample_{film.name}", width="stretch", icon=":material/play_arrow:"):
                _open(tab, desk, film.path.read_bytes(), film.link)
            st.caption(plain(_(film.sentence)))


def _controls(tab: session.Session, desk: FilmDesk, moment: Mapping[str, str]) -> None:
    with st.expander(_("Film"), expanded=True):
        st.text_input(_("γ of the runs"), moment.get("gammas", GAMMAS), key="film_gammas", max_chars=1_000,
                      help=_("From:to:how many, evenly on a log scale, or a list such as 0.1,1,10. At most 64."))
        left, right = st.columns(2)
        left.number_input(_("Frames"), MIN_FRAMES, MAX_FRAMES, int(moment.get("frames", FRAMES)), key="film_frames",
                          help=_("Moments of every run."))
        right.number_input(_("Points"), MIN_POINTS, MAX_POINTS, int(moment.get("points", POINTS)), 100,
                           key="film_points", help=_("Samples drawn and measured."))
        st.number_input(_("Steps"), 10, 1_000_000, int(moment.get("length", usual_steps(tab.run))), 100,
                        key="film_steps",
                        help=_("Length of every run; the ramp of γ is shortened or stretched in proportion."))
        st.button(_("Record"), key="film_record", type="primary", icon=":material/movie:", width="stretch",
                  disabled=desk.running, on_click=_record, args=(tab,))
        given = st.file_uploader(_("Open a film"), type=["safetensors"], key=f"film_file#{tab.film_uploads}",
                                 max_upload_size=min(MAX_BYTES // 2**20, from_env().upload_mb))
        if given is not None:
            _open(tab, desk, given.getvalue())


def _record(tab: session.Session) -> None:
    desk = tab.film_desk()
    with asked(desk):
        desk.record(session.film_recording(tab.run))


def _estimate(tab: session.Session) -> str:
    """How long recording will take, in words; or why it cannot be."""
    try:
        seconds = session.film_recording(tab.run).seconds
    except (FilmError, ConfigError) as error:
        return str(error)
    about = (_("{n} seconds", n=f"{max(5, 5 * round(seconds / 5)):.0f}") if seconds < 90 else
             _("{n} minutes", n=f"{seconds / 60:.0f}"))
    return _("Takes about {time} when the machine has nothing else to do; the page shows how far it is.", time=about)


def _open(tab: session.Session, desk: FilmDesk, raw: bytes, sample: str = "") -> None:
    with asked(desk):
        desk.adopt(raw, sample)
    tab.film_uploads += 1  # an emptied uploader: the film is on the desk now
    st.rerun()


@fragment(0.4)
def _progress(desk: FilmDesk) -> None:
    progress(desk, desk.share, _("Recording: {what}", what=desk.what), "film_cancel")


VIEW = View("Film", 3, render)
