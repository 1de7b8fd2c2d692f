"""Mounts the collapse microscope: the component that zooms into one class of any moment of a study."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.parts.stage import LOADER


def microscope(steps: Sequence[int], tokens: Sequence[str], class_names: Sequence[str]) -> None:
    """Show the moments at ``steps`` (T,), whose files ``tokens`` (T,) open; ``class_names`` (K,)."""
    component = st.components.v2.component("lpc_microscope", js=LOADER, html="<div></div>", isolate_styles=False)
    component(key="microscope", data={
        "stage": "lab/static/microscope.js",
        "plotlyUrl": "lab/plotly.min.js",
        "classNames": list(class_names),
        "moments": [{"step": int(step), "url": f"lab/file?token={token}"}
                    for step, token in zip(steps, tokens, strict=False)],
    })
