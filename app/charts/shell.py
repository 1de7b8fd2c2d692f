"""The shell against step: the measured and the predicted radius, and how even radii and nodes are."""

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
from app.words import N_, _

RADIUS = {"norm_mean": N_("radius"), "predicted_radius": N_("predicted radius")}
VARIATION = {"norm_cv": N_("variation of ‖z‖"), "abs_cv": N_("variation of |z|")}


def info(track: Track) -> Timeline:
    """Mean radius beside the predicted one; variation of radii, and of |z_ij|."""
    return _timeline.timeline(track, [Subplot(_("radius"), _timeline.curves(track, RADIUS), log=True),
                                      Subplot(_("variation"), _timeline.curves(track, VARIATION), log=True)])


def figure(drawn: Timeline) -> go.Figure:
    """The chart, two subplots over one axis."""
    return _timeline.draw(drawn)


def card(track: Track) -> Card:
    """The chart on a page."""
    drawn = info(track)
    return Card("shell", _("The shell"), figure(drawn), _caption(track, drawn), (*RADIUS, *VARIATION),
                rows(track, [*RADIUS, *VARIATION]),
                empty="" if len(track) else _("The first moment is being measured."), aspect=1.1)


def _caption(track: Track, drawn: Timeline) -> str:
    radius, predicted = track.last("norm_mean"), track.last("predicted_radius")
    if not math.isfinite(radius):
        return _("How far the latents lie from the origin, beside the radius at which the pull of γ and the push "
                 "balance.")
    if not math.isfinite(predicted):
        return _("The latents lie {radius} from the origin on average; no radius is predicted for this run.",
                 radius=number(radius))
    thick = track.last("norm_cv")
    even = _(" The shell is {share} % thick.", share=number(100 * thick)) if math.isfinite(thick) else ""
    return (_("The latents lie {radius} from the origin on average; theory, from the classifier and γ alone, says "
              "{predicted}.", radius=number(radius), predicted=number(predicted))
            + even + _timeline.floor_note(drawn.subplots[1].curves))


CHART = Chart("code", 2, lambda track: [card(track)])
