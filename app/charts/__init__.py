"""Charts, one per file: ``info(...)`` gathers what is drawn, ``figure(info)`` draws it; a `Card` puts it on a page."""

from __future__ import annotations

from app.charts._card import SECTIONS, Card, Chart, csv_text
from app.charts._track import Track
from lpc_core.registry import discover

__all__ = ["SECTIONS", "Card", "Chart", "Track", "charts", "csv_text"]


def charts(section: str) -> list[Chart]:
    """The charts of a followed run that stand in one section of the Metrics page: every module with ``CHART``."""
    found = [chart for chart in discover("app.charts", "CHART").values() if chart.section == section]
    return sorted(found, key=lambda chart: chart.order)
