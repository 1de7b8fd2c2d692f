"""Mounts the table of readings: every number with its noise floor, why it is undefined, and what it means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.charts import csv_text
from app.parts._mount import mount
from lpc_core.metrics import METRICS, Reading


def readings_table(readings: Mapping[str, Reading], key: str, title: str) -> None:
    """A table of ``readings`` {name in `METRICS`: reading}, sorted by a click on a column's head."""
    mount("cards/readings", key, {
        "key": key,
        "title": title,
        "rows": [reading_row(name, reading) for name, reading in readings.items()],
        "csv": csv_text(reading_columns(readings)) if readings else "",
    })


def reading_row(name: str, reading: Reading) -> dict[str, Any]:
    """A reading as the browser gets it: JSON knows no NaN and no infinity."""
    finite = math.isfinite(reading.value)
    shown = "undefined" if math.isnan(reading.value) else "∞" if reading.value > 0 else "−∞"
    return {**METRICS[name].words(), "value": reading.value if finite else None, "shown": "" if finite else shown,
            "floor": reading.floor, "at_floor": reading.at_floor, "reason": reading.reason}


def reading_columns(readings: Mapping[str, Reading]) -> dict[str, Sequence[Any]]:
    """The table as columns of a CSV file."""
    return {
        "name": list(readings), "title": [METRICS[name].title for name in readings],
        "value": [reading.value for reading in readings.values()],
        "floor": [reading.floor for reading in readings.values()],
        "at_floor": [reading.at_floor for reading in readings.values()],
        "note": [reading.reason for reading in readings.values()],
        "formula": [METRICS[name].formula for name in readings], "source": [METRICS[name].source for name in readings]}
