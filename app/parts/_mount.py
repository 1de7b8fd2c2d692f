"""Mount: the one way a part of a page gets into the browser: a loader, a module of ours, its data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.static_files import address

# Streamlit sends inline code again at every mount, so it only loads the module, which the browser keeps.
_LOADER = """
export default function (component) {
  const host = component.parentElement, address = new URL(component.data.stage, document.baseURI);
  let stop;
  const load = () => import(address).then((module) => {
    if (host.lpcCalls.at(-1) !== load) return; // a busy browser may load for older data last
    host.lpcCalls = [load];
    stop = module.default(component);
  }, (error) => {
    if (!(error instanceof TypeError)) throw error;
    if (host.lpcCalls.includes(load)) setTimeout(load, 2_000); // the line is away, as the page says itself
  });
  host.lpcCalls = [...(host.lpcCalls ?? []), load];
  load();
  return () => {
    host.lpcCalls = host.lpcCalls.filter((one) => one !== load);
    if (stop) stop();
    else host.lpcCalls.at(-1)?.(); // called late, with data that were out of date
  };
}
"""


def mount(module: str, key: str, data: dict[str, Any], *answers: str,
          hears: Callable[[], None] = lambda: None) -> Any:
    """Draw ``data`` with ``static/``'s ``module`` ("room/file"); a call with the same ``key`` changes that part.

    When the component sets one of its states ``answers``, the page is drawn anew; returns what these hold. ``hears`` is
    called before, also where that drawing leads to another page; the tab holds them under ``key`` then.
    """
    component = st.components.v2.component("lpc_" + module.rpartition("/")[2], js=_LOADER, html="<div></div>",
                                           isolate_styles=False)
    # a state of a component is only kept when something listens for it; that it calls is enough
    told: dict[str, Any] = {f"on_{answer}_change": hears for answer in answers}
    return component(key=key, data={"stage": address(f"{module}.js"), "plotlyUrl": "lab/plotly.min.js", **data}, **told)


def file_url(token: str) -> str:
    """Where the page fetches the file that ``token`` opens."""
    return f"lab/file?token={token}"
