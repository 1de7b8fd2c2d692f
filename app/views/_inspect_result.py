"""What an inspection shows: the cloud with its lists of samples, the charts, every number, and where it comes from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from app import session
from app.charts import Card, code_matrix, csv_text, foretold, head_rows, histograms
from app.charts.findings import findings, value
from app.desks.inspections import Held, InspectDesk
from app.looks import inspect_report
from app.parts.cards import cards
from app.parts.cloud import point_cloud
from app.parts.fragment import fragment
from app.parts.readings import readings_table
from app.parts.samples import MOST, sample_items, samples_list, telling_first
from app.views import _inspect_attack
from app.views._desk import asked
from app.views._inspect_files import sample_of
from app.views._plain import plain, sentence, warn
from app.words import _, language, speaking
from lpc_core.inspection import Inspection, readings_csv

MOST_NAMES = 100_000  # characters of all class names together
CODE_CLASSES = 60  # more classes than this have no code matrix one could read


def facts(desk: InspectDesk) -> None:
    """The file's name and size, and what it is."""
    upload = desk.upload if desk.held is None or desk.found is not None else desk.held.upload
    if upload is None:
        return
    size = f"{upload.size / 2**20:.1f} MB" if upload.size >= 2**20 else f"{max(1, upload.size // 1024):,} kB"
    words = [size] if desk.held is None or desk.held.upload is not upload else [size, *_shape(desk.held)]
    st.html(f'<p class="lpc-file-facts" data-testid="lpc-file"><b>{escape(upload.name)}</b><br>'
            f"<span>{escape(' · '.join(words))}</span></p>")


def _shape(held: Held) -> list[str]:
    found, layout = held.inspection.embeddings, held.inspection.layout
    samples, nodes = found.latents.shape
    words = [_("{n} samples", n=f"{samples:,}"), _("{n} nodes", n=f"{nodes:,}"),
             _("{n} classes", n=f"{len(found.class_names):,}")]
    taken = held.inspection.source.get("weights", [])[:1]
    return words if not layout else [str(layout.get("name", "")), *words, *(_("weights: {name}",
                                                                              name=name) for name in taken)]


def warnings(held: Held) -> None:
    """What must be known before the numbers are believed."""
    warn(map(sentence, held.inspection.embeddings.warnings), ":material/warning:")


def report_menu(held: Held) -> None:
    """The report as a page, JSON or CSV, made when it is asked for."""
    inspection, stem = held.inspection, held.upload.name.rsplit(".", 1)[0] or "inspection"
    with st.popover(_("Report"), icon=":material/download:", width="content"):
        for ending, mime, words, make in (
                ("html", "text/html", _("Page (HTML)"), inspect_report.report_html),
                ("json", "application/json", _("Numbers (JSON)"), inspect_report.report_json),
                ("csv", "text/csv", _("Numbers (CSV)"), readings_csv)):
            made = functools.partial(_spoken, language(), make, inspection)
            st.download_button(words, made, f"{stem}.report.{ending}", mime,
                               key=f"inspect_report_{ending}_{held.serial}", on_click="ignore", width="stretch")


def _spoken(language: str, make: Callable[[Inspection], str], inspection: Inspection) -> str:
    """The report in the reader's language: Streamlit makes it outside of the tab that asked for it."""
    with speaking(language):
        return make(inspection)


def names_field(desk: InspectDesk, held: Held, other: Held | None = None) -> None:
    """Take the reader's names of the classes, or those typed for the ``other`` file, and draw the page anew with them.

    Where as many have other names there, a button puts those in.
    """
    names, key = held.inspection.embeddings.class_names, f"inspect_names_{desk.id}_{held.upload.path.name}"
    theirs = other.inspection.embeddings.class_names if other is not None and other.own_names else ()
    if other is not None and len(theirs) == len(names) and theirs != names:
        st.button(plain(_("Class names of {name}", name=other.upload.name)), key=f"{key}_other",
                  icon=":material/label:", disabled=desk.busy, on_click=session.fill, args=(key, "\n".join(theirs)))
    session.fill(key, "\n".join(names) if held.own_names else "", anew=False)  # also after another page was looked at
    with st.popover(_("Class names"), icon=":material/label:", width="content"):
        text = st.text_area(_("{n} names, one in each line or with commas between them", n=f"{len(names):,}"),
                            key=key, max_chars=MOST_NAMES, disabled=desk.busy,
                            placeholder="\n".join(held.own_names or names),
                            help=_("Leave it empty for the names of the file or the data set."))
        try:
            changed = desk.name_classes(text)
        except ValueError as error:
            st.error(plain(str(error)), icon=":material/block:")
            return
    if changed:
        st.rerun()


def render(desk: InspectDesk, held: Held) -> None:
    """All of it."""
    warnings(held)
    _unlabelled(desk, held)
    _explore(desk, held)
    cards(held.once(f"cards {held.prediction is not None}", lambda: result_cards(held)), key="inspect-cards")
    readings_table(held.inspection.readings, "inspect-readings", _("All numbers"))
    _inspect_attack.render(desk, held)
    with st.expander(_("How the file was read")):
        origin(held)


