"""Findings: what an inspection came to, in a few plain sentences."""

from __future__ import annotations

import math

from app.charts import code_matrix
from app.charts.words import count, number, percent
from lpc_core.inspection import Inspection
from lpc_core.phase import Phase, phase_of

_CLOUDS = {Phase.COLLAPSED: "Each class has collapsed to nearly a point: its",
           Phase.FALLING: "The classes are compact but not points: their"}
LIKE_POINTS = 5.0  # peak widths between two peaks from which a node reads as a bit


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
    return Phase(int(phase_of(accuracy, spread, nc1, len(inspection.embeddings.class_names))))


def _accuracy(inspection: Inspection, accuracy: float) -> str:
    n = count(len(inspection.embeddings.labels))
    told = f"{percent(accuracy)} of {n} samples are predicted right"
    if phase(inspection) is Phase.TOTAL:
        return (f"{told}: no better than guessing, and the classes lie within one another. They have lost each other "
                "(total collapse), or were never told apart.")
    if phase(inspection) is Phase.GUESSING:
        return f"{told}: no better than guessing, though the classes lie apart. The head does not fit these latents."
    return f"{told}."


def _points(inspection: Inspection) -> str:
    size, ratio = value(inspection, "within_class_spread"), value(inspection, "separation_ratio")
    if not math.isfinite(size):
        return ""
    told = f"{_CLOUDS.get(phase(inspection), 'The classes are clouds: their')} spread is {percent(size)} of the radius"
    if not math.isfinite(ratio):
        return f"{told}."
    return f"{told}, and a sample is on average {number(ratio)} times nearer to its own class than to the next."


def _code(inspection: Inspection) -> str:
    distance = value(inspection, "gmm_peak_distance")
    if not inspection.code:
        return ""
    drawn = code_matrix.info(inspection.code, inspection.embeddings.class_names)
    if drawn.collisions:
        return "There is no complete binary code: some classes have the same signs in every node."
    if not math.isfinite(distance):
        return ""
    if distance < LIKE_POINTS:
        return f"There is no binary code: a node's two peaks are {number(distance)} widths apart and overlap."
    if drawn.whole >= code_matrix.WHOLE:
        return f"The latents are a binary code: every node takes two values, {number(distance)} peak widths apart."
    return (f"A node takes two values on average ({number(distance)} peak widths apart), but only "
            f"{percent(drawn.whole)} of the samples have all the signs of their class.")
