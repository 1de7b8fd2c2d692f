"""Verdict: what a followed run has come to, in two or three plain sentences."""

from __future__ import annotations

import math

from app.charts import code_matrix
from app.charts._track import Track
from app.charts.words import count, percent
from lpc_core.phase import Phase, at_chance, phase_of

WARM_UP = 100  # steps before which an accuracy at chance means "untrained"


def verdict(track: Track) -> str:
    """What happened so far; before the first moment, what will."""
    if not len(track):
        return "The run is trained once more and measured at chosen moments; the first numbers come in a few seconds."
    if track.steps[-1] == 0:
        return "Before training: the latents lie where the random initial weights put them."
    if track.steps[-1] > WARM_UP and at_chance(track.train_accuracy[-1], track.classes):
        return _lost(track)
    return " ".join((_phase(track), _points(track), _code(track)))


def phase(track: Track) -> Phase:
    """What the classes are at the last moment."""
    return Phase(int(phase_of(track.train_accuracy[-1], spread(track), track.last("nc1_pinv"), track.classes)))


def _lost(track: Track) -> str:
    """Of a run that guesses: whether its classes have fallen together."""
    at = (f"at step {count(int(track.steps[-1]))} the network is right on {percent(track.train_accuracy[-1])} of the "
          "training samples, no better than guessing")
    if phase(track) is Phase.TOTAL:
        return (f"Total collapse: {at}. γ has outrun the classifier, and the other numbers describe classes that have "
                "lost each other.")
    return f"The classes lie apart, but {at}: γ has outrun the classifier."


def spread(track: Track) -> float:
    """√(tr Σ_W) over the mean radius at the last moment."""
    trace, radius = track.last("sigma_w_trace"), track.last("norm_mean")
    return math.sqrt(trace) / radius if radius > 0 and trace >= 0 else math.nan


def _phase(track: Track) -> str:
    accuracy = float(track.train_accuracy[-1])
    if track.tpt is None:
        return (f"The terminal phase has not begun: {percent(accuracy)} of the training samples are right, and 99.9 % "
                "are needed.")
    if not track.moments[-1].in_tpt:
        return (f"The terminal phase began at step {count(track.tpt)} and was lost again: {percent(accuracy)} of the "
                "training samples are right now.")
    return f"The terminal phase (99.9 % of the training samples right) was reached by step {count(track.tpt)}."


def _points(track: Track) -> str:
    size = spread(track)
    if not math.isfinite(size):
        return ""
    if phase(track) is Phase.COLLAPSED:
        return f"Each class has collapsed to nearly a point: its spread is {percent(size)} of the radius."
    if phase(track) is Phase.FALLING:
        return f"The classes are falling together: their spread is {percent(size)} of the radius."
    return f"The classes are still clouds: their spread is {percent(size)} of the radius."


def _code(track: Track) -> str:
    drawn = code_matrix.info(track.code, track.class_names)
    if drawn.collisions:
        return "The binary code is not complete: some classes share one vertex."
    return f"The binary code is {'complete' if drawn.whole >= code_matrix.WHOLE else 'not complete yet'}."
