"""Metrics: the tab's run, measured along its way by every quantity of the paper, as Figures 3 to 5 and in a table."""

from __future__ import annotations

import weakref

import streamlit as st

from app import session
from app.charts import SECTIONS, Card, Track, charts, separation, verdict
from app.desks.studies import SAMPLES, Look, StudyDesk, SweepDesk
from app.parts.cards import cards
from app.parts.film import style
from app.parts.fragment import fragment
from app.parts.link import link
from app.parts.microscope import microscope
from app.parts.readings import readings_table
from app.views import View, _form
from app.views._plain import plain, warn
from app.words import N_, _
from lpc_core.config import RunConfig
from lpc_core.study import Study

POLL_S = 0.7
_kept: weakref.WeakKeyDictionary[Study, dict[str, list[Card]]] = weakref.WeakKeyDictionary()


def render() -> None:
    """The form on the left; in the middle what was measured so far, while more of it comes in."""
    tab = session.Session.current()
    moment = tab.moment("metrics")
    session.write_link(tab)
    style()
    link(moment, session.share("metrics", tab.short_texts()))
    followed = tab.desk("study", StudyDesk)
    compared = tab.desk("sweep", SweepDesk)
    with st.sidebar:
        _form.render(tab)
    warn(tab.problems)
    followed.want(tab.run)
    compared.drop_other(tab.run)
    polled = followed.look().busy or compared.look().busy
    fragment(POLL_S if polled else None)(_body)(followed, compared, polled)


def _body(followed: StudyDesk, compared: StudyDesk, polled: bool) -> None:
    """Everything that changes while a study grows; the only part that is run again and again."""
    for desk in (followed, compared):
        desk.retry()
    seen, rows = followed.look(), compared.look()
    track = Track.of(seen.study, seen.run)
    cards([], "verdict", sentence=verdict.verdict(track))
    _progress(followed, seen, "study",
              N_("Measured at {n} moments. The link in the address bar opens this very study."))
    _charts(seen.study, track)
    st.header(_("Under the microscope"), anchor=False)
    microscope(track.steps.tolist(), seen.tokens, track.class_names)
    _compare(compared, rows, seen.run, track.classes)
    st.header(_("All numbers"), anchor=False)
    st.caption(_("At the last moment measured. The i beside a name gives its formula, meaning and source."))
    newest = _("Step {n}", n=f"{int(track.steps[-1]):,}") if len(track) else _("All numbers")
    readings_table(track.newest, "readings", newest)
    if polled and not seen.busy and not rows.busy:
        st.rerun(scope="app")  # all is drawn: stop polling


def _progress(desk: StudyDesk, seen: Look, key: str, done: str) -> None:
    """One row: progress and cancel; or what became of the study, and again."""
    with st.container(key=f"{key}_row", horizontal=True, vertical_alignment="center"):
        if seen.running:
            st.progress(min(seen.share, 1.0), plain(_("Measuring: {what}", what=seen.what)))
            if st.button(_("Cancel"), key=f"{key}_cancel"):
                desk.cancel()
                st.rerun(scope="app")
        elif seen.waiting:
            st.info(_("Other studies are being measured on this server. This one starts by itself when there is room."),
                    icon=":material/hourglass_top:")
        else:
            _ended(seen, done)
            if st.button(_("Again"), key=f"{key}_again"):
                desk.again()
                st.rerun(scope="app")


def _ended(seen: Look, done: str) -> None:
    """What became of a study that is not running."""
    study = seen.study
    have = 0 if study is None else len(study.moments) + len(study.rows)
    if seen.error:
        kept = _("What was measured until then ({have}) is below.", have=have)
        st.error(plain(f"{seen.error.removesuffix('.')}. {kept}" if have else seen.error), icon=":material/error:")
    elif study is None or not study.complete:
        st.warning(_("Stopped early, after {have} of {all} measurements.", have=have,
                     all=study.planned if study else _("all")))
    else:
        st.caption(_(done, n=have, most=SAMPLES))


def _charts(study: Study | None, track: Track) -> None:
    for name, (title, about) in SECTIONS.items():
        st.header(_(title), anchor=False)
        st.caption(_(about))
        cards(_drawn(study, track, name), f"cards-{name}")


def _drawn(study: Study | None, track: Track, section: str) -> list[Card]:
    """The cards of a section; made once for what is known of a study, however often the page looks."""
    kept = {} if study is None else _kept.setdefault(study, {})
    if section not in kept:
        kept[section] = [card for chart in charts(section) for card in chart.cards(track)]
    return kept[section]


def _compare(desk: StudyDesk, seen: Look, run: RunConfig | None, classes: int) -> None:
    """Figure 3, by a press."""
    st.header(_("Separation and robustness"), anchor=False)
    if seen.run is None:
        with st.container(key="sweep_row", horizontal=True, vertical_alignment="center"):
            st.caption(_("Figure 3 of the paper: a dozen runs around this one, each trained to its end and attacked."))
            if st.button(_("Compare many runs"), key="sweep_start", type="primary") and run is not None:
                desk.want(run)
                st.rerun(scope="app")
    else:
        _progress(desk, seen, "sweep", N_("Runs compared: {n}. Each was attacked on up to {most} held-out samples."))
    rows = seen.study.rows if seen.study else ()
    empty = (_("The first run is being trained and attacked.") if seen.busy
             else _("Press “Compare many runs”: their points appear here one by one."))
    cards([separation.card(rows, max(classes, 2), empty)], "cards-separation", columns=1)


VIEW = View("Metrics", 5, render)
