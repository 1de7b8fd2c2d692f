"""``lpc greet``: says that the lab is there."""

from __future__ import annotations


def greet() -> None:
    """Say that the lab is there."""
    print("greetings from the lab")


COMMAND = greet
