"""Findings: what an inspection came to, in a few plain sentences."""

from __future__ import annotations

import math

from app.charts import code_matrix
from app.charts.peaks import TWO_PEAKS
from app.charts.words import number, percent
from app.words import N_, _
from lpc_core.inspection import Inspection
from lpc_core.phase import Phase, phase_of

_COLLAPSED = N_("Each class has collapsed to nearly a point: its spread is {size} of the radius")
_COMPACT = N_("The classes are compact but not points: their spread is {size} of the radius")
_CLOUDS = N_("The classes are clouds: their spread is {size} of the radius")


def findings(inspection: Inspection) -> list[str]:
    """Accuracy, size of the classes, code; what is not known is left out."""
    accuracy = value(inspection, "accuracy")
    told = [_accuracy(inspection, accuracy)] if math.isfinite(accuracy) else []
    return told + [text for text in (_points(inspection), _code(inspection)) if text]


def value(inspection: Inspection, name: str) -> float:
    """A reading's value, NaN where there is none."""
    found = inspection.readings.get(name)
    return math.nan if found is None else found.value


def phase(inspection: Inspection) -> Phase:
    """What the classes are."""
    accuracy, spread, nc1 = (value(inspection, name) for name in ("accuracy", "within_class_spread", "nc1_pinv"))
    return phase_of(accuracy, spread, nc1, len(inspection.embeddings.class_names))


def _accuracy(inspection: Inspection, accuracy: float) -> str:
    n = f"{len(inspection.embeddings.labels):,}"
    told = _("{accuracy} of {n} samples are predicted right", accuracy=percent(accuracy), n=n)
    if phase(inspection) is Phase.TOTAL:
        return _("{told}: no better than guessing, and the classes lie within one another. They have lost each other "
                 "(total collapse), or were never told apart.", told=told)
    if phase(inspection) is Phase.GUESSING:
        return _("{told}: no better than guessing, though the classes lie apart. The head does not fit these latents.",
                 told=told)
    return f"{told}."


def _points(inspection: Inspection) -> str:
    size, ratio = value(inspection, "within_class_spread"), value(inspection, "separation_ratio")
    if not math.isfinite(size):
        return ""
    told = _({Phase.COLLAPSED: _COLLAPSED, Phase.FALLING: _COMPACT}.get(phase(inspection), _CLOUDS), size=percent(size))
    if not math.isfinite(ratio):
        return f"{told}."
    return _("{told}, and a sample is on average {ratio} times nearer to its own class than to the next.", told=told,
             ratio=number(ratio))


def _code(inspection: Inspection) -> str:
    distance = value(inspection, "gmm_peak_distance")
    if not inspection.code:
        return ""
    drawn = code_matrix.info(inspection.code, inspection.embeddings.class_names)
    if drawn.collisions:
        return _("There is no complete binary code: some classes have the same signs in every node.")
    if not math.isfinite(distance):
        return ""
    if distance < TWO_PEAKS:
        return _("There is no binary code: a node's two peaks are {distance} widths apart and overlap.",
                 distance=number(distance))
    if drawn.whole >= code_matrix.WHOLE:
        return _("The latents are a binary code: every node takes two values, {distance} peak widths apart.",
                 distance=number(distance))
    return _("A node takes two values on average ({distance} peak widths apart), but only {whole} of the samples have "
             "all the signs of their class.", distance=number(distance), whole=percent(drawn.whole))
