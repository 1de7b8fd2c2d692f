"""Mounts cards: one component that draws a page's charts and keeps them while their data change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from app.abouts import CARDS, abouts
from app.charts import Card, csv_text
from app.parts._mount import mount
from lpc_core.metrics import METRICS


def cards(items: Sequence[Card], key: str, columns: int = 2, sentence: str = "") -> None:
    """Draw ``items`` in ``columns`` (one on narrow screens); a call with the same ``key`` changes those charts.

    ``sentence`` says above them what is happening, and is read out when it changes.
    """
    mount("cards/cards", key, {
        "columns": columns,
        "sentence": sentence,
        "cards": [card_data(item) for item in items],
    })


def card_data(card: Card) -> dict[str, Any]:
    """A card as the browser gets it. The template is left out: the page has its own."""
    figure = json.loads(card.figure.to_json())
    figure["layout"].pop("template", None)
    return {
        "key": card.key, "title": card.title, "figure": figure, "caption": card.caption, "empty": card.empty,
        "about": card.about, "more": abouts({card.key: CARDS[card.key]})[card.key] if card.key in CARDS else None,
        "wide": card.wide, "aspect": card.aspect, "csv": csv_text(card.rows) if card.rows else "",
        "metrics": [METRICS[name].words() for name in card.metrics],
    }
