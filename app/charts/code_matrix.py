"""The binary code: which sign every class has in every node, and in how many nodes two classes differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.charts import Card, Chart, _ink
from app.charts.words import listed, percent, shown
from app.words import N_, _

ABOUT_CODE = N_("The sign that most samples of a class have in each node. With two opposite values per node a class "
                "sits on a corner of the hypercube {−1, +1}ᵈ; the signs say which (arXiv 2310.08224, binary encoding).")
ABOUT_HAMMING = N_("The Hamming distance of two classes: the number of nodes in which their codes have opposite signs. "
                   "A code with larger distances still tells the classes apart when single nodes fail. The report on "
                   "the code is this project's.")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
MAX_SIGNS = 400  # cells that still have room for a sign
MAX_MARKED = 40  # nodes among which single unused ones can be marked
WHOLE = 0.999  # share of samples on their class's vertex from which the code is called complete


class CodeInfo(NamedTuple):
    """The code as drawn: classes downward, nodes to the right."""

    names: tuple[str, ...]  # (K,)
    nodes: tuple[str, ...]  # (d,)
    signs: np.ndarray  # (K, d) −1, 0, 1
    hamming: np.ndarray  # (K, K) float, NaN beside an empty class
    unused: tuple[int, ...]
    collisions: tuple[tuple[int, ...], ...]
    whole: float  # share of samples that lie on their class's vertex


def info(report: Mapping[str, Any] | None, names: Sequence[str] = ()) -> CodeInfo:
    """The code of ``report`` (`CodeReport.plain`); ``names`` of the classes 0…K−1. Empty before there is a report."""
    if report is None:
        return CodeInfo((), (), np.zeros((0, 0)), np.zeros((0, 0)), (), (), np.nan)
    known = tuple(names[c] if isinstance(c, int) and c < len(names) else str(c) for c in report["classes"])
    signs, hamming = np.array(report["code"], np.int64), np.array(report["hamming"], np.float64)
    return CodeInfo(known, tuple(f"z{j + 1}".translate(_SUBSCRIPTS) for j in range(signs.shape[1])), signs,
                    np.where(hamming < 0, np.nan, hamming), tuple(report["unused"]),
                    tuple(map(tuple, report["collisions"])), float(report["on_vertex_share"]))


def figure(drawn: CodeInfo) -> go.Figure:
    """Signs as a heat map; nodes that tell no classes apart are hatched out."""
    chart = go.Figure(layout=_layout(drawn, _("node")))
    if not drawn.names:
        return chart
    signs = np.where(drawn.signs > 0, "+", np.where(drawn.signs < 0, "−", "0"))
    chart.add_heatmap(
        z=drawn.signs, x=drawn.nodes, y=list(map(shown, drawn.names)), zmin=-1, zmax=1, showscale=False, xgap=2, ygap=2,
        colorscale=[[0, _ink.ORANGE], [0.5, _ink.GRID], [1, _ink.BLUE]], customdata=signs,
        hovertemplate=_("%{y}, node %{x}: %{customdata}<extra></extra>"))
    if drawn.signs.size <= MAX_SIGNS:
        chart.update_traces(text=signs, texttemplate="%{text}", textfont={"size": 15, "color": _ink.PANEL})
    for node in drawn.unused if len(drawn.nodes) <= MAX_MARKED else ():
        chart.add_shape(type="rect", x0=node - 0.5, x1=node + 0.5, y0=-0.5, y1=len(drawn.names) - 0.5, line_width=0,
                        fillcolor=_ink.faint(_ink.PANEL, 70))
        chart.add_annotation(x=node, y=(len(drawn.names) - 1) / 2, text=_("unused"), textangle=-90, showarrow=False,
                             font={"color": _ink.TEXT, "size": 12})
    return chart


def distances(drawn: CodeInfo) -> go.Figure:
    """Hamming distances between the classes' codes."""
    chart = go.Figure(layout=_layout(drawn, _("class")))
    if not drawn.names:
        return chart
    names = list(map(shown, drawn.names))
    most = max(1.0, float(np.nanmax(drawn.hamming))) if np.isfinite(drawn.hamming).any() else 1.0
    chart.add_heatmap(
        z=drawn.hamming, x=names, y=names, zmin=0, zmax=most, showscale=False, xgap=2, ygap=2,
        colorscale=[[0, _ink.faint(_ink.BLUE, 6)], [1, _ink.faint(_ink.BLUE, 75)]],
        hovertemplate=_("%{y} and %{x} differ in %{z} nodes<extra></extra>"))
    if drawn.hamming.size <= MAX_SIGNS:
        chart.update_traces(texttemplate="%{z}", textfont={"size": 13, "color": _ink.TEXT})
    return chart


