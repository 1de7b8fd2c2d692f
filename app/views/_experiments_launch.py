"""Run a row: choose one that a page may ask for, watch it train, cancel it; it goes on where it was cut off."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from app import session
from app.charts.paper_figure import paper_cards
from app.desks.experiments import MOST_SEEDS, ExperimentDesk, Shelf, offered, placeless, shelf
from app.parts.cards import cards
from app.parts.fragment import fragment
from app.settings import from_env
from app.views._desk import asked, progress
from app.views._experiments_runs import SHOWN, curves
from app.views._plain import plain, sentence
from app.words import N_, _
from lpc_core.experiments import Planned
from lpc_core.parsing import to_short_texts

POLL_S = 1.0


def render(desk: ExperimentDesk, held: Shelf) -> None:
    """The offer to run a row; or how far the one under way is."""
    if desk.running:
        _progress(desk)
        return
    _ended(desk)
    with st.expander(_("Run a row"), icon=":material/play_circle:"):
        _offer(desk, held)


def _offer(desk: ExperimentDesk, held: Shelf) -> None:
    rows = offered()
    first, second, third, last = st.columns([4, 1, 1, 1], vertical_alignment="bottom")
    key = first.selectbox(_("Row"), list(rows), key="paper_row", format_func=lambda key: f"{key}: {rows[key].title}")
    seeds = second.number_input(_("Seeds"), 1, MOST_SEEDS, 1, key="paper_seeds")
    start = third.number_input(_("First seed"), 0, 1_000, 0, key="paper_first_seed")
    if last.button(_("Run it"), type="primary", key="paper_run", icon=":material/play_arrow:", width="stretch"):
        with asked(desk):
            desk.run_row(str(key), int(seeds), int(start), from_env().device)
        st.rerun()
    row = rows[key]
    done = {run.planned.seed for run in held.runs if run.planned.key == key and run.report}
    trained = _("Seeds done: {seeds}; these are not trained again.", seeds=", ".join(map(str, sorted(done))))
    st.caption(plain(" ".join([
        _("{title}, {epochs} epochs; {source}.", title=row.title, epochs=f"{row.epochs:,}", source=row.source),
        *map(sentence, row.notes), *([trained] if done else [])])))
    st.caption(_("What is trained goes into this server's store, for everybody who opens this page. Larger rows are "
                 "for the shell: `lpc paper list`, `lpc paper run`."))


def _ended(desk: ExperimentDesk) -> None:
    """What became of the last one."""
    if desk.error:
        st.error(plain(placeless(desk.error)), icon=":material/error:")
    for name, (status, reason) in desk.outcomes.items():
        words = plain(f"{name}: {_(status)}" + (f". {placeless(reason)}" if reason else ""))
        (st.error if status == "failed" else st.success)(words)


@fragment(POLL_S)
def _progress(desk: ExperimentDesk) -> None:
    """Progress and curves of the run being trained."""
    session.link_job(desk)
    held, run = shelf(), desk.now()
    share, what = desk.share, _("Phase diagram: {what}", what=_(desk.what))
    if run is not None:
        part, doing = held.store.progress(run) if held.store else (0.0, N_("starting"))
        share, what = (len(desk.outcomes) + part) / len(desk.runs), f"{run.name}: {_(doing)}"
    progress(desk, share, what, "paper_cancel")
    if run is not None:
        _live(held, run)


def _live(held: Shelf, run: Planned) -> None:
    """The run's curves so far, and the way to its live stage."""
    found = [each for each in held.runs if each.planned == run]
    cards(paper_cards(curves(found, SHOWN), [run.name]), "paper-live", columns=len(SHOWN))
    st.link_button(_("Watch this row's network live in Play"), f"play?{urlencode(to_short_texts(run.config))}",
                   icon=":material/sports_esports:",
                   help=_("The same network, data and seed with the outline of its γ; the row follows the published "
                          "courses by epoch."))
