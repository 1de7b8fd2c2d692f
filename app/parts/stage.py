"""Mounts the stage: the component that draws a run in the browser and talks to it over its own WebSocket."""

from __future__ import annotations

import streamlit as st

# Streamlit sends inline code again at every mount, so it only loads the module, which the browser keeps.
LOADER = """
export default function (component) {
  let gone = false, stop;
  const address = new URL(component.data.stage, document.baseURI);
  import(address).then((module) => { if (!gone) stop = module.default(component); });
  return () => { gone = true; stop?.(); };
}
"""
STYLE = """
[data-testid="stMainBlockContainer"] { padding: 4.2rem 1.2rem 1rem; max-width: 1680px; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 4.2rem .6rem 1rem; } }
"""


def stage(token: str, module: str = "stage", **more: str) -> None:
    """Draw the run whose hub token this is with the JavaScript of ``module``, which also gets ``more``."""
    st.html(f"<style>{STYLE}</style>")
    component = st.components.v2.component("lpc_stage", js=LOADER, html="<div></div>", isolate_styles=False)
    component(key=module, data={
        "stage": f"lab/static/{module}.js",
        "plotlyUrl": "lab/plotly.min.js",
        "wsPath": "lab/ws",
        "token": token,
        **more,
    })
