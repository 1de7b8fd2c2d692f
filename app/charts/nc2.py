"""NC2 against step (Figure 5): the class centres spread evenly, beside what is possible for K classes in d nodes."""

from __future__ import annotations

import math

from app.charts import Card, Chart, Track, _timeline
from app.charts._timeline import Reference, Subplot
from app.charts.words import number
from app.words import N_, _
from lpc_core.metrics import reference

LABELS = {"nc2_equinorm": N_("unequal lengths"), "nc2_equiangular": N_("unequal angles"),
          "nc2_maxangle": N_("short of a simplex")}


def info(track: Track) -> list[Subplot]:
    """How uneven the class centres' lengths and angles are, and the value their best arrangement has."""
    return [Subplot(_("unevenness"), _timeline.curves(track, LABELS), True, best(track))]


def best(track: Track) -> Reference | None:
    """What the arrangement that exists for this (K, d) reads; None for a simplex, which reads 0, or for none at all."""
    if track.classes < 2 or track.nodes < 1:
        return None
    found = reference(track.classes, track.nodes)
    if math.isfinite(found.maxangle) and found.maxangle > 0:
        return Reference(_("{name}: {angle} short", name=_(found.name), angle=f"{found.maxangle:.2g}"), found.maxangle)
    if not found.equiangular:
        return None
    return Reference(_("angles at equal lengths ≥ {equiangular}", equiangular=f"{found.equiangular:.2g}"),
                     found.equiangular)


def card(track: Track) -> Card:
    """The chart on a page."""
    drawn = info(track)
    return _timeline.card(track, drawn, _caption(track, drawn), LABELS, key="nc2",
                          title=_("NC2 · the class centres spread evenly"))


def _caption(track: Track, drawn: list[Subplot]) -> str:
    if not len(track):
        return _("How unequal the class centres are in length and angle. 0 is the most regular arrangement there is.")
    found = reference(track.classes, track.nodes)
    lengths = track.last("nc2_equinorm")
    told = (_("The centres' distances from the middle differ by {share} %. ", share=number(100 * lengths))
            if math.isfinite(lengths) else "")
    return f"{told}{_possible(track, found.name)}{_timeline.floor_note(drawn)}"


def _possible(track: Track, name: str) -> str:
    given = _("{classes} classes in {nodes} nodes", classes=track.classes, nodes=track.nodes)
    if name == "simplex ETF":
        return _("For {given} a simplex exists, where all three are 0.", given=given)
    if name.startswith("none"):
        return _("{given} are more than a binary code has room for: two must share a vertex.", given=given)
    return _("For {given} no simplex exists; the most even arrangement is the {name}, so the angles cannot reach 0.",
             given=given, name=_(name))


CHART = Chart("collapse", 2, lambda track: [card(track)])
