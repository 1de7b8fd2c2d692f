"""What a chart is on a page: its figure, a sentence that reads it, what its numbers mean, and its data as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from lpc_core.metrics import METRICS


@dataclass(frozen=True, eq=False)
class Card:
    """One chart of a page.

    The figure leaves look and size to the page: colours are those of `app.charts._ink`, which the page turns into its
    theme's; font, margins, grid and background are the page's unless the figure sets them.
    """

    key: str  # names the card for the page, tests and saved files; letters, digits and hyphens
    title: str
    figure: go.Figure
    caption: str  # one sentence for a learner: what it shows now
    metrics: tuple[str, ...] = ()  # of `METRICS`: what the ⓘ explains, with formula and source
    rows: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # the CSV file's columns, all of one length
    empty: str = ""  # why nothing is drawn yet, over the labelled empty axes; "" when something is
    wide: bool = False  # over all columns of the page
    aspect: float = 0.62  # height of the chart over its width on a wide screen
    about: str = ""  # what else the ⓘ says, where no metric of ours is shown

    def __post_init__(self) -> None:
        if not self.key.replace("-", "").isalnum():
            raise ValueError(f"expected a key of letters, digits and hyphens, got {self.key!r}; rename the card")
        unknown = [name for name in self.metrics if name not in METRICS]
        if unknown:
            raise ValueError(f"expected metrics that lpc_core.metrics.METRICS describes, got {', '.join(unknown)}; "
                             "describe them there")
        lengths = {name: len(column) for name, column in self.rows.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"expected columns of one length, got {lengths}; fill the shorter ones with None")
