"""The names of the classes: those of the file or the data set, or the reader's own."""

from __future__ import annotations

import streamlit as st

from app.desks.inspections import Held, InspectDesk
from app.views._plain import plain
from app.words import _

MOST = 100_000  # characters


def field(desk: InspectDesk, held: Held) -> None:
    """Take names for ``held``, and draw the page anew with them."""
    names = held.inspection.embeddings.class_names
    given = "\n".join(names) if held.own_names else ""  # also after another page was looked at
    with st.popover(_("Class names"), icon=":material/label:", width="content"):
        text = st.text_area(_("{n} names, one in each line or with commas between them", n=f"{len(names):,}"), given,
                            key=f"inspect_names_{desk.id}_{held.upload.path.name}", max_chars=MOST, disabled=desk.busy,
                            placeholder="\n".join(held.own_names or names),
                            help=_("Leave it empty for the names of the file or the data set."))
        try:
            changed = desk.name_classes(text)
        except ValueError as error:
            st.error(plain(str(error)), icon=":material/block:")
            return
    if changed:
        st.rerun()
