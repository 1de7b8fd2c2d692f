"""The phase diagram γ × head learning rate: drawn cell by cell, or one that is kept; each cell a link into Play."""

from __future__ import annotations

import streamlit as st

from app import session
from app.charts import csv_text
from app.desks.experiments import GRIDS, Diagram, ExperimentDesk, diagrams
from app.looks.phase_grid import STYLE, grid, sentence
from app.parts.cards import cards
from app.parts.fragment import fragment
from app.views._desk import asked
from app.views._plain import warn
from app.words import N_, _
from lpc_core.experiments import as_lines
from lpc_core.film import shortened
from lpc_core.parsing import format_settings, short_texts

ABOUT = N_("""
One run per cell, all from one seed: γ grows to the right, the learning rate of the head upwards. Classes collapse to
points where the head keeps up with γ; where γ outruns it, everything falls onto one point and the network guesses.
A cell opens its run live in Play.
""")
OWN, STEPS, MOST_STEPS = N_("this tab's run"), 600, 5_000
POLL_S = 1.0


def render(tab: session.Session, desk: ExperimentDesk) -> None:
    """The diagram that grows or is chosen, and the offer to draw another."""
    st.html(f"<style>{STYLE}</style>")
    st.markdown(_(ABOUT))
    _offer(tab, desk)
    kept, problems = diagrams()
    warn(problems, ":material/warning:")
    names = [*([OWN] if desk.diagram else []), *kept]
    if not names:
        st.caption(_("None is kept yet: `lpc phase --out lpc-store/phase/NAME.json` keeps one for this page."))
        return
    name = st.selectbox(_("Diagram"), names, key=f"paper_diagram_{len(names)}",
                        format_func=lambda name: _(name) if name == OWN else name)
    if name == OWN and desk.running:
        fragment(POLL_S)(_growing)(desk)
    elif found := desk.diagram if name == OWN else kept.get(name):
        _draw(found)


def _offer(tab: session.Session, desk: ExperimentDesk) -> None:
    with st.expander(_("Draw one of this tab's run"), icon=":material/grid_on:"):
        st.code(format_settings(short_texts(tab.run)), language=None, wrap_lines=True)
        left, middle, right = st.columns([1, 1, 1], vertical_alignment="bottom")
        size = left.selectbox(_("Size"), list(GRIDS), key="phase_size", format_func=lambda side: _(GRIDS[side]))
        steps = middle.number_input(_("Steps of every run"), 10, MOST_STEPS, STEPS, 100, key="phase_steps")
        if right.button(_("Draw it"), type="primary", key="phase_draw", icon=":material/grid_on:", width="stretch",
                        disabled=desk.running):
            with asked(desk):
                desk.draw_phases(shortened(tab.run, int(steps)), int(size))
            st.rerun()
        st.caption(_("What the run is, is chosen in Play. All γ of one head rate train at once; the diagram grows row "
                     "by row, and stays with this tab."))


def _growing(desk: ExperimentDesk) -> None:
    if desk.diagram is not None:
        _draw(desk.diagram)
    if not desk.running:
        st.rerun(scope="app")


def _draw(diagram: Diagram) -> None:
    if not diagram.cells:
        st.caption(_("The first row of cells is being trained."))
        return
    cards([], "phase-sentence", sentence=sentence(diagram.cells))
    st.html(grid(diagram.config, diagram.cells))
    missing = diagram.planned - len(diagram.cells)
    if missing:
        st.caption(_("{n} runs are still missing.", n=missing))
    lines = as_lines(diagram.cells)
    st.download_button(_("Numbers (CSV)"), csv_text({name: [line[name] for line in lines] for name in lines[0]}),
                       "lpc-lab-phase.csv", "text/csv", icon=":material/download:", on_click="ignore",
                       key="phase_csv")
