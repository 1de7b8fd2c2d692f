"""The runs of the server's store: browse, filter, compare their curves and settings, open one in Inspect or Play."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from app import session
from app.charts.paper_figure import called, paper_cards
from app.desks.experiments import Shelf, placeless
from app.desks.inspections import Upload
from app.parts.cards import cards
from app.views._desk import asked
from app.views._place import page_of
from app.views._plain import plain, warn
from app.words import N_, _
from lpc_core.config import ConfigError, restored
from lpc_core.experiments import QUANTITIES, FigureData, StoredRun, StoreError, value_of
from lpc_core.parsing import to_short_texts

COLUMNS = ("test_accuracy", "train_accuracy", "spread", "norm_cv", "separation", "deepfool", "smallest", "p_y",
           "seconds")
SHOWN = ("train_accuracy", "within_class_spread", "gamma")
ALL, DONE, UNDER_WAY, DIVERGED = N_("all runs"), N_("done"), N_("under way"), N_("diverged")
MOST = 6  # runs compared
STATE = "state.safetensors"


def render(held: Shelf) -> None:
    """A table of all; below it those that are chosen, side by side."""
    if not held.runs or held.store is None:
        st.info(_("The server's store has no runs yet: “Run a row” above, or `lpc paper run digits/lpc`, makes some."),
                icon=":material/inventory_2:")
        return
    left, right = st.columns([2, 1])
    wanted = left.text_input(_("Filter by name"), key="paper_filter", placeholder="digits/lpc", max_chars=80).strip()
    state = right.selectbox(_("State"), [ALL, DONE, UNDER_WAY, DIVERGED], key="paper_state", format_func=_)
    told = {run.planned.name: (run, status_of(held, run)) for run in held.runs}
    shown = {name: entry for name, entry in told.items() if wanted.lower() in name and _fits(entry[1], state)}
    _table(shown)
    names = st.multiselect(_("Compare"), list(told), key="paper_compare", max_selections=MOST,
                           placeholder=_("choose runs to see their curves side by side"))
    chosen = [told[name][0] for name in names if name in told]
    if chosen:
        _compare(chosen)
        _open(chosen)


def status_of(held: Shelf, run: StoredRun) -> str:
    """done, diverged, or how far it is."""
    if run.report is not None:
        return DIVERGED if run.diverged else DONE
    share, what = held.store.progress(run.planned) if held.store else (0.0, N_("waiting"))
    return f"{_(what)}, {share:.0%}"


def _fits(status: str, wanted: str) -> bool:
    return wanted in (ALL, status if status in (DONE, DIVERGED) else UNDER_WAY)


def _table(shown: dict[str, tuple[StoredRun, str]]) -> None:
    columns: dict[str, list[Any]] = {_("run"): list(shown), _("state"): [_(status) for run, status in shown.values()]}
    for name in COLUMNS:
        columns[_(QUANTITIES[name][1])] = [value_of(run, name) if run.report else math.nan
                                           for run, status in shown.values()]
    st.dataframe(columns, hide_index=True, height=min(420, 40 + 35 * max(1, len(shown))), column_config={
        title: st.column_config.NumberColumn(format="%.4g") for title in list(columns)[2:]})
    st.caption(_("{n} runs. A column's head sorts by it; training is in seconds.", n=len(shown)))


# ---- several, side by side ---------------------------------------------------------------------------------------


def curves(runs: Sequence[StoredRun], quantities: Sequence[str]) -> FigureData:
    """Quantities of every look against the epoch, a series per run, as far as each has come."""
    lines = [{"row": run.planned.name, "seed": run.planned.seed, "epoch": line["epoch"], "quantity": name,
              "value": line[name]} for run in runs for line in run.epochs() for name in quantities
             if line.get(name) is not None and math.isfinite(line[name])]
    return FigureData("5", N_("The runs over training"), "epoch", "value", "quantity", (False, True), tuple(lines),
                      () if lines else (N_("Nothing has been measured yet."),))


def _compare(runs: Sequence[StoredRun]) -> None:
    try:
        lines = {name for run in runs for line in run.epochs() for name, value in line.items()
                 if isinstance(value, float)}
        wanted = st.multiselect(_("Curves"), sorted(lines), [name for name in SHOWN if name in lines],
                                key="paper_curves", format_func=lambda name: _(called(name)))
        cards(paper_cards(curves(runs, wanted), [run.planned.name for run in runs]), "paper-runs")
    except StoreError as error:
        st.error(plain(placeless(str(error))), icon=":material/error:")
        return
    settings = {run.planned.name: run.about.get("config") or {} for run in runs}
    differ = [name for name in next(iter(settings.values()))
              if len({str(each.get(name)) for each in settings.values()}) > 1]
    if differ:
        st.caption(_("Settings in which they differ"))
        st.dataframe({_("setting"): differ} | {run: [str(each.get(name)) for name in differ]
                                            for run, each in settings.items()}, hide_index=True)


# ---- one, elsewhere ----------------------------------------------------------------------------------------------


def _open(runs: Sequence[StoredRun]) -> None:
    """A run's checkpoint, or the latents of one of its looks, in Inspect; its settings in Play."""
    names = [run.planned.name for run in runs]
    first, second, third, fourth = st.columns([3, 2, 1, 1], vertical_alignment="bottom")
    name = first.selectbox(_("Open one"), names, key="paper_open")
    run = runs[names.index(name)] if name in names else runs[0]
    moments = _moments(second, run)
    if third.button(_("Inspect"), key="paper_inspect", icon=":material/search:", width="stretch",
                    disabled=not (run.folder / STATE).is_file()):
        _inspect(run, moments)
    try:
        texts, wrong = to_short_texts(restored(run.about.get("config"))), []
    except ConfigError as error:  # another version wrote them
        texts, wrong = {}, [str(error)]
    fourth.link_button(_("Play"), f"play?{urlencode(texts)}", icon=":material/sports_esports:", width="stretch",
                       disabled=bool(wrong),
                       help=_("The network, data and seed of this run, live, with the outline of its γ."))
    warn(wrong, ":material/warning:")


