"""What a file of charts offers to the Metrics page: its place there, and its cards for a run so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.charts._card import Card
from app.charts._track import Track
from app.words import N_

SECTIONS = {  # of the Metrics page, in their order there: title and what they show
    "collapse": (N_("Neural collapse"), N_("Figure 5 of the paper: what happens to the classes once the network makes "
                                           "no more mistakes. TPT is the terminal phase of training, 99.9 % of the "
                                           "samples right.")),
    "code": (N_("Binary code"), N_("Figure 4 of the paper: every node takes one of two values, and the classes sit on "
                                   "corners of a hypercube.")),
}


@dataclass(frozen=True)
class Chart:
    """``CHART`` of a module of `app.charts`; those of one section stand together, smallest order first."""

    section: str
    order: int
    cards: Callable[[Track], Sequence[Card]]

    def __post_init__(self) -> None:
        if self.section not in SECTIONS:
            raise ValueError(f"expected a section of the Metrics page ({', '.join(SECTIONS)}), got {self.section!r}; "
                             "choose one of them")
