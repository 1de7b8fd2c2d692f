"""Names: what somebody calls themselves in a room, as short plain text."""

from __future__ import annotations

import unicodedata

LONGEST = 20
_KEPT = ("L", "M", "N", "P", "S", "Z")  # letters, marks, digits, punctuation, symbols, spaces; nothing that controls


def plain_name(given: str) -> str:
    """``given`` without what cannot be seen or turns the text around, in one line of at most `LONGEST` letters."""
    shown = (letter if unicodedata.category(letter)[0] in _KEPT else " "
             for letter in unicodedata.normalize("NFKC", given[:10 * LONGEST]))
    name = " ".join("".join(shown).split())
    marks = "".join(letter for i, letter in enumerate(name)
                    if not (unicodedata.combining(letter) and i and unicodedata.combining(name[i - 1])))
    return marks[:LONGEST].strip()