def _moments(place: Any, run: StoredRun) -> int | None:
    """Which look is wanted: the latents of any, or the last, whose checkpoint is kept."""
    latents = run.latents()
    epochs = {line["step"]: line["epoch"] for line in run.epochs()}
    words: dict[int | None, str] = {None: _("the last checkpoint")}
    if latents is not None:
        words |= {number: _("latents of epoch {epoch} (γ {gamma})", epoch=epochs.get(step, "?"), gamma=f"{gamma:.3g}")
                  for number, (step, gamma) in enumerate(zip(latents.steps.tolist(), latents.gammas, strict=True))}
    chosen: int | None = place.selectbox(_("What of it"), list(words), format_func=words.__getitem__,
                                         key=f"paper_moment_{run.planned.name}")
    return chosen


def _inspect(run: StoredRun, moment: int | None) -> None:
    """Lay it on the tab's inspection desk and go there."""
    desk, stem = session.Session.current().inspect_desk(), run.planned.name.replace("/", "-")
    with asked(desk):
        if moment is None:
            path = run.folder / STATE
            desk.accept(Upload(f"{stem}.safetensors", path, path.stat().st_size))
        else:
            desk.take(f"{stem}-look-{moment}.npz", _embeddings(run, moment))
    st.switch_page(page_of("inspect", "Inspect"))


def _embeddings(run: StoredRun, moment: int) -> io.BytesIO:
    """The latents of one look, with their labels, as a file that Inspect takes."""
    kept, raw = run.latents(), io.BytesIO()
    if kept is not None:
        np.savez(raw, latents=kept.latents[moment], labels=kept.labels)
    raw.seek(0)
    return raw
