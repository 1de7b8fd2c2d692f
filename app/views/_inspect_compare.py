"""Two files side by side: linked clouds, and the numbers in which they differ."""

from __future__ import annotations

import math
from html import escape

import streamlit as st

from app import session
from app.charts.words import number
from app.desks.inspections import Held, InspectDesk
from app.parts.fragment import fragment
from app.views import _inspect_checkpoint, _inspect_files, _inspect_result
from app.views._plain import plain
from app.words import _
from lpc_core.metrics import METRICS

GROUP = "inspect-compare"


def toggle() -> None:
    """The button that opens the second place."""
    tab = session.Session.current()
    words = _("Stop comparing") if tab.comparing_files else _("Compare with…")
    if st.button(words, key="inspect_compare", icon=":material/compare:"):
        tab.comparing_files = not tab.comparing_files
        st.rerun()


def render(first: InspectDesk, second: InspectDesk) -> None:
    """Both files; the differences once both are there."""
    if first.held is None:
        st.caption(_("Open a first file; then a second one can stand beside it."))
        return
    _side_by_side(first, second)
    if second.held is not None:
        st.header(_("In numbers"), anchor=False)
        st.html(differences(first.held, second.held))
        for note in _notes(first.held, second.held):
            st.caption(plain(note))


@fragment()
def _side_by_side(first: InspectDesk, second: InspectDesk) -> None:
    left, right = st.columns(2, gap="small")
    assert first.held is not None
    with left:
        _inspect_result.warnings(first.held)
        _inspect_result.cloud_of(first, first.held, "inspect-first", first.held.upload.name, GROUP)
    with right:
        if second.held is not None:
            _inspect_result.warnings(second.held)
            _inspect_result.cloud_of(second, second.held, "inspect-second", second.held.upload.name, GROUP)
            with st.container(horizontal=True):
                _inspect_result.names_field(second, second.held, first.held)
        elif second.found is not None:
            _inspect_checkpoint.render(second)
    with right, st.expander(_("Another second file") if second.held else _("Compare with…"),
                              expanded=second.held is None):
        _inspect_files.uploader(second, _("The second checkpoint or embeddings"))
        _inspect_files.samples(second, _("or one of these"))


def differences(first: Held, second: Held) -> str:
    """A table of both files' readings and their ratio; every text escaped."""
    a, b = first.inspection.readings, second.inspection.readings
    rows = []
    for name in [name for name in a if name in b]:
        one, two = a[name].value, b[name].value
        ratio = two / one if one and math.isfinite(one) and math.isfinite(two) and one * two > 0 else math.nan
        title = _(METRICS[name].title) if name in METRICS else name
        rows.append(f"<tr><td>{escape(title)}</td><td>{_shown(one)}</td><td>{_shown(two)}</td>"
                    f"<td>{'' if math.isnan(ratio) else f'× {number(ratio, 3)}'}</td></tr>")
    titles = (_("quantity"), first.upload.name, second.upload.name, _("second / first"))
    heads = "".join(f"<th>{escape(title)}</th>" for title in titles)
    return (f'<table class="lpc-differences" data-testid="lpc-differences"><thead><tr>{heads}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table>")


def _shown(value: float) -> str:
    return _("undefined") if math.isnan(value) else number(value, 4)


def _notes(first: Held, second: Held) -> list[str]:
    """How alike the latents themselves are, computed once for a pair."""
    from lpc_core.inspection import compare

    found = first.once(f"compare {second.upload.path} {second.serial}",
                       lambda: compare(first.inspection, second.inspection))
    told = []
    if found["alignment"] is not None:
        left = 100 * found["alignment"]["disparity"]
        told.append(_("Class means laid over each other (rotation and scale) leave {left} % of their spread "
                      "unexplained.", left=f"{left:.2g}"))
    if found["cka"] is not None:
        told.append(_("Linear CKA of the latents, sample by sample: {cka} (1: the same up to rotation and scale).",
                      cka=f"{found['cka']:.3f}"))
    return [*told, *found["notes"]]
