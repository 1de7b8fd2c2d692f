"""Mount: the one way a part of a page gets into the browser: a loader, a module of ours, its data."""

from __future__ import annotations

from typing import Any

import streamlit as st

# Streamlit sends inline code again at every mount, so it only loads the module, which the browser keeps.
_LOADER = """
export default function (component) {
  let gone = false, stop;
  const address = new URL(component.data.stage, document.baseURI);
  const load = () => import(address).then((module) => { if (!gone) stop = module.default(component); }, (error) => {
    if (!(error instanceof TypeError)) throw error;
    if (!gone) setTimeout(load, 2_000); // the line is away, as the page says itself
  });
  load();
  return () => { gone = true; stop?.(); };
}
"""


def mount(module: str, key: str, data: dict[str, Any], **answers: Any) -> Any:
    """Draw ``data`` with ``static/``'s ``module`` ("room/file"); a call with the same ``key`` changes that part.

    ``answers`` are Streamlit's ``on_…_change`` callbacks; returns what the component's state holds.
    """
    component = st.components.v2.component("lpc_" + module.rpartition("/")[2], js=_LOADER, html="<div></div>",
                                           isolate_styles=False)
    return component(key=key, data={"stage": f"lab/static/{module}.js", "plotlyUrl": "lab/plotly.min.js", **data},
                     **answers)


def file_url(token: str) -> str:
    """Where the page fetches the file that ``token`` opens."""
    return f"lab/file?token={token}"
