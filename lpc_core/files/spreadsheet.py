"""Texts as a table may hold them: what a spreadsheet would run as a formula is disarmed.

A cell is a formula if it begins with =, +, − or @; and spreadsheets look past blanks, control characters and marks
without a width, and take full-width signs for the plain ones (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import io
import math
import unicodedata
from collections.abc import Iterable
from typing import Any

SIGNS = ("=", "+", "-", "@")
BREAKS = ("\t", "\r", "\n")  # at a text's beginning they may start a new cell
UNSEEN = ("Z", "C")  # Unicode's categories of blanks, and of control, format and unassigned characters


def disarmed(text: str) -> str:
    """``text``, with an apostrophe in front where a spreadsheet could take it for a formula."""
    begin = next((place for place, sign in enumerate(text) if unicodedata.category(sign)[0] not in UNSEEN), len(text))
    seen = unicodedata.normalize("NFKC", text[begin : begin + 1])
    return f"'{text}" if text.startswith(BREAKS) or seen.startswith(SIGNS) else text


def cell(value: Any) -> Any:
    """The value as it may stand in a table: texts disarmed, NaN and None empty, numbers as they are."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return disarmed(value) if isinstance(value, str) else value


def table(names: Iterable[str], rows: Iterable[Iterable[Any]], end: str = "\r\n") -> str:
    """``rows`` as CSV below the ``names`` of their columns."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator=end)  # that of RFC 4180 has a lone \r within a text quoted
    writer.writerow(map(cell, names))
    writer.writerows(map(cell, row) for row in rows)
    return sink.getvalue()
