"""Values of a pickle or a JSON text as plain data of bounded size, for showing: numbers, texts, lists, dictionaries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lpc_core.files.words import printable

MAX_DEPTH = 8
MAX_VALUES = 20_000
MAX_TEXT = 10_000  # characters


@dataclass(frozen=True)
class Foreign:
    """An object in a pickle, by the name of its class or function. It is never built: what it was made of is gone."""

    name: str

    def __str__(self) -> str:
        return f"an object of {printable(self.name)}, not built"


class Plain:
    """Turns values into plain data until ``MAX_VALUES`` were used up; `cut` says whether something was left out."""

    def __init__(self) -> None:
        self.left = MAX_VALUES
        self.cut = False

    def value(self, value: Any, depth: int = 0) -> Any:
        """``value`` as JSON can hold it; what is too deep, too much or no plain data becomes a text that says so."""
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            self.cut = True
            return "…"
        if isinstance(value, dict):
            return {printable(key, 200): self.value(item, depth + 1) for key, item in self._some(value.items())}
        if isinstance(value, list | tuple):
            return [self.value(item, depth + 1) for item in self._some(value)]
        return _single(value)

    def _some(self, items: Any) -> list[Any]:
        """As many of ``items`` as there is room for."""
        kept = [item for item, _ in zip(items, range(max(self.left, 0)), strict=False)]
        self.cut |= len(kept) < len(items)
        return kept


def _single(value: Any) -> Any:
    """A value that holds no others."""
    if isinstance(value, int) and abs(value) >= 2**63:  # writing out a very large one would take for ever
        return f"a whole number of {value.bit_length():,} bits"
    if isinstance(value, bytes | bytearray):
        return f"{len(value):,} bytes"
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return printable(value, MAX_TEXT)
