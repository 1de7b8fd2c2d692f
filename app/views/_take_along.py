"""What a reader may take along of a run: one file that trains it anywhere, its command, its settings."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from app.looks.script import no_script, script
from app.offline.reach import needs_server
from app.views._form import folded
from app.views._plain import plain, sentence
from app.words import _, language
from lpc_core.config import RunConfig, flatten
from lpc_core.files.plain_json import dumps
from lpc_core.parsing import format_settings, short_texts
from lpc_core.run_group import RunGroup, alone


def take_along(run: RunConfig) -> None:
    """The ways to go on with ``run`` elsewhere, in the sidebar."""
    along = st.expander(_("Take it along"), key=folded("Take it along"), on_change="rerun")
    if not along.open:  # a browser asks for 1.5 MB to show a command
        return
    with along:
        one_file(alone(run), short_texts(run))
        st.code(command(run), language="bash", wrap_lines=True)
        st.download_button(_("Settings as JSON"), dumps(flatten(run), indent=1), f"{_name(run)}.json",
                           "application/json", icon=":material/settings:", on_click="ignore", width="stretch")
        if not no_script(run):
            st.download_button(_("PyTorch script"), script(run), f"{_name(run).replace('-', '_')}.py", "text/x-python",
                               icon=":material/code:", on_click="ignore", width="stretch",
                               help=_("The same recipe in plain PyTorch, in one short program without the lab."))


def one_file(group: RunGroup, texts: Mapping[str, object]) -> None:
    """The button that downloads ``group``, which ``texts`` name, as a page; or why there is none."""
    reason, query = needs_server(group), urlencode({**texts, "lang": language()})
    st.link_button(_("Download as one file"), f"lab/run.html?{query}", icon=":material/download:",
                   disabled=bool(reason), width="stretch",
                   help=_("One HTML file that trains this run in any browser, without a server and without a network."))
    if reason:
        st.caption(plain(sentence(reason)))


def command(run: RunConfig) -> str:
    """The line that trains ``run`` in a shell."""
    return f"lpc train {format_settings(short_texts(run))}"


def _name(run: RunConfig) -> str:
    return f"lpc-{run.data.dataset}-{run.seed}"
