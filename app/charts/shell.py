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

RADIUS = {"norm_mean": "radius", "predicted_radius": "predicted radius"}
VARIATION = {"norm_cv": "variation of ‖z‖", "abs_cv": "variation of |z|"}


def info(track: Track) -> Timeline:
    """Mean radius beside the predicted one; variation of radii, and of |z_ij|."""
    return _timeline.timeline(track, [Subplot("radius", _timeline.curves(track, RADIUS), log=True),
                                      Subplot("variation", _timeline.curves(track, VARIATION), log=True)])


def figure(drawn: Timeline) -> go.Figure:
    """The chart, two subplots over one axis."""
    return _timeline.draw(drawn)


def card(track: Track) -> Card:
    """The chart on a page."""
    drawn = info(track)
    return Card("shell", "The shell", figure(drawn), _caption(track, drawn), (*RADIUS, *VARIATION),
                rows(track, [*RADIUS, *VARIATION]), empty="" if len(track) else "The first moment is being measured.",
                aspect=1.1)


def _caption(track: Track, drawn: Timeline) -> str:
    radius, predicted = track.last("norm_mean"), track.last("predicted_radius")
    if not math.isfinite(radius):
        return "How far the latents lie from the origin, beside the radius at which the pull of γ and the push balance."
    if not math.isfinite(predicted):
        return f"The latents lie {number(radius)} from the origin on average; no radius is predicted for this run."
    thick = track.last("norm_cv")
    even = f" The shell is {number(100 * thick)} % thick." if math.isfinite(thick) else ""
    return (f"The latents lie {number(radius)} from the origin on average; theory, from the classifier and γ alone, "
            f"says {number(predicted)}.{even}{_timeline.floor_note(drawn.subplots[1].curves)}")


CHART = Chart("code", 2, lambda track: [card(track)])
