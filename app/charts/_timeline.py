"""What the charts over steps share: a card, subplots of curves, γ behind them, the TPT line, noise floors, no data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.charts import Card, Track, _ink
from app.charts._track import Column
from app.words import N_, _

_STYLES = ((_ink.BLUE, "circle"), (_ink.AMBER, "square"), (_ink.GREEN, "diamond"), (_ink.VIOLET, "triangle-up"))
_GAP = 0.11  # between subplots, share of the height
_MARGIN = 0.08  # of a log axis beyond its values, share of its length


class Curve(NamedTuple):
    """One line."""

    label: str
    column: Column


class Reference(NamedTuple):
    """A value to compare with, drawn as a dotted line."""

    label: str
    value: float


class Subplot(NamedTuple):
    """One pair of axes."""

    title: str  # of the vertical axis
    curves: tuple[Curve, ...]
    log: bool
    reference: Reference | None = None
    range: tuple[float, float] | None = None  # of a linear axis, where it is known beforehand


def card(track: Track, subplots: Sequence[Subplot], caption: str, metrics: Collection[str], *, key: str, title: str,
         aspect: float = Card.aspect) -> Card:
    """The chart of ``subplots`` on a page, with all that is known of its ``metrics`` as its data."""
    return Card(key, title, draw(track, subplots), caption, tuple(metrics), _rows(track, metrics),
                empty="" if len(track) else _("The first moment is being measured."), aspect=aspect)


def curves(track: Track, labels: dict[str, str]) -> tuple[Curve, ...]:
    """A curve for each metric of ``labels`` {name: label}."""
    return tuple(Curve(_(label), track.column(name)) for name, label in labels.items())


def draw(track: Track, subplots: Sequence[Subplot]) -> go.Figure:
    """Panels below one another over one axis of steps."""
    figure = go.Figure()
    figure.update_layout(hovermode="x unified", showlegend=True, margin={"r": 44})
    styles = itertools.cycle(_STYLES)
    for row, subplot in enumerate(subplots):
        _add_axes(figure, track, subplot, row, len(subplots))
        _add_gamma(figure, track, row)
        for curve in subplot.curves:
            _add_curve(figure, track.steps, curve, row, next(styles))
        if subplot.reference is not None:
            _add_reference(figure, subplot, subplot.reference, row)
    if track.tpt is not None:
        _add_tpt(figure, track.tpt)
    return figure


def _add_axes(figure: go.Figure, track: Track, subplot: Subplot, row: int, rows: int) -> None:
    height = (1 - _GAP * (rows - 1)) / rows
    top = 1 - row * (height + _GAP)
    x, y, gamma = _names(row)
    last = row == rows - 1
    figure.update_layout({
        _axis(x): {"anchor": y, "range": [0, track.end], "showgrid": False, "tickformat": "~s",
                   "matches": None if row == 0 else "x", "showticklabels": last,
                   "title": {"text": _("training step") if last else ""}},
        _axis(y): {"anchor": x, "domain": [max(0.0, top - height), top], "title": {"text": subplot.title},
                   **_scale(subplot)},
        _axis(gamma): {"anchor": x, "overlaying": y, "side": "right", "showgrid": False, **_gamma_scale(track.gammas)},
    })


def _scale(subplot: Subplot) -> dict[str, Any]:
    """Range and kind of a vertical axis: what is drawn decides, not a floor far below it."""
    values = np.concatenate([curve.column.drawn for curve in subplot.curves])
    values = values[np.isfinite(values)]
    if not subplot.log:
        given = {"range": list(subplot.range)} if subplot.range else {} if values.size else {"range": [0, 1]}
        return {"type": "linear", "nticks": 5, **given}
    values = values[values > 0]
    low, high = np.log10([values.min(), values.max()]) if values.size else (-2.0, 0.0)
    margin = max(_MARGIN * (high - low), (0.5 - (high - low)) / 2)
    return {"type": "log", "range": [low - margin, high + margin]}


def _gamma_scale(gammas: np.ndarray) -> dict[str, Any]:
    positive = gammas[gammas > 0]
    if not positive.size:
        return {"visible": False}
    low, high = np.log10([positive.min(), positive.max()])
    margin = max(0.06 * (high - low), (1 - (high - low)) / 2)
    return {"type": "log", "range": [low - margin, high + margin], "nticks": 3,
            "showline": False, "tickfont": {"size": 11}}


def _add_gamma(figure: go.Figure, track: Track, row: int) -> None:
    gammas = track.gammas
    if not (gammas > 0).any():
        return
    x, _y, gamma = _names(row)
    figure.add_annotation(xref="x domain", x=1, xanchor="left", yref=f"{gamma} domain", y=1, yanchor="bottom", text="γ",
                          showarrow=False, xshift=6, yshift=2, font={"size": 12, "color": _ink.MUTED})
    figure.add_scatter(x=track.steps, y=np.where(gammas > 0, gammas, np.nan), xaxis=x, yaxis=gamma, name="γ",
                       mode="lines", line={"color": _ink.MUTED, "width": 1}, opacity=0.6, showlegend=row == 0,
                       legendgroup="γ", legendrank=2000, hovertemplate="%{y:.3g}")


def _add_curve(figure: go.Figure, steps: np.ndarray, curve: Curve, row: int, style: tuple[str, str]) -> None:
    colour, symbol = style
    x, y, _gamma = _names(row)
    at_floor = curve.column.at_floor
    if at_floor.any():
        _add_floor(figure, steps, curve, row, colour)
    figure.add_scatter(
        x=steps, y=curve.column.drawn, xaxis=x, yaxis=y, name=curve.label, mode="lines+markers",
        showlegend=bool(not len(steps) or np.isfinite(curve.column.values).any()),
        line={"color": colour, "width": 1.8}, hovertemplate="%{y:.3g}%{text}",
        text=np.where(at_floor, _(" (at the noise floor)"), ""),
        marker={"symbol": np.where(at_floor, f"{symbol}-open", symbol), "size": np.where(at_floor, 7, 5),
                "color": colour, "line": {"width": np.where(at_floor, 1.2, 0), "color": colour}})


def _add_floor(figure: go.Figure, steps: np.ndarray, curve: Curve, row: int, colour: str) -> None:
    """The values that rounding alone can give, hatched, where this curve is among them."""
    x, y, _gamma = _names(row)
    floors = np.where(curve.column.at_floor, curve.column.floors, np.nan)
    figure.add_scatter(
        x=steps, y=floors, xaxis=x, yaxis=y, name=_("noise floor"), legendgroup="floor", showlegend=False, mode="lines",
        line={"width": 0.8, "color": colour, "dash": "dot"}, fill="tozeroy", fillcolor=_ink.faint(colour, 10),
        fillpattern={"shape": "/", "fgcolor": _ink.faint(colour, 35), "bgcolor": _ink.faint(colour, 8), "size": 7,
                     "solidity": 0.2}, hoverinfo="skip")


def _add_reference(figure: go.Figure, subplot: Subplot, reference: Reference, row: int) -> None:
    x, y, _gamma = _names(row)
    height = math.log10(reference.value) if subplot.log else reference.value  # Plotly's annotations count in decades
    figure.add_shape(type="line", xref=f"{x} domain", yref=y, x0=0, x1=1, y0=reference.value, y1=reference.value,
                     line={"color": _ink.TEXT, "width": 1, "dash": "dot"}, opacity=0.7)
    figure.add_annotation(xref=f"{x} domain", yref=y, x=0.99, xanchor="right", y=height, yanchor="top",
                          text=reference.label, showarrow=False, font={"size": 11, "color": _ink.TEXT}, yshift=-2)


def _add_tpt(figure: go.Figure, step: int) -> None:
    """A line over all subplots where the terminal phase begins."""
    figure.add_shape(type="line", xref="x", yref="paper", x0=step, x1=step, y0=0, y1=1,
                     line={"color": _ink.TEXT, "width": 1.2, "dash": "dash"}, opacity=0.75)
    figure.add_annotation(xref="x", yref="paper", x=step, y=1, yanchor="bottom", text="TPT", showarrow=False,
                          font={"size": 11, "color": _ink.TEXT})


def floor_note(subplots: Sequence[Subplot]) -> str:
    """A sentence for the caption where a curve ends at its noise floor; empty otherwise."""
    ended = [curve.label for subplot in subplots for curve in subplot.curves if curve.column.at_floor[-1:].any()]
    if not ended:
        return ""
    names = _(" and ").join(ended)
    text = (N_(" {names} are at the noise floor (hatched, hollow marks): so small that rounding alone could have made "
               "it.")
            if len(ended) > 1 else
            N_(" {names} is at the noise floor (hatched, hollow marks): so small that rounding alone could have made "
               "it."))
    return _(text, names=f"{names[0].upper()}{names[1:]}")


def _rows(track: Track, names: Collection[str]) -> dict[str, Sequence[Any]]:
    """Step, γ and accuracy, then of each metric its value, its noise floor where one is known, and why it is NaN."""
    columns: dict[str, Sequence[Any]] = {
        "step": track.steps.tolist(), "gamma": track.gammas.tolist(),
        "train_accuracy": track.train_accuracy.tolist(), "test_accuracy": track.test_accuracy.tolist()}
    for name in names:
        readings = track.history(name)
        columns[name] = [None if one is None else one.value for one in readings]
        columns[f"{name}_floor"] = [None if one is None else one.floor for one in readings]
        columns[f"{name}_note"] = ["" if one is None else one.reason for one in readings]
    return columns if len(track) else {}


def _names(row: int) -> tuple[str, str, str]:
    """Axes of a subplot, as traces call them: steps, values, γ."""
    suffix = "" if row == 0 else str(2 * row + 1)
    return (f"x{'' if row == 0 else row + 1}", f"y{suffix}", f"y{2 * row + 2}")


def _axis(name: str) -> str:
    return f"{name[0]}axis{name[1:]}"
