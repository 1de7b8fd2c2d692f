"""The names of the classes: those of the file or the data set, or the reader's own; two files may share them."""

from __future__ import annotations

import functools

import streamlit as st

from app import session
from app.desks.inspections import Held, InspectDesk
from app.views._plain import plain
from app.words import _

MOST = 100_000  # characters


def field(desk: InspectDesk, held: Held, other: Held | None = None) -> None:
    """Take names for ``held``, or those typed for the ``other`` file, and draw the page anew with them."""
    names, key = held.inspection.embeddings.class_names, f"inspect_names_{desk.id}_{held.upload.path.name}"
    if typed := _of_the_other(names, other):
        st.button(plain(_("Class names of {name}", name=other.upload.name)) if other else "", key=f"{key}_other",
                  icon=":material/label:", disabled=desk.busy, on_click=functools.partial(session.fill, key, typed))
    session.fill(key, "\n".join(names) if held.own_names else "", anew=False)  # also after another page was looked at
    with st.popover(_("Class names"), icon=":material/label:", width="content"):
        text = st.text_area(_("{n} names, one in each line or with commas between them", n=f"{len(names):,}"),
                            key=key, max_chars=MOST, disabled=desk.busy,
                            placeholder="\n".join(held.own_names or names),
                            help=_("Leave it empty for the names of the file or the data set."))
        try:
            changed = desk.name_classes(text)
        except ValueError as error:
            st.error(plain(str(error)), icon=":material/block:")
            return
    if changed:
        st.rerun()


def _of_the_other(names: tuple[str, ...], other: Held | None) -> str:
    """What was typed for the classes of the ``other`` file, where as many are called ``names`` here."""
    given = other.inspection.embeddings.class_names if other is not None and other.own_names else ()
    return "\n".join(given) if len(given) == len(names) and given != names else ""
