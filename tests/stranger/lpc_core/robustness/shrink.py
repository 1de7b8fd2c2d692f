"""An attack that only scales its input down."""

from __future__ import annotations

from dataclasses import dataclass

from lpc_core.robustness._base import Attack
from lpc_core.robustness._search import Search


@dataclass(frozen=True)
class Shrink(Attack):
    """Asks at half the input, a quarter, and 0."""

    name = "shrink"
    title = "Shrinking"
    source = "this test"
    white_box = False

    def run(self, search: Search) -> None:
        """See the class."""
        for factor in (0.5, 0.25, 0.0):
            search.ask(search.box.clip(search.inputs * factor), search.rows)


ATTACK = Shrink
