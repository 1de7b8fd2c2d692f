"""NC1 against step (Figure 5): each class shrinks to a point."""

from __future__ import annotations

import math

from app.charts import Card, Chart, Track, _timeline
from app.charts._timeline import Subplot
from app.charts.words import number
from app.words import _

LABELS = {"nc1_pinv": "NC1", "nc1_cdnv": "CDNV"}


def info(track: Track) -> list[Subplot]:
    """Scatter within classes over scatter between them, measured in two ways."""
    return [Subplot(_("scatter within / between"), _timeline.curves(track, LABELS), log=True)]


def card(track: Track) -> Card:
    """The chart on a page."""
    drawn = info(track)
    return _timeline.card(track, drawn, _caption(drawn), LABELS, key="nc1",
                          title=_("NC1 · each class shrinks to a point"))


def _caption(drawn: list[Subplot]) -> str:
    values = drawn[0].curves[0].column.values
    first, last = values[[0, -1]] if len(values) else (math.nan, math.nan)
    if not math.isfinite(first) or not math.isfinite(last):
        return _("How wide each class's cloud is, measured against the distances between the classes. 0 is a point.")
    if last <= 0 or first <= 0:
        return _("The classes are points as far as float32 can tell.") + _timeline.floor_note(drawn)
    change = math.sqrt(first / last)  # NC1 is a ratio of variances: widths go with its root
    told = (_("The clouds of the classes are {change} times smaller than at the start, measured against their "
              "distances.", change=number(change)) if change > 1.5 else
            _("The clouds of the classes have not shrunk against their distances yet."))
    return told + _timeline.floor_note(drawn)


CHART = Chart("collapse", 1, lambda track: [card(track)])
