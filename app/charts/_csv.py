"""A chart's data as a CSV text that a spreadsheet shows and never runs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lpc_core.files.spreadsheet import disarmed


def csv_text(columns: Mapping[str, Sequence[Any]]) -> str:
    """``columns`` with a header line (RFC 4180). Floats keep all their digits; None and NaN are empty cells.

    Texts that a spreadsheet could read as a formula are disarmed.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_cell(name) for name in columns])
    writer.writerows([_cell(value) for value in row] for row in zip(*columns.values(), strict=True))
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else repr(float(value))
    return disarmed(str(value))
