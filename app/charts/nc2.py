"""NC2 against step (Figure 5): the class centres spread evenly, beside what is possible for K classes in d nodes."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from app.charts import _timeline
from app.charts._card import Card
from app.charts._chart import Chart
from app.charts._rows import rows
from app.charts._timeline import Reference, Subplot, Timeline
from app.charts._track import Track
from app.charts.words import number
from lpc_core.metrics import reference

LABELS = {"nc2_equinorm": "unequal lengths", "nc2_equiangular": "unequal angles", "nc2_maxangle": "short of a simplex"}


def info(track: Track) -> Timeline:
    """How uneven the class centres' lengths and angles are, and the value their best arrangement has."""
    return _timeline.timeline(track, [Subplot("unevenness", _timeline.curves(track, LABELS), True, best(track))])


def best(track: Track) -> Reference | None:
    """What the arrangement that exists for this (K, d) reads; None for a simplex, which reads 0, or for none at all."""
    if track.classes < 2 or track.nodes < 1:
        return None
    found = reference(track.classes, track.nodes)
    if math.isfinite(found.maxangle) and found.maxangle > 0:
        return Reference(f"{found.name}: {found.maxangle:.2g} short", found.maxangle)
    if not found.equiangular:
        return None
    return Reference(f"angles at equal lengths ≥ {found.equiangular:.2g}", found.equiangular)


def figure(drawn: Timeline) -> go.Figure:
    """The chart."""
    return _timeline.draw(drawn)


def card(track: Track) -> Card:
    """The chart on a page."""
    drawn = info(track)
    return Card("nc2", "NC2 · the class centres spread evenly", figure(drawn), _caption(track, drawn), tuple(LABELS),
                rows(track, LABELS), empty="" if len(track) else "The first moment is being measured.")


def _caption(track: Track, drawn: Timeline) -> str:
    if not len(track):
        return "How unequal the class centres are in length and angle. 0 is the most regular arrangement there is."
    found = reference(track.classes, track.nodes)
    lengths = track.last("nc2_equinorm")
    told = (f"The centres' distances from the middle differ by {number(100 * lengths)} %. " if math.isfinite(lengths)
            else "")
    return f"{told}{_possible(track, found.name)}{_timeline.floor_note(drawn.subplots[0].curves)}"


def _possible(track: Track, name: str) -> str:
    given = f"{track.classes} classes in {track.nodes} nodes"
    if name == "simplex ETF":
        return f"For {given} a simplex exists, where all three are 0."
    if name.startswith("none"):
        return f"{given} are more than a binary code has room for: two must share a vertex."
    return f"For {given} no simplex exists; the most even arrangement is the {name}, so the angles cannot reach 0."


CHART = Chart("collapse", 2, lambda track: [card(track)])
