"""Charts, one per file: ``info(...)`` gathers what is drawn, ``figure(info)`` draws it; a `Card` puts it on a page."""

from __future__ import annotations

from app.charts._card import Card
from app.charts._csv import csv_text

__all__ = ["Card", "csv_text"]
