"""What a head alone foretells over γ: the radius of its collapse points, and how far the class means are from them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.charts import Card, _ink
from app.charts.words import number, percent
from app.words import _

GOOD = 0.1  # class means this near to their points, as a share of the points' distance from the origin, fit


class ForetoldInfo(NamedTuple):
    """All that is drawn, over G values of γ."""

    gammas: np.ndarray  # (G,) the factor of ‖z‖²
    radii: np.ndarray  # (G,) mean ‖z*‖
    errors: np.ndarray  # (G,) mean over classes of ‖μ_c − z*_c‖ / ‖z*_c‖
    measured: float  # mean ‖z‖; NaN without latents
    critical: float  # γ; NaN where unknown, inf where there is none
    known: float | None = None  # γ at the end of training, where the file says it


def figure(drawn: ForetoldInfo) -> go.Figure:
    """Radius above, misfit below where it is known, over one logarithmic axis of γ."""
    low, high = np.log10(drawn.gammas[[0, -1]]) if len(drawn.gammas) else (-6.0, 6.0)
    both = bool(np.isfinite(drawn.errors).any())
    chart = go.Figure(layout={
        "xaxis": {"type": "log", "range": [low, high], "anchor": "y2" if both else "y", "title": {"text": "γ"}},
        "yaxis": {"type": "log", "domain": [0.54 if both else 0, 1], "title": {"text": _("mean ‖z*‖")}},
        "showlegend": False})
    chart.add_scatter(x=drawn.gammas, y=drawn.radii, mode="lines", line={"color": _ink.BLUE, "width": 2},
                      hovertemplate="γ %{x:.3g}: ‖z*‖ %{y:.3g}<extra></extra>")
    if both:
        _add_misfit(chart, drawn)
    if drawn.measured > 0:
        _add_measured(chart, drawn.measured)
    if math.isfinite(drawn.critical) and 10**low < drawn.critical < 10**high:
        _add_critical(chart, drawn.critical)
    return chart


def _add_misfit(chart: go.Figure, drawn: ForetoldInfo) -> None:
    chart.update_layout(yaxis2={"type": "log", "domain": [0, 0.44], "anchor": "x",
                                "title": {"text": _("misfit of the means")}})
    chart.add_scatter(x=drawn.gammas, y=drawn.errors, yaxis="y2", mode="lines", line={"color": _ink.GREEN, "width": 2},
                      hovertemplate=_("γ %{x:.3g}: misfit %{y:.3g}<extra></extra>"))


def _add_measured(chart: go.Figure, radius: float) -> None:
    chart.add_shape(type="line", xref="x domain", yref="y", x0=0, x1=1, y0=radius, y1=radius,
                    line={"color": _ink.TEXT, "width": 1, "dash": "dash"})
    chart.add_annotation(xref="x domain", yref="y", x=1, y=math.log10(radius), xanchor="right", yanchor="bottom",
                         text=_("measured ‖z‖"), showarrow=False, font={"color": _ink.TEXT})


def _add_critical(chart: go.Figure, gamma: float) -> None:
    chart.add_shape(type="line", xref="x", yref="paper", x0=gamma, x1=gamma, y0=0, y1=1,
                    line={"color": _ink.RED, "width": 1.5, "dash": "dot"})
    chart.add_annotation(xref="x", yref="paper", x=math.log10(gamma), y=0.99, yanchor="top", xanchor="left",
                         text=_("critical γ"), showarrow=False, xshift=3, font={"color": _ink.RED})


def sentence(drawn: ForetoldInfo) -> str:
    """The γ of training or the one that fits best, and whether it fits."""
    if not len(drawn.gammas):
        return _("Without a head nothing can be foretold.")
    if not np.isfinite(drawn.errors).any():
        return _("The radius of the head's collapse points shrinks as γ grows; without latents there is nothing to "
                 "compare it with.")
    return " ".join(filter(None, (_trained(drawn), _fitted(drawn))))


def _trained(drawn: ForetoldInfo) -> str:
    if drawn.known is None:
        return ""
    at = int(np.abs(np.log(drawn.gammas / drawn.known)).argmin())
    return _("Training ended at γ = {known}: there the head foretells a radius of {radius}, measured is {measured}, "
             "and the class means lie {error} from their points.", known=number(drawn.known),
             radius=number(float(drawn.radii[at]), 3), measured=number(drawn.measured, 3),
             error=percent(float(drawn.errors[at])))


def _fitted(drawn: ForetoldInfo) -> str:
    best = int(np.nanargmin(drawn.errors))
    error, gamma = float(drawn.errors[best]), number(float(drawn.gammas[best]))
    if error <= GOOD and drawn.known is None:
        return _("At γ = {gamma} the predicted points lie {error} from the class means: these latents look as if they "
                 "had been trained under about that penalty.", gamma=gamma, error=percent(error))
    if error <= GOOD:
        return _("They fit best at γ = {gamma}, {error} off.", gamma=gamma, error=percent(error))
    return _("No γ explains these latents well: the best fit, γ = {gamma}, leaves the class means {error} from their "
             "points. Expected where there was no penalty, no linear layer, or no collapse yet.", gamma=gamma,
             error=percent(error))


def card(drawn: ForetoldInfo, note: str = "") -> Card:
    """The chart on a page; ``note`` says why there is nothing."""
    rows = {"gamma": drawn.gammas.tolist(), "predicted_radius": drawn.radii.tolist(),
            "point_error": drawn.errors.tolist()}
    return Card("foretold", _("What the head foretells"), figure(drawn), sentence(drawn),
                ("predicted_radius", "point_error"), rows if len(drawn.gammas) else {},
                "" if len(drawn.gammas) else note or _("There is no head to foretell anything from."), aspect=0.62)