def _layout(drawn: CodeInfo, across: str) -> go.Layout:
    empty = not drawn.names
    axis = {"showgrid": empty, "showline": False, "ticks": "", "fixedrange": True, "nticks": 20}
    kind = {} if empty else {"type": "category"}
    bare = {"range": [0, 1], "showticklabels": False} if empty else {}
    return go.Layout(xaxis={**axis, **kind, **bare, "title": {"text": across}},
                     yaxis={**axis, **kind, **bare, "title": {"text": _("class")}, "autorange": "reversed"})


def sentence(drawn: CodeInfo) -> str:
    """What the code can and cannot tell apart, collisions and unused nodes by name."""
    if not drawn.names:
        return _("Each class will get a row of signs, one per node: the vertex of the hypercube it settles on.")
    shared = [_(" and ").join(drawn.names[c] for c in group) for group in drawn.collisions]
    if shared:
        told = _("The code is not complete: {shared} share one vertex, so no sign tells them apart.",
                 shared=listed(shared))
    elif drawn.whole >= WHOLE:
        told = _("The code is complete: every class has a vertex of its own, and all samples lie on theirs.")
    else:
        told = _("Every class has a vertex of its own; {whole} of the samples lie on theirs.",
                 whole=percent(drawn.whole))
    if drawn.unused:
        idle = listed([drawn.nodes[j] for j in drawn.unused])
        told += (_(" {idle} tells no two classes apart.", idle=idle) if len(drawn.unused) == 1 else
                 _(" {idle} tell no two classes apart.", idle=idle))
    return told


def nearest(drawn: CodeInfo) -> str:
    """The pair of classes that differ least, in a sentence."""
    upper = np.triu_indices(len(drawn.names), 1)
    found = drawn.hamming[upper]
    if not np.isfinite(found).any():
        return _("In how many nodes two classes have opposite signs; 0 means the code cannot tell them apart.")
    least = int(np.nanmin(found))
    pairs = [listed([drawn.names[i], drawn.names[j]]) for i, j, h in zip(*upper, found, strict=True) if h == least]
    if least == 1:
        return _("The nearest classes differ in 1 node: {pairs}.", pairs=listed(pairs, 3))
    return _("The nearest classes differ in {least} nodes: {pairs}.", least=least, pairs=listed(pairs, 3))


def cards(report: Mapping[str, Any] | None, names: Sequence[str]) -> list[Card]:
    """Code and distances on a page, side by side."""
    drawn, empty = info(report, names), "" if report else _("The code comes with the first moment.")
    classes = [name for name in drawn.names for _node in drawn.nodes]
    return [
        Card("code", _("The code of each class"), figure(drawn), sentence(drawn), about=_(ABOUT_CODE), empty=empty,
             rows={"class": classes, "node": [*drawn.nodes] * len(drawn.names), "sign": drawn.signs.ravel().tolist()}
             if classes else {}),
        Card("hamming", _("How many nodes tell two classes apart"), distances(drawn), nearest(drawn),
             about=_(ABOUT_HAMMING), empty=empty,
             rows={"class": drawn.names, **dict(zip(drawn.names, drawn.hamming.T, strict=True))}
             if classes else {}),
    ]


CHART = Chart("code", 3, lambda track: cards(track.code, track.class_names))
