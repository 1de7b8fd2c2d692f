"""What a chart is on a page, its data as a CSV text, and what a file of charts offers to the Metrics page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.charts._track import Track
from app.words import N_
from lpc_core.files.spreadsheet import table
from lpc_core.metrics import METRICS

SECTIONS = {  # of the Metrics page, in their order there: title and what they show
    "collapse": (N_("Neural collapse"), N_("Figure 5 of the paper: what happens to the classes once the network makes "
                                           "no more mistakes. TPT is the terminal phase of training, 99.9 % of the "
                                           "samples right.")),
    "code": (N_("Binary code"), N_("Figure 4 of the paper: every node takes one of two values, and the classes sit on "
                                   "corners of a hypercube.")),
}


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


@dataclass(frozen=True)
class Chart:
    """``CHART`` of a module of `app.charts`; those of one section stand together, smallest order first."""

    section: str
    order: int
    cards: Callable[[Track], Sequence[Card]]

    def __post_init__(self) -> None:
        if self.section not in SECTIONS:
            raise ValueError(f"expected a section of the Metrics page ({', '.join(SECTIONS)}), got {self.section!r}; "
                             "choose one of them")


def csv_text(columns: Mapping[str, Sequence[Any]]) -> str:
    """``columns`` with a header line (RFC 4180). Floats keep all their digits; None and NaN are empty cells.

    Texts that a spreadsheet could read as a formula are disarmed.
    """
    return table(columns, (map(_plain, row) for row in zip(*columns.values(), strict=True)))


def _plain(value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    return ("no", "yes")[plain] if isinstance(plain, bool) else plain
