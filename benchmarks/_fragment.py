"""The peer of `benchmarks.stage`: as many points in a fragment that redraws st.plotly_chart as fast as it can."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

CLASSES, POINTS = 4, 2_000


@st.fragment(run_every=0.02)
def chart() -> None:
    """One frame: 2,000 moving points in four colours, numbered in the title."""
    frame = st.session_state.frame = st.session_state.get("frame", 0) + 1
    noise = np.random.default_rng(frame).standard_normal((CLASSES, POINTS // CLASSES, 2))
    traces = [go.Scattergl(x=n[:, 0], y=n[:, 1], mode="markers") for n in noise]
    st.plotly_chart(go.Figure(traces, {"title": {"text": f"frame {frame}"}, "height": 500}), key="chart")


chart()
