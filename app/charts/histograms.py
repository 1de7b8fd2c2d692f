"""How often each node takes each value, stacked by class: two sharp peaks in every node are a binary code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.charts import Card, _ink
from app.charts.peaks import TWO_PEAKS
from app.charts.words import number, shown
from app.words import N_, _
from lpc_core.metrics import per_node

BINS = 48
MOST_NODES = 12  # small subplots that fit a page; of more nodes the ones with the largest spread are shown
MOST_COLOURS = 12  # classes; more of them share one colour
_COLUMNS = 4
_GAP = 0.035


class HistogramInfo(NamedTuple):
    """What is drawn: p subplots of B bins."""

    nodes: tuple[int, ...]  # (p,) shown, in their own order
    edges: np.ndarray  # (p, B + 1)
    counts: np.ndarray  # (p, C, B) samples; C = K, or 1 for all classes together
    names: tuple[str, ...]  # (C,)
    total: int  # nodes d there are


def info(latents: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> HistogramInfo:
    """Histograms of ``latents`` (n, d) by ``labels`` (n,)."""
    found = per_node(latents)
    nodes = np.sort(np.argsort(-found.stds, kind="stable")[:MOST_NODES])
    split = len(names) <= MOST_COLOURS
    groups = len(names) if split else 1
    edges = np.stack([_edges(found.least[node], found.largest[node]) for node in nodes])
    counts = np.stack([_counts(latents[:, node], labels if split else np.zeros_like(labels), groups, one)
                       for node, one in zip(nodes, edges, strict=True)])
    return HistogramInfo(tuple(nodes.tolist()), edges, counts, tuple(names) if split else (_("all classes"),),
                         latents.shape[1])


def _edges(least: float, largest: float) -> np.ndarray:
    """Even bins over all values; a node that takes one value only gets a range around it."""
    room = (largest - least) or abs(largest) or 1.0
    if largest == least:
        least, largest = least - room / 2, largest + room / 2
    return np.linspace(least, largest, BINS + 1)


def _counts(values: np.ndarray, groups: np.ndarray, count: int, edges: np.ndarray) -> np.ndarray:
    """(count, B): samples of every group in every bin."""
    width = edges[-1] - edges[0]
    bins = ((values.astype(np.float64) - edges[0]) / width * BINS).astype(np.int64).clip(0, BINS - 1)
    return np.bincount(groups * BINS + bins, minlength=count * BINS).reshape(count, BINS)


def figure(drawn: HistogramInfo) -> go.Figure:
    """One small subplot per node, bars stacked by class."""
    chart = go.Figure(layout={"barmode": "stack", "bargap": 0, "showlegend": len(drawn.names) > 1,
                              "margin": {"l": 16, "t": 8}})
    columns = min(_COLUMNS, len(drawn.nodes))
    rows = -(-len(drawn.nodes) // columns)
    for place in range(len(drawn.nodes)):
        _subplot(chart, drawn, place, divmod(place, columns), (rows, columns))
    return chart


def _subplot(chart: go.Figure, drawn: HistogramInfo, place: int, cell: tuple[int, int], shape: tuple[int, int]) -> None:
    suffix = "" if place == 0 else str(place + 1)
    width, height = (1 - _GAP * (shape[1] - 1)) / shape[1], (1 - 0.14 * (shape[0] - 1)) / shape[0]
    left, top = cell[1] * (width + _GAP), 1 - cell[0] * (height + 0.14)
    chart.update_layout({
        f"xaxis{suffix}": {"domain": [left, left + width], "anchor": f"y{suffix}", "showgrid": False, "nticks": 4},
        f"yaxis{suffix}": {"domain": [max(0.0, top - height), top], "anchor": f"x{suffix}", "showticklabels": False,
                           "showgrid": False, "showline": False, "fixedrange": True}})
    edges = drawn.edges[place]
    for group, name in enumerate(drawn.names):
        colour = _ink.class_ink(group, len(drawn.names)) if len(drawn.names) > 1 else _ink.BLUE
        chart.add_bar(x=(edges[:-1] + edges[1:]) / 2, y=drawn.counts[place, group], width=np.diff(edges),
                      name=shown(name), xaxis=f"x{suffix}", yaxis=f"y{suffix}", legendgroup=name, showlegend=place == 0,
                      marker={"color": colour, "line": {"width": 0}},
                      hovertemplate=_("%{x:.3g}: %{y} samples") + "<extra>%{fullData.name}</extra>")
    chart.add_annotation(xref=f"x{suffix} domain", yref=f"y{suffix} domain", x=0, y=1, xanchor="left", yanchor="top",
                         text=f"z{drawn.nodes[place] + 1}", showarrow=False, font={"size": 12, "color": _ink.TEXT})


def sentence(drawn: HistogramInfo, peak_distance: float) -> str:
    """What the histograms show, with the mixtures' verdict where it is known."""
    few = _("The {n} nodes with the largest spread of {total}. ", n=len(drawn.nodes), total=f"{drawn.total:,}") \
        if len(drawn.nodes) < drawn.total else ""
    if not np.isfinite(peak_distance):
        return few + _("How often each node takes each value; two sharp peaks in every node make a binary code.")
    text = (N_("A node's two peaks are {distance} peak widths apart on average, so every node reads as a bit.")
            if peak_distance >= TWO_PEAKS else
            N_("A node's two peaks are {distance} peak widths apart on average, so they overlap: no binary code."))
    return few + _(text, distance=number(peak_distance))


def card(drawn: HistogramInfo, peak_distance: float) -> Card:
    """The chart on a page."""
    rows = -(-len(drawn.nodes) // _COLUMNS)
    return Card("histograms", _("What each node does"), figure(drawn), sentence(drawn, peak_distance),
                ("gmm_peak_distance",), _rows(drawn), wide=True, aspect=0.1 + 0.14 * rows)


def _rows(drawn: HistogramInfo) -> dict[str, Sequence[object]]:
    """The bins as columns."""
    subplots, groups, bins = drawn.counts.shape
    places = np.indices((subplots, groups, bins)).reshape(3, -1)
    return {"node": [f"z{drawn.nodes[place] + 1}" for place in places[0]],
            "class": [drawn.names[group] for group in places[1]],
            "from": drawn.edges[places[0], places[2]].tolist(), "to": drawn.edges[places[0], places[2] + 1].tolist(),
            "samples": drawn.counts.ravel().tolist()}
