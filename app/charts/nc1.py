"""NC1 against step (Figure 5): each class shrinks to a point."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from app.charts import _timeline
from app.charts._card import Card
from app.charts._chart import Chart
from app.charts._rows import rows
from app.charts._timeline import Subplot, Timeline
from app.charts._track import Track
from app.charts.words import number
from app.words import _

LABELS = {"nc1_pinv": "NC1", "nc1_cdnv": "CDNV"}


def info(track: Track) -> Timeline:
    """Scatter within classes over scatter between them, measured in two ways."""
    curves = _timeline.curves(track, LABELS)
    return _timeline.timeline(track, [Subplot(_("scatter within / between"), curves, log=True)])


def figure(drawn: Timeline) -> go.Figure:
    """The chart."""
    return _timeline.draw(drawn)


def card(track: Track) -> Card:
    """The chart on a page."""
    drawn = info(track)
    return Card("nc1", _("NC1 · each class shrinks to a point"), figure(drawn), _caption(drawn), tuple(LABELS),
                rows(track, LABELS), empty="" if len(track) else _("The first moment is being measured."))


def _caption(drawn: Timeline) -> str:
    curves = drawn.subplots[0].curves
    first, last = (curves[0].column.values[[0, -1]] if len(drawn.steps) else (math.nan, math.nan))
    if not math.isfinite(first) or not math.isfinite(last):
        return _("How wide each class's cloud is, measured against the distances between the classes. 0 is a point.")
    if last <= 0 or first <= 0:
        return _("The classes are points as far as float32 can tell.") + _timeline.floor_note(curves)
    change = math.sqrt(first / last)  # NC1 is a ratio of variances: widths go with its root
    told = (_("The clouds of the classes are {change} times smaller than at the start, measured against their "
              "distances.",
              change=number(change)) if change > 1.5 else _("The clouds of the classes have not shrunk against their "
                                                            "distances yet."))
    return told + _timeline.floor_note(curves)


CHART = Chart("collapse", 1, lambda track: [card(track)])
