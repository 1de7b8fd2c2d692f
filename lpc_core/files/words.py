"""Words about files: whatever a stranger's file says is shown in one bounded line without control characters."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"<?([\w.]+)(?: object)? at 0x[0-9a-fA-F]+>?")  # as Python shows an object without a text


def printable(text: object, most: int = 80) -> str:
    """``text`` as one line of at most ``most`` printable characters; what is not printable becomes ``�``.

    Control characters, line ends and marks that turn the direction of writing are among those. Of an object that has
    no text of its own only the kind is told, not where in memory it lies.
    """
    head = str(text)[: most + 200]
    head = (_ADDRESS.sub(r"\1", head) if " at 0x" in head else head)[: most + 1]
    clean = head if head.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in head)
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def refused(expected: str, got: str, do: str) -> str:
    """The sentence ``expected …, got …; do …``: one printable line, however a file tries to write in it."""
    return f"expected {printable(expected, 400)}, got {printable(got, 400)}; {printable(do, 400)}"


def amount(count: int) -> str:
    """A number of bytes; very large ones as a power of ten, since writing them out is slow and unreadable."""
    return f"{count:,} bytes" if count < 10**24 else f"10^{int(count.bit_length() * 0.30103)} bytes or more"
