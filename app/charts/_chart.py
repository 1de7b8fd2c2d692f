"""What a file of charts offers to the Metrics page: its place there, and its cards for a run so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.charts._card import Card
from app.charts._track import Track


@dataclass(frozen=True)
class Chart:
    """``CHART`` of a module of `app.charts`; those of one section stand together, smallest order first."""

    section: str
    order: int
    cards: Callable[[Track], Sequence[Card]]
