"""What one file of metrics offers to `measure`: the names it computes, what it needs for them, and the function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from lpc_core.metrics._base import Reading
from lpc_core.metrics._given import Given


@dataclass(frozen=True)
class Group:
    """Names that are computed together. ``needs`` says which of them need more than latents and labels.

    A need is the name of a `Given` field that must not be None: "predictions", "weight".
    """

    names: tuple[str, ...]
    compute: Callable[[Given], dict[str, Reading]]
    needs: dict[str, str] = field(default_factory=dict)
    needs_samples: bool = False  # more than nodes, of each class: rests on distances or scatter in all directions

    def missing(self, given: Given) -> dict[str, str]:
        """Names that cannot be computed from what is given, each with the reason."""
        return {name: f"needs {_SOURCES[need]}" for name, need in self.needs.items() if getattr(given, need) is None}


def undefined(reason: str) -> Reading:
    """The reading of a quantity that does not exist here."""
    return Reading(math.nan, reason=reason)


_SOURCES = {"predictions": "predictions, or logits, or weight and bias", "weight": "the head's weight"}
