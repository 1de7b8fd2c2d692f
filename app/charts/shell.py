"""The shell against step: the measured and the predicted radius, and how even radii and nodes are."""

from __future__ import annotations

import math

from app.charts import Card, Chart, Track, _timeline
from app.charts._timeline import Subplot
from app.charts.words import number
from app.words import N_, _

RADIUS = {"norm_mean": N_("radius"), "predicted_radius": N_("predicted radius")}
VARIATION = {"norm_cv": N_("variation of ‖z‖"), "abs_cv": N_("variation of |z|")}


def info(track: Track) -> list[Subplot]:
    """Mean radius beside the predicted one; variation of radii, and of |z_ij|."""
    return [Subplot(_("radius"), _timeline.curves(track, RADIUS), log=True),
            Subplot(_("variation"), _timeline.curves(track, VARIATION), log=True)]


def card(track: Track) -> Card:
    """The chart on a page."""
    drawn = info(track)
    return _timeline.card(track, drawn, _caption(track, drawn), (*RADIUS, *VARIATION), key="shell",
                          title=_("The shell"), aspect=1.1)


def _caption(track: Track, drawn: list[Subplot]) -> str:
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
            + even + _timeline.floor_note(drawn[1:]))


CHART = Chart("code", 2, lambda track: [card(track)])
