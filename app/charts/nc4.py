"""NC4 against step (Figure 5): the network decides as the nearest class centre would; and its accuracy."""

from __future__ import annotations

import math

import numpy as np

from app.charts import Card, Chart, Track, _timeline
from app.charts._timeline import Curve, Subplot
from app.charts._track import Column
from app.charts.words import percent
from app.words import _

NAME = "nc4_ncc_agreement"


def info(track: Track) -> list[Subplot]:
    """1 − NC4, and the shares of training and held-out samples that are classified wrong."""
    shares = ((_("network ≠ nearest centre"), track.column(NAME).values),
              (_("training error"), track.train_accuracy),
              (_("test error"), track.test_accuracy))
    none, never = np.full(len(track), np.nan), np.zeros(len(track), bool)  # has a noise floor, is at one
    curves = tuple(Curve(label, Column(1 - values, none, never)) for label, values in shares)
    return [Subplot(_("share of samples"), curves, log=False, range=(0, _top(curves)))]


def _top(curves: tuple[Curve, ...]) -> float:
    values = np.concatenate([curve.column.values for curve in curves])
    return 1.05 * max(float(np.nanmax(values)), 0.02) if np.isfinite(values).any() else 1.0


def card(track: Track) -> Card:
    """The chart on a page."""
    made = _timeline.card(track, info(track), _caption(track), (NAME,), key="nc4",
                          title=_("NC4 · the nearest centre decides"))
    made.figure.update_layout(yaxis={"tickformat": ".0%"})
    return made


def _caption(track: Track) -> str:
    agreement = track.last(NAME)
    if not math.isfinite(agreement):
        return _("How often the network decides otherwise than the nearest class centre would, beside its errors.")
    if agreement == 1:
        return _("The network decides for every sample as the nearest class centre would.") + f" {_errors(track)}"
    return _("For {share} of the samples the network and the nearest centre disagree.",
             share=percent(1 - agreement)) + f" {_errors(track)}"


def _errors(track: Track) -> str:
    train, test = percent(track.train_accuracy[-1]), percent(track.test_accuracy[-1])
    return _("It is right on {train} of the training and {test} of the test samples.", train=train, test=test)


CHART = Chart("collapse", 4, lambda track: [card(track)])
