"""``lpc hello``: says hello."""

from __future__ import annotations


def hello() -> None:
    """Say hello."""
    print("hello from a stranger")


COMMAND = hello
