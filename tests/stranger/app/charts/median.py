"""The median radius against step."""

from __future__ import annotations

import plotly.graph_objects as go

from app.charts import Card, Chart, Track


def _card(track: Track) -> Card:
    return Card("median", "Median radius", go.Figure(), "How far out half of the latents lie.",
                empty="" if len(track) else "The first moment is being measured.")


CHART = Chart("collapse", 9, lambda track: [_card(track)])
