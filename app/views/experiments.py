"""Reproduce: the paper's rows run here: tables with a verdict per claim, figures, every run, and a phase diagram."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app import session
from app.charts.paper_figure import paper_cards
from app.desks.experiments import ExperimentDesk, Shelf, shelf, shipped
from app.parts.cards import cards
from app.parts.film import style
from app.views import View, _experiments_launch, _experiments_phase, _experiments_runs
from app.views._plain import plain, warn
from app.words import N_, _
from lpc_core.experiments import SOURCE, Results, table_in_markdown, verdicts_in_markdown

INTRO = N_("""
Every row of the paper by its name, trained and measured with this code, beside what was published. “Paper” is
{source}; beside a stand-in such as digits it is that of the same row on CIFAR-10: for the direction, not the size.
""")
BESIDE_OURS = N_("This server's store has no finished runs yet. Below is what came with the lab; “Run a row” or "
                 "`lpc paper run digits/all --seeds 3` makes your own.")
NO_RUNS = N_("No runs yet: “Run a row” above, or `lpc paper run digits/all --seeds 3`, makes some.")
USUAL = ("lpc", "no-pen", "lin-pen")  # rows that a figure begins with


def render() -> None:
    """What is under way, then the section that is chosen."""
    tab = session.Session.current()
    desk = tab.linked_desk("experiments", ExperimentDesk)
    held = shelf()
    style()
    st.markdown(_(INTRO, source=SOURCE))
    warn((*tab.problems, *held.problems), ":material/warning:")
    _experiments_launch.render(desk, held)
    sections: dict[str, Callable[[], None]] = {
        N_("Verdicts"): lambda: _tables(held), N_("Figures"): lambda: _figures(held),
        N_("Runs"): lambda: _experiments_runs.render(held), N_("Phases"): lambda: _experiments_phase.render(tab, desk)}
    sections[st.radio(_("Section"), list(sections), key="paper_section", label_visibility="collapsed", horizontal=True,
                      format_func=_)]()


def _family(held: Shelf) -> Results | None:
    """The family of runs that is chosen: of the server's store, and where it has none, of those that were shipped."""
    own = held.results()
    found = sorted(own or shipped(), key=lambda each: -sum(row.seeds for row in each.tables[0].rows))  # what says most
    if not own:
        st.info(_(BESIDE_OURS if found else NO_RUNS), icon=":material/inventory_2:")
    if not found:
        return None
    names = [each.name for each in found]
    chosen = st.selectbox(_("Runs on"), names, key="paper_family",
                          help=_("Rows are compared within one data set, generation and variant."))
    return found[names.index(chosen)] if chosen in names else found[0]


def _tables(held: Shelf) -> None:
    each = _family(held)
    if each is None:
        return
    with st.container(key="paper_tables"):
        if each.about:
            st.caption(plain(each.about.replace("`", "")))
        st.header(_("The claims"), anchor=False)
        st.caption(_("A claim holds only if it does for every seed against every other."))
        st.markdown(verdicts_in_markdown(each.verdicts, _))
        for table in each.tables:
            st.header(_("Table {number}. {title}", number=table.number, title=_(table.title)), anchor=False)
            st.markdown(table_in_markdown(table, _))
            for note in dict.fromkeys(f"{row.label}: {row.note}" for row in table.rows if row.note):
                st.caption(plain(note))


def _figures(held: Shelf) -> None:
    each = _family(held)
    if each is None:
        return
    left, right = st.columns([1, 2])
    names = list(each.figures)
    name = left.selectbox(_("Figure"), names, names.index("5") if "5" in names else 0, key="paper_figure",
                          format_func=lambda name: _title(each, name))
    rows = [row.label for row in each.tables[0].rows]
    chosen = right.multiselect(_("Rows"), rows, _usual(rows), key=f"paper_rows_{each.name}")
    data = each.figures[name]
    cards(paper_cards(data, rows if name == "3" else chosen), f"paper-figure-{name}",
          columns=1 if name == "3" else 2)


def _title(each: Results, name: str) -> str:
    title = _(each.figures[name].title)
    return f"{name}. {title}" if name.isdigit() else title


def _usual(rows: Sequence[str]) -> list[str]:
    known = [row for row in rows if row.partition("/")[2].partition("@")[0].partition(" ")[0] in USUAL]
    return known or list(rows[:3])


VIEW = View("Reproduce", 7, render)
