"""What a lesson is: a run, and steps of words, a prediction to make, something to try, and a check on the live run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from app.lessons._check import Condition
from lpc_core.config import RunConfig, unflatten
from lpc_core.presets import default_run
from lpc_core.run_group import RunGroup, alone, compare

PANELS = ("nodes", "curves", "forces", "points", "shell")  # what a step may show beside the latents and γ
SOURCES = ("paper", "ours")
BY_HAND = {  # of a run that the learner steers: it neither ends nor slows down while somebody reads
    "gamma_schedule": "constant", "lr_schedule": "constant", "lr": 3e-3, "steps": 60_000}


@dataclass(frozen=True)
class Claim:
    """A sentence that says how things are, who says so, and where to see it."""

    words: str
    by: Literal["paper", "ours"]
    evidence: str  # the place in the paper; or what was measured, with the command that measures it again
    link: str = ""  # a page of the lab that shows it, relative: "compare?comparison=optimizer"

    def __post_init__(self) -> None:
        if self.by not in SOURCES or not self.evidence:
            raise ValueError(f"claim: expected by to be one of {', '.join(SOURCES)} and evidence, got {self.by!r} with "
                             f"{self.evidence!r}")


@dataclass(frozen=True)
class Question:
    """What to predict before trying. ``answer`` is told when the check ticks."""

    words: str
    options: tuple[str, ...]
    right: int
    answer: str

    def __post_init__(self) -> None:
        if len(self.options) < 2 or self.right not in range(len(self.options)):
            raise ValueError(f"question: expected two or more options and which of them is right, got {self.options} "
                             f"and {self.right!r}")


@dataclass(frozen=True)
class Step:
    """One screen of a lesson. Texts are Markdown with formulas between dollar signs; ``goal`` is plain."""

    title: str
    text: str
    look_for: str
    goal: str  # what the check waits for, in words
    check: tuple[Condition, ...]
    question: Question | None = None
    gamma: float | None = None  # where the learner is told to drag γ; None: just let it run
    ready: tuple[Condition, ...] = ()  # what the run must have come to before that makes sense
    shows: tuple[str, ...] = ("nodes", "curves", "points", "shell")
    claims: tuple[Claim, ...] = ()
    within: int = 6_000  # steps of training in which the check is met, from the first one

    def __post_init__(self) -> None:
        if not self.check:
            raise ValueError(f"step {self.title!r}: expected a check with a condition, got none")
        if unknown := set(self.shows).difference(PANELS):
            raise ValueError(f"step {self.title!r}: expected shows to be of {', '.join(PANELS)}, got "
                             f"{', '.join(sorted(unknown))}")


@dataclass(frozen=True)
class Lesson:
    """A lesson of the path, smallest ``order`` first."""

    title: str
    order: int
    summary: str  # one sentence for the path
    steps: tuple[Step, ...]
    dataset: str = "hypercube"
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the run, where it differs from the data set's own
    runs: tuple[tuple[str, Mapping[str, Any]], ...] = ()  # of a comparison: a heading, and in what it differs
    axes: str = "own"  # of a comparison's panels: own | shared
    number: str = "nc1_pinv"  # in a comparison's chart

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError(f"lesson {self.title!r}: expected at least one step, got none")
        self.work(0)

    def run(self, seed: int = 0) -> RunConfig:
        """The lesson's run, or what the runs of its comparison share."""
        return unflatten({**self.settings, "seed": seed}, default_run(self.dataset))

    def work(self, seed: int = 0) -> RunGroup:
        """What is trained."""
        if not self.runs:
            return replace(alone(self.run(seed)), titles=(self.title,))  # by which the page knows whose run it draws
        titles, overrides = zip(*self.runs, strict=True)
        return compare(self.run(seed), overrides, titles)

    @property
    def drawn(self) -> dict[str, Any]:
        """What its stage is told: {titles, axes, projection, number}."""
        return {"titles": list(self.work().titles), "axes": self.axes, "projection": "", "number": self.number}
