"""What a page is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """One page of the lab."""

    title: str
    order: int  # place in the menu, smallest first
    render: Callable[[], None]