def _unlabelled(desk: InspectDesk, held: Held) -> None:
    """The choice that samples without a class leave."""
    if not held.inspection.embeddings.unlabelled or desk.upload is not held.upload:
        return
    kept = "keep" in held.inspection.source.get("unlabelled", "")
    words = _("Leave them out") if kept else _("Count those without a class as one class more")
    if st.button(words, key=f"inspect_unlabelled_{held.serial}", disabled=desk.busy):
        with asked(desk):
            desk.inspect_but(unlabelled="leave out" if kept else "keep")
        st.rerun()


def head_alone(held: Held) -> None:
    """A head without samples: where its classes would fall, and its rows."""
    st.header(_("The head alone"), anchor=False)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        point_cloud(held, "inspect-head", _("Where its classes would fall"))
    with right:
        cards(held.once("cards", lambda: _head_cards(held)), key="inspect-head-cards", columns=1)


@fragment()
def _explore(desk: InspectDesk, held: Held) -> None:
    """The cloud and its lists: only this part runs again when samples are chosen."""
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        rows = cloud_of(desk, held, "inspect-cloud", _("The latents"), link=_link(held))
    with right:
        told = findings(held.inspection)
        if told:
            cards([], "inspect-findings", sentence=" ".join(told))
        lists_of(held, rows)


def cloud_of(desk: InspectDesk, held: Held, key: str, title: str, group: str = "inspect", *,
             link: Mapping[str, Any] | None = None) -> np.ndarray:
    """The point cloud of ``held``; a projection that is asked for is computed by ``desk``."""

    def want(method: str) -> None:
        with asked(desk):
            desk.project(method)
        st.rerun(scope="app")

    return point_cloud(held, key, title, group=group, want=want, link=link,
                       busy=desk.task if desk.running else "")


def _link(held: Held) -> dict[str, Any]:
    """What the cloud needs to be opened and shared by a link, which does not hold a file of somebody's own."""
    sample = sample_of(held.upload)
    share = session.share("inspect", {"file": sample} if sample else {})
    alone = _("The file does not travel with the link: whoever has a copy opens it there, and sees this.")
    return {"moment": session.Session.current().moment("inspect"),
            "share": share if sample else share | {"note": f"{alone} {share['note']}"}}


def lists_of(held: Held, rows: np.ndarray) -> None:
    """The chosen samples, else the wrong and the doubtful ones."""
    inspection = held.inspection
    if len(rows):
        note = (_("{n} samples, {most} of them listed, mistakes first, then the farthest from their centre",
                  n=f"{len(rows):,}", most=MOST) if len(rows) > MOST else
                _("{n} samples, mistakes first, then the farthest from their centre", n=f"{len(rows):,}"))
        samples_list(held, telling_first(held, rows), "inspect-chosen", _("Chosen"), note=note, group="inspect")
        st.download_button(_("Save the chosen ones as CSV"), lambda: samples_csv(held, rows), "lpc-lab-chosen.csv",
                           "text/csv", key="inspect_chosen_csv", on_click="ignore", icon=":material/download:")
        return
    wrong = inspection.misclassified
    if len(wrong):
        samples_list(held, wrong, "inspect-wrong", _("Misclassified"), note=_("The surest mistakes first."),
                     group="inspect")
    samples_list(held, inspection.ambiguous[:48], "inspect-ambiguous", _("Most ambiguous"), group="inspect",
                 note=_("Samples the head is least sure of, or that lie nearest to another class."))


def samples_csv(held: Held, rows: np.ndarray) -> str:
    """The samples as a table for a spreadsheet."""
    items = sample_items(held, rows)
    columns = {"row": "row", "class": "label", "predicted": "prediction", "distance_to_own_centre": "distance",
               "caption": "caption"}
    return csv_text({name: [item[key] for item in items] for name, key in columns.items()})


# ---- charts ------------------------------------------------------------------------------------------------------


def result_cards(held: Held) -> list[Card]:
    """Nodes, code, head and what it foretells."""
    inspection, found = held.inspection, held.inspection.embeddings
    drawn = histograms.info(found.latents, found.labels, found.class_names)
    made = [histograms.card(drawn, value(inspection, "gmm_peak_distance"))]
    if inspection.code and len(found.class_names) <= CODE_CLASSES:
        made += code_matrix.cards(inspection.code, found.class_names)
    return made + (_head_cards(held) if found.weight is not None else [])


def _head_cards(held: Held) -> list[Card]:
    found, prediction = held.inspection.embeddings, held.prediction
    assert found.weight is not None
    made = [head_rows.card(head_rows.info(found.weight, found.class_names))]
    if prediction is None:
        return made
    drawn = foretold.ForetoldInfo(prediction.gammas, prediction.radii, prediction.errors,
                                  value(held.inspection, "norm_mean"), prediction.critical, prediction.known)
    return [*made, foretold.card(drawn, prediction.note)]


# ---- words -------------------------------------------------------------------------------------------------------


def origin(held: Held) -> None:
    """Notes of how the file was read, then every fact about it."""
    inspection = held.inspection
    notes = "".join(f"<li>{escape(note)}</li>" for note in inspection.notes)
    facts = [*inspect_report.flat(inspection.source), *inspect_report.flat(inspection.layout or {})]
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in facts)
    st.html(f"<ul>{notes}</ul><table>{rows}</table>")
