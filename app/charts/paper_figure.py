"""Figures of the paper from stored numbers (`lpc_core.experiments.FigureData`): a card per row, or per quantity."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from app.charts import Card, _ink
from app.charts.words import shown
from app.words import N_, _
from lpc_core.experiments import FigureData
from lpc_core.metrics import METRICS

APART = {"1": ("row", "asked"), "2": ("row",), "3": (), "robustness": ("row",), "critical": ("row",)}  # a card for each
BY_QUANTITY = ("quantity",)
MARKERS = ("1", "3")
SERIES = {"4": "row", "5": "row"}  # what tells lines apart, where it is not the figure's own column
TITLES = {"epsilon": "ε = ‖δ‖/‖x‖", "share": N_("share still right"), "separation": N_("separation ratio 𝓡"),
          "robustness": N_("mean ‖δ‖/‖x‖"), "z1": "z₁", "z2": "z₂", "value": N_("value"), "count": N_("count"),
          "epoch": N_("epoch")}
_INKS = (_ink.BLUE, _ink.ORANGE, _ink.GREEN, _ink.VIOLET, _ink.RED, _ink.AMBER, _ink.MUTED)
_DASHES = ("solid", "dash", "dot", "dashdot")


class Line(NamedTuple):
    """One series of one seed."""

    name: str
    seed: Any
    x: tuple[float, ...]
    y: tuple[float, ...]
    told: tuple[str, ...]  # the row of each point


class FigureInfo(NamedTuple):
    """All that a card draws."""

    title: str
    x: str
    y: str
    log: tuple[bool, bool]
    markers: bool
    lines: tuple[Line, ...]


def infos(data: FigureData, rows: Sequence[str]) -> list[FigureInfo]:
    """What the cards of a figure draw, of the ``rows`` chosen."""
    apart, series = APART.get(data.name, BY_QUANTITY), SERIES.get(data.name, data.by)
    found: dict[tuple[str, ...], dict[tuple[str, Any], list[dict[str, Any]]]] = {}
    for line in data.lines:
        if line["row"] in rows:
            lines = found.setdefault(tuple(str(line[name]) for name in apart), {})
            lines.setdefault((str(line[series]), line["seed"]), []).append(line)
    return [FigureInfo(", ".join(map(called, key)) or data.title, data.x,
                       called(key[0]) if apart == BY_QUANTITY else data.y, data.log, data.name in MARKERS,
                       tuple(_line(data, *name, points) for name, points in lines.items()))
            for key, lines in found.items()]


def _line(data: FigureData, name: str, seed: Any, points: Sequence[dict[str, Any]]) -> Line:
    return Line(called(name), seed, tuple(point[data.x] for point in points), tuple(point[data.y] for point in points),
                tuple(str(point["row"]) for point in points))


def called(name: str) -> str:
    """A quantity by its title, anything else as it is."""
    return METRICS[name].title if name in METRICS else name


def figure(drawn: FigureInfo) -> go.Figure:
    """One line per seed, in the colour and dash of its series, or points."""
    axes = ({"title": {"text": _(TITLES.get(name, name))}, "type": "log" if log else "linear",
             "exponentformat": "power"}
            for name, log in zip((drawn.x, drawn.y), drawn.log, strict=True))
    chart = go.Figure(layout=dict(zip(("xaxis", "yaxis"), axes, strict=True)))
    names = list(dict.fromkeys(line.name for line in drawn.lines))
    seen: set[str] = set()
    for line in drawn.lines:
        place = names.index(line.name)
        ink, told = _INKS[place % len(_INKS)], _("seed {n}", n=line.seed)
        chart.add_scatter(
            x=line.x, y=[None if drawn.log[1] and value <= 0 else value for value in line.y], name=shown(_(line.name)),
            legendgroup=line.name, showlegend=line.name not in seen, mode="markers" if drawn.markers else "lines",
            customdata=[shown(row) for row in line.told],
            marker={"color": ink, "symbol": _ink.SYMBOLS[place % len(_ink.SYMBOLS)], "size": 7},
            line={"color": ink, "width": 1.6, "dash": _DASHES[place // len(_INKS) % len(_DASHES)]},
            hovertemplate=f"%{{customdata}}, {told}<br>%{{x:.4g}}: %{{y:.4g}}<extra>{shown(_(line.name))}</extra>")
        seen.add(line.name)
    return chart


def paper_cards(data: FigureData, rows: Sequence[str]) -> list[Card]:
    """The figure's cards for the ``rows`` chosen; one that says why, where there is nothing to draw."""
    drawn = infos(data, rows)
    if not drawn:
        empty = FigureInfo(data.title, data.x, data.y, data.log, True, ())
        return [Card(_key(data.name, "none"), _(data.title), figure(empty), "", (), {},
                     " ".join(map(_, data.notes)) or _("Choose rows above."))]
    return [Card(_key(data.name, one.title), _(one.title), figure(one), _caption(data, one, place == 0),
                 _metrics(one), _columns(one)) for place, one in enumerate(drawn)]


def _key(name: str, title: str) -> str:
    return "figure-" + (re.sub("[^a-z0-9]+", "-", f"{name} {title}".lower()).strip("-") or "x")


def _caption(data: FigureData, drawn: FigureInfo, first: bool) -> str:
    """What was found beside the figure, and where the lines end."""
    if first and data.notes:
        return ". ".join(data.notes) + "."
    ends = [line.y[-1] for line in drawn.lines if line.y and math.isfinite(line.y[-1])]
    if drawn.markers or drawn.x != "epoch" or not ends:
        return ""
    last, most = f"{min(ends):.3g}", f"{max(ends):.3g}"
    return (_("At the last epoch {value}.", value=last) if last == most else
            _("At the last epoch from {least} to {most}.", least=last, most=most))


def _metrics(drawn: FigureInfo) -> tuple[str, ...]:
    return tuple(name for name, metric in METRICS.items() if metric.title == drawn.title)[:1]


def _columns(drawn: FigureInfo) -> dict[str, Sequence[Any]]:
    points = [(line.name, line.seed, told, x, y) for line in drawn.lines
              for told, x, y in zip(line.told, line.x, line.y, strict=True)]
    return dict(zip(("series", "seed", "row", drawn.x, drawn.y), map(list, zip(*points, strict=True)), strict=True))
