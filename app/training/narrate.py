"""Narration: one plain sentence on what is happening now. A table of cases; the first that fits is told."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter

import numpy as np
from scipy.special import softmax

from app.words import N_
from lpc_core.phase import Phase, phase_of
from lpc_core.snapshot import Snapshot

SEPARABLE = 0.999  # training accuracy from which the terminal phase is said to begin
NEAR = 0.9  # accuracy
TWO_PEAKS, EVEN = 5.0, 0.15  # peak distance of the worst node in peak widths; variation of |z| over mean |z|
WARM_UP_STEPS = 100  # before this many steps chance accuracy means "untrained", not "collapsed"


@dataclass(frozen=True)
class Scene:
    """What the sentences are made of. Numbers that were not measured are NaN, and no case fits a NaN."""

    now: Snapshot
    before: Snapshot | None
    learnt: bool  # whether its accuracy was ever better than guessing

    def number(self, name: str) -> float:
        """A metric of this moment."""
        return self.now.metrics.get(name, math.nan)

    @property
    def accuracy(self) -> float:
        """Share of training samples classified correctly."""
        return self.number("train_accuracy")

    @property
    def accuracy_before(self) -> float:
        """The same one measurement ago."""
        return self.before.metrics.get("train_accuracy", math.nan) if self.before else math.nan

    @functools.cached_property
    def phase(self) -> Phase:
        """What the classes are."""
        spread, nc1 = self.number("within_class_spread"), self.number("nc1_pinv")
        return phase_of(self.accuracy, spread, nc1, len(self.now.weight))

    @property
    def lost(self) -> bool:
        """Whether the network guesses because γ has outrun its head, not because it has not learnt yet."""
        guesses = self.phase in (Phase.TOTAL, Phase.GUESSING)
        return guesses and self.now.step > WARM_UP_STEPS and (self.learnt or self.head_outrun)

    @property
    def head_outrun(self) -> bool:
        """Whether even the predicted points z* are hardly more probable than a guess under the present head."""
        z = self.now.collapse_points  # (K, d)
        if z is None or not np.isfinite(z).all():
            return False
        own = np.diag(softmax(z @ self.now.weight.T + self.now.bias, axis=1))  # (K,)
        return bool(own.mean() < 1.5 / len(own))


def _percent(share: float) -> str:
    """What is not all is at most 99.9 %; an error may be more than 100 %."""
    percent = 100 * share
    if percent < 10:
        return f"{percent:.2g} %"
    return f"{min(percent, 99.9):.3g} %" if share < 1 else f"{percent:.0f} %"


def _binary(scene: Scene) -> bool:
    return scene.number("node_peak_distance_min") > TWO_PEAKS and scene.number("abs_cv") < EVEN


def _predicted(scene: Scene) -> bool:
    return math.isfinite(scene.number("point_error"))


SHARES: dict[str, Callable[[Scene], float]] = {  # what may stand in a sentence
    "accuracy": lambda s: s.accuracy, "wrong": lambda s: 1 - s.accuracy,
    "spread": lambda s: s.number("within_class_spread"), "error": lambda s: s.number("point_error"),
}
CASES: tuple[tuple[Callable[[Scene], bool], str], ...] = (
    (lambda s: s.now.step == 0,
     N_("Nothing is learned yet: the points lie where the random initial weights put them.")),
    (lambda s: s.lost and s.phase is Phase.TOTAL,
     N_("Total collapse: γ has outrun the head, the classes lie within one another, and accuracy fell to {accuracy}, "
        "which is chance.")),
    (lambda s: s.lost,
     N_("γ has outrun the head: accuracy fell to {accuracy}, which is chance, though the classes still lie apart.")),
    (lambda s: s.accuracy < s.accuracy_before - 0.1 and s.now.gamma > 0,
     N_("Accuracy is dropping, to {accuracy}: γ pulls harder than the head can push.")),
    (lambda s: s.now.gamma == 0 and s.accuracy >= SEPARABLE,
     N_("γ is 0: the classes are separable, and nothing pulls points of one class together.")),
    (lambda s: s.now.gamma == 0,
     N_("γ is 0, so there is no penalty: {accuracy} of the training samples are right.")),
    (lambda s: s.accuracy < NEAR,
     N_("The network is learning to tell the classes apart: {accuracy} of the training samples are right.")),
    (lambda s: s.accuracy < SEPARABLE and s.phase is Phase.COLLAPSED,
     N_("Each class is nearly one point, but {wrong} of the samples sit at a wrong one.")),
    (lambda s: s.accuracy < SEPARABLE,
     N_("Almost separable: {wrong} of the training samples are still wrong.")),
    (lambda s: s.phase is Phase.CLOUDS and s.accuracy_before < SEPARABLE,
     N_("The classes have just become separable; γ is still too weak to matter.")),
    (lambda s: s.phase is Phase.CLOUDS,
     N_("The classes are separable; γ is still too weak to draw their points together (spread {spread} of the "
        "radius).")),
    (lambda s: s.phase is Phase.FALLING,
     N_("Same-class points are falling together: spread {spread} of the radius.")),
    (lambda s: s.phase is Phase.COLLAPSED and _binary(s) and _predicted(s),
     N_("Collapsed to a binary code: each class is one point to within {spread} of the radius, {error} of the radius "
        "away from the predicted one, and every node takes two opposite values.")),
    (lambda s: s.phase is Phase.COLLAPSED and _binary(s),
     N_("Collapsed to a binary code: each class is one point to within {spread} of the radius, and every node takes "
        "two opposite values.")),
    (lambda s: s.phase is Phase.COLLAPSED and _predicted(s),
     N_("Collapsed: each class is one point to within {spread} of the radius, {error} of the radius away from the "
        "predicted one.")),
    (lambda s: s.phase is Phase.COLLAPSED,
     N_("Collapsed: each class is one point to within {spread} of the radius.")),
    (lambda s: s.accuracy >= SEPARABLE, N_("The classes are separable.")),
)


Told = tuple[str, dict[str, str]]  # a sentence with places {…}, and what stands in them: each page says it in its words


def tell(snapshot: Snapshot, previous: Snapshot | None = None, *, learnt: bool = False) -> Told:
    """What is happening in ``snapshot``; ``previous`` was measured before it. Empty when nothing was measured.

    ``learnt`` says that the run was once better than guessing, which tells one that lost its classes from a new one.
    """
    if snapshot.reason or not snapshot.metrics:
        return snapshot.reason, {}
    scene = Scene(snapshot, previous, learnt)
    text = next((text for fits, text in CASES if fits(scene)), "")
    places = [name for _before, name, _form, _conversion in Formatter().parse(text) if name]
    return text, {name: _percent(SHARES[name](scene)) for name in places}
