"""Figure 4: how each node's values gather in two peaks, by a two-component mixture per node, against step."""

from __future__ import annotations

import math

from app.charts import Card, Chart, Track, _timeline
from app.charts._timeline import Subplot
from app.charts.words import number
from app.words import N_, _
from lpc_core.metrics import METRICS

PARTS = {"gmm_log_likelihood": "log-likelihood", "gmm_std": N_("peak width"), "gmm_peak_distance": N_("peak distance")}
TWO_PEAKS = 5.0  # peak widths between the peaks from which we speak of two: a node reads as a bit


def info(track: Track) -> list[Subplot]:
    """Log-likelihood, mean width and mean distance of the two peaks (Eqs. 25–27)."""
    return [Subplot(title, _timeline.curves(track, {name: title}), METRICS[name].axis == "log")
            for name, title in PARTS.items()]


def card(track: Track) -> Card:
    """The chart on a page."""
    drawn = info(track)
    return _timeline.card(track, drawn, _caption(track, drawn), PARTS, key="peaks", title=_("Two peaks in every node"),
                          aspect=1.1)


def _caption(track: Track, drawn: list[Subplot]) -> str:
    distance = track.last("gmm_peak_distance")
    if not math.isfinite(distance):
        return _("Two bell curves are fitted to the values of each node: how well they fit, how wide and how far "
                 "apart.")
    floors = _timeline.floor_note(drawn)
    if distance < TWO_PEAKS:
        return _("A node's two peaks are {distance} widths apart on average, so they still overlap.",
                 distance=number(distance)) + floors
    return (_("A node takes two values, on average {distance} peak widths apart: read as bits, the latents are a "
              "binary code.", distance=number(distance)) + floors)


CHART = Chart("code", 1, lambda track: [card(track)])
