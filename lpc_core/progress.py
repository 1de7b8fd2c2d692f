"""Progress: how anything that takes a while says how far it is. One form, from a download to a robustness report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from lpc_core.files.plain_json import dumps

# (share done 0…1, NaN where it is unknown; what is being done). An exception that it raises ends the work.
Progress = Callable[[float, str], None]
STEP = 0.005  # of the whole: less than this is not worth a line


def silent(share: float, what: str) -> None:
    """Say nothing."""


def part(tell: Progress, start: float, end: float) -> Progress:
    """Progress of a step that fills the share from ``start`` to ``end`` of the whole."""
    return lambda share, what: tell(start + (end - start) * share, what)


def json_lines(stream: TextIO) -> Progress:
    """Progress as one JSON object {"share", "what"} per line, for a program."""
    last = ("", -1.0)

    def say(share: float, what: str) -> None:
        nonlocal last
        if what != last[0] or share - last[1] >= STEP or share in (0, 1):
            last = (what, share)
            print(dumps({"share": round(share, 4), "what": what}), file=stream, flush=True)

    return say
