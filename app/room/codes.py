"""Codes: the few letters by which a room is joined, none of which is taken for another when read from a projector."""

from __future__ import annotations

import secrets
from collections.abc import Container

LETTERS = "BCDFGHJKMNPQRSTVWXZ"  # no vowels, so no words; no L, no Y
LENGTH = 4


def new(taken: Container[str]) -> str:
    """A code that is not ``taken``."""
    while (code := "".join(secrets.choice(LETTERS) for _ in range(LENGTH))) in taken:
        pass
    return code


def read(typed: str) -> str:
    """The code in what somebody typed, however they typed it; "" where there is none."""
    code = "".join(letter for letter in typed[:40].upper() if letter.isascii() and letter.isalnum())
    return code if len(code) == LENGTH and set(code) <= set(LETTERS) else ""
