"""Ink: colours by meaning. A figure names them; the page that shows it (static/cards/cards.js) puts its theme's in.

They look like CSS variables because Plotly lets those through; shown without the page's help they are black.
"""

from __future__ import annotations

TEXT, MUTED, LINE, GRID, PANEL = (f"var(--{name})" for name in ("text", "muted", "line", "grid", "panel"))
BLUE, RED, GREEN, AMBER, ORANGE, VIOLET = (
    f"var(--{name})" for name in ("out", "inward", "along", "amber", "orange", "violet"))
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "star", "x", "triangle-right", "hexagon",
           "triangle-left", "pentagon", "cross")  # of the classes, as in static/kit/palette.js: never colour alone


def class_ink(index: int, classes: int) -> str:
    """The colour of class ``index`` of ``classes``, the same as on the stage."""
    return f"var(--class-{index}-of-{classes})"


def faint(ink: str, percent: int) -> str:
    """The same colour, ``percent`` opaque."""
    return f"{ink.removesuffix(')')}-a{percent})"
