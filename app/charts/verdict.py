"""Verdict: what a followed run has come to, in two or three plain sentences."""

from __future__ import annotations

import math

from app.charts import Track, code_matrix
from app.charts.words import percent
from app.words import _
from lpc_core.phase import Phase, at_chance, phase_of

WARM_UP = 100  # steps before which an accuracy at chance means "untrained"


def verdict(track: Track) -> str:
    """What happened so far; before the first moment, what will."""
    if not len(track):
        return _("The run is trained once more and measured at chosen moments; the first numbers come in a few "
                 "seconds.")
    if track.steps[-1] == 0:
        return _("Before training: the latents lie where the random initial weights put them.")
    if track.steps[-1] > WARM_UP and at_chance(track.train_accuracy[-1], track.classes):
        return _lost(track)
    return " ".join((_phase(track), _points(track), _code(track)))


def phase(track: Track) -> Phase:
    """What the classes are at the last moment."""
    return phase_of(track.train_accuracy[-1], track.last("within_class_spread"), track.last("nc1_pinv"), track.classes)


def _lost(track: Track) -> str:
    """Of a run that guesses: whether its classes have fallen together."""
    at = _("at step {step} the network is right on {accuracy} of the training samples, no better than guessing",
           step=f"{track.steps[-1]:,}", accuracy=percent(track.train_accuracy[-1]))
    if phase(track) is Phase.TOTAL:
        return _("Total collapse: {at}. γ has outrun the classifier, and the other numbers describe classes that have "
                 "lost each other.", at=at)
    return _("The classes lie apart, but {at}: γ has outrun the classifier.", at=at)


def _phase(track: Track) -> str:
    accuracy = float(track.train_accuracy[-1])
    if track.tpt is None:
        return _("The terminal phase has not begun: {accuracy} of the training samples are right, and 99.9 % are "
                 "needed.", accuracy=percent(accuracy))
    if not track.moments[-1].in_tpt:
        return _("The terminal phase began at step {step} and was lost again: {accuracy} of the training samples are "
                 "right now.", step=f"{track.tpt:,}", accuracy=percent(accuracy))
    return _("The terminal phase (99.9 % of the training samples right) was reached by step {step}.",
             step=f"{track.tpt:,}")


def _points(track: Track) -> str:
    size = track.last("within_class_spread")
    if not math.isfinite(size):
        return ""
    if phase(track) is Phase.COLLAPSED:
        return _("Each class has collapsed to nearly a point: its spread is {size} of the radius.", size=percent(size))
    if phase(track) is Phase.FALLING:
        return _("The classes are falling together: their spread is {size} of the radius.", size=percent(size))
    return _("The classes are still clouds: their spread is {size} of the radius.", size=percent(size))


def _code(track: Track) -> str:
    drawn = code_matrix.info(track.code, track.class_names)
    if drawn.collisions:
        return _("The binary code is not complete: some classes share one vertex.")
    whole = drawn.whole >= code_matrix.WHOLE
    return _("The binary code is complete.") if whole else _("The binary code is not complete yet.")
