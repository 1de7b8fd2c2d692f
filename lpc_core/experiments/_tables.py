"""The tables: the publication's value, ours as mean ± std over seeds, row by row. They are arranged by what is asked
(how robust, how collapsed, how reliable, how informative, what the code finds): not by the publication's numbering.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lpc_core.config import ConfigError
from lpc_core.experiments._published import published
from lpc_core.experiments._summaries import QUANTITIES, Group

TABLES = {
    1: ("Accuracy and robustness (mean of ‖δ‖/‖x‖)", ("train_accuracy", "test_accuracy", "deepfool", "smallest")),
    2: ("Collapse of the training latents", ("sigma_w", "norm_cv", "spread", "nc1", "separation", "peaks", "abs_cv")),
    3: ("Reliability: AUROC of telling wrong predictions",
        ("auroc_mahalanobis", "auroc_odin", "auroc_softmax", "auroc_knn", "auroc_neco", "auroc_nci")),
    4: ("Information, slopes and theory", ("entropy", "gmm_log_likelihood", "gmm_std", "slope_max", "slope", "p_y",
                                           "gamma", "critical", "radius", "predicted_radius")),
    5: ("What the binary code is good for: retrieval from the training set by test samples",
        ("map_code", "map_float", "recall_code", "recall_float", "bytes_code", "bytes_float")),
}


@dataclass(frozen=True)
class Cell:
    """One quantity of one row."""

    mean: float
    std: float  # NaN below two seeds
    seeds: int  # that have it
    paper: float | None = None
    paper_std: float | None = None


@dataclass(frozen=True)
class TableRow:
    """One row of a table."""

    label: str
    title: str
    seeds: int
    cells: dict[str, Cell]
    note: str


@dataclass(frozen=True)
class PaperTable:
    """A table: quantities by name with their titles, and a row per row of the experiments."""

    number: int
    title: str
    columns: dict[str, str]
    rows: tuple[TableRow, ...]


def table(number: int, groups: Sequence[Group]) -> PaperTable:
    """Table ``number`` (1 to 5) over ``groups``; `ConfigError` for another number."""
    if number not in TABLES:
        raise ConfigError("table", "1, 2, 3, 4 or 5", number)
    title, names = TABLES[number]
    rows = tuple(TableRow(group.label, group.row.title, len(group.runs), {name: _cell(group, name) for name in names},
                          group.note) for group in groups)
    return PaperTable(number, title, {name: QUANTITIES[name][1] for name in names}, rows)


def _cell(group: Group, name: str) -> Cell:
    paper = published(group.row.data, group.row.name, group.row.generation).get(name, (None, None))
    seeds = sum(math.isfinite(value) for value in group.values(name))
    return Cell(group.mean(name), group.std(name), seeds, *paper)


def in_words(cell: Cell) -> str:
    """``0.0312 ± 0.0004``; – where nothing could be measured."""
    return _spread(cell.mean, cell.std) if cell.seeds else "–"


def paper_in_words(cell: Cell) -> str:
    """The publication's value; "" for none."""
    return "" if cell.paper is None else _spread(cell.paper, math.nan if cell.paper_std is None else cell.paper_std)


def _spread(mean: float, std: float) -> str:
    return f"{mean:.3g}" + (f" ± {float(f'{std:.1g}'):g}" if math.isfinite(std) else "")
