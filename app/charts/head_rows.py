"""The head's rows W_k: how strongly each class reads each node, and how even the rows are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.charts import Card, _ink
from app.charts.words import number, percent, shown
from app.words import _
from lpc_core.metrics import weight_abs_cv

MOST_CELLS = 6_400  # of the picture; of larger heads the rows' norms are drawn
MOST_SAVED = 640_000  # numbers of a CSV file
MOST_NUMBERS = 12  # nodes and classes whose cells have room for their number


class HeadInfo(NamedTuple):
    """A head as drawn."""

    weight: np.ndarray  # (K, d)
    names: tuple[str, ...]  # (K,)
    norms: np.ndarray  # (K,)
    node_cv: float  # mean over nodes of std/mean of |W_kj|


def info(weight: np.ndarray, names: Sequence[str]) -> HeadInfo:
    """The head ``weight`` (K, d) of the classes ``names``."""
    weight, spread = np.asarray(weight, np.float64), weight_abs_cv(weight)
    node_cv = float(np.nanmean(spread)) if np.isfinite(spread).any() else np.nan  # a head of zeros reads no node
    return HeadInfo(weight, tuple(names), np.linalg.norm(weight, axis=1), node_cv)


def figure(drawn: HeadInfo) -> go.Figure:
    """The weights as a heat map, blue above 0 and orange below; of a large head the rows' norms."""
    if drawn.weight.size > MOST_CELLS:
        return _norms(drawn)
    most = float(np.abs(drawn.weight).max()) or 1.0
    axis = {"showgrid": False, "showline": False, "ticks": "", "fixedrange": True, "type": "category", "nticks": 32}
    chart = go.Figure(layout={"xaxis": {**axis, "title": {"text": _("node")}},
                              "yaxis": {**axis, "title": {"text": _("class")}, "autorange": "reversed"}})
    room = max(drawn.weight.shape) <= MOST_NUMBERS
    chart.add_heatmap(z=drawn.weight, x=[f"z{j + 1}" for j in range(drawn.weight.shape[1])],
                      y=list(map(shown, drawn.names)), zmin=-most, zmax=most, xgap=2 * room, ygap=2 * room,
                      showscale=False, colorscale=[[0, _ink.ORANGE], [0.5, _ink.PANEL], [1, _ink.BLUE]],
                      hovertemplate=_("%{y} reads %{x} with weight %{z:.3g}<extra></extra>"))
    if room:
        chart.update_traces(texttemplate="%{z:.2g}", textfont={"size": 11})
    return chart


def _norms(drawn: HeadInfo) -> go.Figure:
    order = np.argsort(-drawn.norms, kind="stable")
    chart = go.Figure(layout={"xaxis": {"title": {"text": _("class, strongest first")}, "showticklabels": False},
                              "yaxis": {"title": {"text": "‖W_k‖"}, "rangemode": "tozero"}, "bargap": 0})
    chart.add_bar(x=np.arange(len(order)), y=drawn.norms[order], marker={"color": _ink.BLUE, "line": {"width": 0}},
                  customdata=[shown(drawn.names[k]) for k in order],
                  hovertemplate="%{customdata}: %{y:.3g}<extra></extra>")
    return chart


def sentence(drawn: HeadInfo) -> str:
    """How even the weights are, in words."""
    classes, nodes = drawn.weight.shape
    spread = float(drawn.norms.std() / drawn.norms.mean()) if drawn.norms.mean() > 0 else np.nan
    even = _("the head reads each node as ±a") if drawn.node_cv < 0.1 else _("the head does not read its nodes as ±a")
    length = number(float(drawn.norms.mean()))
    return _("{classes} classes read {nodes} nodes; the rows' lengths average {length} and differ by {spread}. Within "
             "a node |W| varies by {variation}: {even}.", classes=f"{classes:,}", nodes=f"{nodes:,}", length=length,
             spread=percent(spread), variation=percent(drawn.node_cv), even=even)


def card(drawn: HeadInfo) -> Card:
    """The chart on a page."""
    classes, nodes = drawn.weight.shape
    rows = _rows(drawn) if drawn.weight.size <= MOST_SAVED else {}
    aspect = min(0.8, max(0.5, 0.9 * classes / max(nodes, 1))) if classes > 12 else 0.62
    return Card("head", _("The head's rows"), figure(drawn), sentence(drawn),
                ("weight_norm", "weight_abs_cv"), rows, aspect=aspect)


def _rows(drawn: HeadInfo) -> dict[str, Sequence[object]]:
    classes, nodes = drawn.weight.shape
    return {"class": [name for name in drawn.names for _ in range(nodes)],
            "node": [f"z{j + 1}" for j in range(nodes)] * classes, "weight": drawn.weight.ravel().tolist()}
