"""Results: what a store's runs of one family say (tables, verdicts, figures), as a value that fits into one small file.

`results` makes them of groups; `dumped` and `loaded` keep them without the runs: the lab ships those of its own.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lpc_core.experiments._figures import FIGURES, FigureData, figure
from lpc_core.experiments._summaries import Group, families
from lpc_core.experiments._tables import TABLES, Cell, PaperTable, TableRow, table
from lpc_core.experiments._verdicts import Verdict, verdicts
from lpc_core.files.plain_json import dumps, loads, number

DIGITS = 5  # of a number in a file


@dataclass(frozen=True, eq=False)
class Results:
    """All that is said of one family: runs that may be compared."""

    name: str  # "digits", "cifar10 r6"
    about: str  # how they were made, in a sentence
    tables: tuple[PaperTable, ...]
    verdicts: tuple[Verdict, ...]
    figures: dict[str, FigureData]


def results(groups: Sequence[Group], about: Mapping[str, str] | None = None) -> list[Results]:
    """The results of every family among ``groups``; ``about`` says by family's name how it was made."""
    return [Results(name, (about or {}).get(name, ""), tuple(table(number, each) for number in TABLES),
                    tuple(verdicts(each)), {number: figure(number, each) for number in FIGURES})
            for name, each in families(groups).items()]


def dumped(found: Sequence[Results]) -> bytes:
    """As packed JSON; a figure that has nothing to show is left out, a figure's points are columns."""
    return gzip.compress(dumps([_plain(each) for each in found]).encode(), 9, mtime=0)


def _plain(each: Results) -> dict[str, Any]:
    figures = {name: {**vars(data), "lines": _columns(data.lines)} for name, data in each.figures.items() if data.lines}
    return {"name": each.name, "about": each.about, "tables": [asdict(table) for table in each.tables],
            "verdicts": [asdict(verdict) for verdict in each.verdicts], "figures": figures}


def loaded(raw: bytes, what: str = "results") -> list[Results]:
    """The inverse of `dumped`, for a file of one's own; `ValueError` for another."""
    try:
        return [Results(each["name"], each["about"], tuple(map(_table, each["tables"])),
                        tuple(map(_verdict, each["verdicts"])),
                        {name: _figure(data) for name, data in each["figures"].items()})
                for each in loads(gzip.decompress(raw), what)]
    except (KeyError, TypeError, AttributeError, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{what}: expected results as `python -m benchmarks.results --pack` writes them, got others "
                         f"({error}); write them again") from None


def _columns(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [_short(line[name]) for line in lines] for name in lines[0]}


def _short(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) and math.isfinite(value) else value


def _table(plain: Mapping[str, Any]) -> PaperTable:
    rows = tuple(TableRow(**{**row, "cells": {name: _cell(cell) for name, cell in row["cells"].items()}})
                 for row in plain["rows"])
    return PaperTable(**{**plain, "rows": rows})


def _verdict(plain: Mapping[str, Any]) -> Verdict:
    return Verdict(**{**plain, "said": tuple((text, values) for text, values in plain.get("said", ()))})


def _cell(plain: Mapping[str, Any]) -> Cell:
    return Cell(**{**plain, "mean": number(plain["mean"]), "std": number(plain["std"])})


def _figure(plain: Mapping[str, Any]) -> FigureData:
    columns = plain["lines"]
    lines = tuple(dict(zip(columns, line, strict=True)) for line in zip(*columns.values(), strict=True))
    return FigureData(**{**plain, "log": tuple(plain["log"]), "notes": tuple(plain["notes"]), "lines": lines})
