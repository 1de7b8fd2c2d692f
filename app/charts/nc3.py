"""NC3 against step (Figure 5): the head's rows turn to point at the class centres."""

from __future__ import annotations

import math

from app.charts import Card, Chart, Track, _timeline
from app.charts._timeline import Subplot
from app.charts.words import number
from app.words import N_, _

LABELS = {"nc3_self_duality": N_("distance of head and centres")}


def info(track: Track) -> list[Subplot]:
    """How far the head is from the class centres, both scaled to length 1."""
    return [Subplot(_("head to centres"), _timeline.curves(track, LABELS), log=True)]


def card(track: Track) -> Card:
    """The chart on a page."""
    drawn = info(track)
    return _timeline.card(track, drawn, _caption(track, drawn), LABELS, key="nc3",
                          title=_("NC3 · head and centres line up"))


def _caption(track: Track, drawn: list[Subplot]) -> str:
    distance = track.last("nc3_self_duality")
    if not math.isfinite(distance):
        return _("How far the classifier's rows are from pointing at the class centres. 0 is parallel, 1.41 unrelated.")
    seen = _("nearly parallel") if distance < 0.3 else _("partly aligned") if distance < 1 else _("not aligned")
    return (_("Classifier and class centres are {seen}: {distance}, where 0 is parallel and 1.41 unrelated.",
              seen=seen, distance=number(distance)) + _timeline.floor_note(drawn))


CHART = Chart("collapse", 3, lambda track: [card(track)])
