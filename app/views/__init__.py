"""Pages of the lab, one per file: a module that defines ``VIEW`` is a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.session import ignored
from app.views._plain import warn
from lpc_core.registry import discover


@dataclass(frozen=True)
class View:
    """One page of the lab."""

    title: str
    order: int  # place in the menu, smallest first
    render: Callable[[], None]


def views() -> list[tuple[str, View]]:
    """Every page as (name in the URL, page), in the order of the menu."""
    return sorted(discover("app.views", "VIEW").items(), key=lambda item: item[1].order)


def opening() -> None:
    """What stands above any page."""
    warn(ignored())
