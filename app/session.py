"""What one browser tab holds: its run's configuration, its link and its place at the hub.

The only module that touches ``st.session_state``, ``st.query_params`` and Streamlit's caches.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st

from app.live import hub
from lpc_core.config import ConfigError, RunConfig, flatten, unflatten
from lpc_core.parsing import format_value, parse_run_leniently, parse_value, to_texts
from lpc_core.presets import default_run

_STREAMLIT_PARAMETERS = ("embed", "embed_options")


class Session:
    """The state behind one tab. Streamlit runs the script again and again; this is what stays."""

    def __init__(self) -> None:
        given = {name: text for name, text in st.query_params.items() if name not in _STREAMLIT_PARAMETERS}
        self.run, errors = parse_run_leniently(given)
        self.problems = [_explain(error, self.run) for error in errors]
        self.form = 0  # grows when the form must forget what was typed
        self.place: hub.SessionHandle | None = None

    def change(self, name: str, given: object) -> None:
        """Set one setting, as a form gives it; a value that is not allowed changes nothing but the message."""
        self.problems = []
        try:
            value = parse_value(name, given)
            if name == "dataset":
                seed = self.run.seed
                self.replace(unflatten({"seed": seed}, default_run(value)))
            else:
                self.replace(unflatten({name: value}, self.run))
        except ConfigError as error:
            self.problems = [_explain(error, self.run)]
            self.form += 1

    def replace(self, run: RunConfig) -> None:
        """Start another run in this tab."""
        if run.data.dataset != self.run.data.dataset:
            self.form += 1
        self.run = run
        if self.place is not None and hub.current().alive(self.place.id):
            hub.current().configure(self.place.id, run)

    def connect(self) -> hub.SessionHandle:
        """Return this tab's place at the hub, taken anew if the old one was given up."""
        if self.place is None or not hub.current().alive(self.place.id):
            self.place = hub.current().open(self.run)
            _release_when_gone(self.place.id)
        return self.place


def _explain(error: ConfigError, run: RunConfig) -> str:
    used = flatten(run).get(error.field)
    return str(error) + (f". Using {format_value(used)}." if used is not None else ". It is ignored.")


def current() -> Session:
    """Return this tab's session."""
    if "lpc" not in st.session_state:
        st.session_state.lpc = Session()
    return st.session_state.lpc


def write_link() -> str:
    """Put the whole run into the address bar and return it as a query string."""
    texts = to_texts(current().run)
    if {name: st.query_params.get(name) for name in texts} != texts:
        kept = {name: st.query_params[name] for name in _STREAMLIT_PARAMETERS if name in st.query_params}
        st.query_params.from_dict({**kept, **texts})
    return "?" + urlencode(texts)


def link() -> str:
    """The address that opens this very run."""
    base = (st.context.url or "").split("?")[0]
    return base.rstrip("/") + "/" + write_link()


def changed(name: str, key: str) -> Callable[[], None]:
    """A widget's ``on_change``: carry the widget's value into setting ``name``."""

    def carry() -> None:
        current().change(name, st.session_state[key])

    return carry


def _release(place: str) -> None:
    hub.current().close(place)


@st.cache_resource(scope="session", on_release=_release, show_spinner=False)
def _release_when_gone(place: str) -> str:
    """Tie the hub's place to the browser session: Streamlit releases it when the tab is gone."""
    return place

