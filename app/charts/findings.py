"""Findings: what an inspection came to, in a few plain sentences."""

from __future__ import annotations

import math

from app.charts import code_matrix
from app.charts.words import count, number, percent
from lpc_core.inspection import Inspection

COLLAPSED, FALLING = 0.05, 0.5  # spread within a class as a share of the radius
CHANCE_MARGIN = 0.1  # of the way from guessing to perfect
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


def at_chance(inspection: Inspection) -> bool:
    """Whether the predictions are no better than guessing; False where there are none."""
    chance = 1 / max(len(inspection.embeddings.class_names), 1)
    return value(inspection, "accuracy") <= chance + CHANCE_MARGIN * (1 - chance)


def _accuracy(inspection: Inspection, accuracy: float) -> str:
    n = count(len(inspection.embeddings.labels))
    if at_chance(inspection):
        return (f"{percent(accuracy)} of {n} samples are predicted right: no better than guessing. The classes have "
                "lost each other (total collapse), or were never told apart.")
    return f"{percent(accuracy)} of {n} samples are predicted right."


def _points(inspection: Inspection) -> str:
    size, ratio = value(inspection, "within_class_spread"), value(inspection, "separation_ratio")
    if not math.isfinite(size):
        return ""
    if size < COLLAPSED:
        told = f"Each class has collapsed to nearly a point: its spread is {percent(size)} of the radius"
    elif size < FALLING:
        told = f"The classes are compact but not points: their spread is {percent(size)} of the radius"
    else:
        told = f"The classes are clouds: their spread is {percent(size)} of the radius"
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
