"""Pages of the lab, one per file: a module that defines ``VIEW`` is a page."""

from __future__ import annotations

from app import session
from app.views._base import View
from app.views._plain import warn
from lpc_core.registry import discover

__all__ = ["View", "opening", "views"]


def views() -> list[tuple[str, View]]:
    """Every page as (name in the URL, page), in the order of the menu."""
    return sorted(discover("app.views", "VIEW").items(), key=lambda item: item[1].order)


def opening() -> None:
    """What stands above any page."""
    warn(session.ignored())
