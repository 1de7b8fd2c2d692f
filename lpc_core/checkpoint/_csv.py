"""CSV tables with a header line: bounded in columns, line length and cell length, and nothing in a cell is evaluated.

Comma, semicolon or tab separate, whichever the header has most of. A column is numeric if its first cell is a number;
those of labels, predictions and texts are read as texts, and labels become numbers again where all of them are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import Limits, printable, refusal
from lpc_core.checkpoint._embeddings import Arrays
from lpc_core.checkpoint._message import check_samples, check_total
from lpc_core.checkpoint._table import SINGLE, named_columns

MAX_COLUMNS = 20_000
MAX_LINE = 4 * 2**20  # characters
MAX_CELL = 2_000
BLOCK = 512  # rows converted at a time
TEXT_BYTES = 80  # what a short text costs in memory


class _Bytes(io.RawIOBase):
    """The file as a stream, without a copy of it."""

    def __init__(self, raw: memoryview) -> None:
        self._raw, self._position = raw, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with what comes next."""
        piece = self._raw[self._position : self._position + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def read_csv(raw: memoryview, limits: Limits, picked: dict[str, Any]) -> Arrays:
    """The columns of the table by name, float64 or texts (objects). Raises `FileRefused` with the row that is wrong."""
    try:
        rows = _rows(raw)
        header = _checked_header(next(rows, []))
        return _columns(rows, header, limits, picked)
    except (csv.Error, UnicodeDecodeError) as error:
        raise refusal("a table of UTF-8 text", printable(error), "save it again as CSV in UTF-8") from None


def _rows(raw: memoryview) -> Iterator[list[str]]:
    """The cells of every line that is not empty."""
    stream = io.TextIOWrapper(io.BufferedReader(_Bytes(raw), 2**16), "utf-8-sig", newline="")
    first = stream.readline(MAX_LINE)
    separator = max(",;\t", key=first.count)
    yield from filter(None, csv.reader(chain([first], _lines(stream)), delimiter=separator, strict=True))


def _lines(stream: io.TextIOWrapper) -> Iterator[str]:
    while line := stream.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise refusal(f"lines of at most {MAX_LINE:,} characters", "a longer one", "check that this is a CSV table")
        yield line


def _checked_header(header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    if not 2 <= len(names) <= MAX_COLUMNS:
        raise refusal(f"2 to {MAX_COLUMNS:,} columns in a CSV table", f"{len(names):,}", "save one row for each "
                      "sample, with columns such as z0,z1,label")
    if all(_is_number(name) for name in names):
        raise refusal("a header line with the columns' names", "numbers", "add a first line such as z0,z1,label")
    if any(len(name) > 200 or not name.isprintable() for name in names) or len(set(names)) < len(names):
        raise refusal("column names that are printable, at most 200 characters long and each there once", "others",
                      "rename the columns")
    return names


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _columns(rows: Iterator[list[str]], header: list[str], limits: Limits, picked: dict[str, Any]) -> Arrays:
    """All rows, a block at a time: numbers are converted at once, texts are kept, each different one only once."""
    roles = named_columns(header, set(), picked)
    texts = {header.index(name) for role in SINGLE for name in roles.get(role, ())}
    first = next(rows, None)
    if first is None:
        raise refusal("at least one row under the header", "none", "save one row for each sample")
    texts |= {place for place, cell in enumerate(first[: len(header)]) if not _is_number(cell)}
    numeric = [place for place in range(len(header)) if place not in texts]
    blocks: list[np.ndarray] = []
    cells: dict[int, list[str]] = {place: [] for place in sorted(texts)}
    shared: dict[str, str] = {}  # labels repeat
    line, total, rows = 2, 0, chain([first], rows)
    while block := list(islice(rows, BLOCK)):
        _check_block(block, len(header), line)
        blocks.append(_numbers(block, numeric, header, line))
        for place, column in cells.items():
            column.extend(shared.setdefault(row[place], row[place]) for row in block)
        line += len(block)
        total += len(block) * (8 * len(numeric) + TEXT_BYTES * len(cells))
        check_total(total, limits)
        check_samples(line - 2, limits)
    values = np.concatenate(blocks)
    found: Arrays = {header[place]: values[:, number] for number, place in enumerate(numeric)}
    single = {name: role for role in SINGLE for name in roles.get(role, ())}
    for place, column in cells.items():
        found[header[place]] = _text_column(column, numbers=single.get(header[place]) in ("labels", "predictions"))
    return {name: found[name] for name in header}


def _check_block(block: list[list[str]], width: int, line: int) -> None:
    for number, row in enumerate(block):
        if len(row) != width:
            raise refusal(f"{width:,} cells in each row", f"{len(row):,} in row {line + number:,}", "fill in the row")
        if max(map(len, row)) > MAX_CELL:
            raise refusal(f"cells of at most {MAX_CELL:,} characters", f"a longer one in row {line + number:,}",
                          "shorten or leave out that column")


def _numbers(block: list[list[str]], numeric: list[int], header: list[str], line: int) -> np.ndarray:
    """The numeric cells of a block of rows, (rows, columns)."""
    picked = [[row[place] for place in numeric] for row in block] if len(numeric) < len(header) else block
    try:
        values = np.fromiter(map(float, chain.from_iterable(picked)), np.float64, len(block) * len(numeric))
    except ValueError:
        row, place = next((i, j) for i, row in enumerate(block) for j in numeric if not _is_number(row[j]))
        raise refusal(f"a number in row {line + row:,}, column {printable(repr(header[place]), 40)}",
                      printable(repr(block[row][place]), 40), "write one, or leave the row out") from None
    return values.reshape(len(block), len(numeric))


def _text_column(cells: list[str], *, numbers: bool) -> np.ndarray:
    """The column as texts, or as float64 where ``numbers`` may be and all cells are."""
    if numbers and all(map(_is_number, set(cells))):
        return np.array([float(cell) for cell in cells])
    column = np.empty(len(cells), object)
    column[:] = cells
    return column
