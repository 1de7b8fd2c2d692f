"""CSV tables with a header line: bounded in columns, line length and cell length, and nothing in a cell is evaluated.

Comma, semicolon or tab separate, whichever the header has most of (or what a line ``sep=;`` before it says); the text
is UTF-8, or UTF-16 with its mark. A column is numeric, or one of vectors, if its first cell that is not empty is; those
of labels, predictions and texts are read as texts, and labels become numbers again where all of them are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import Limits, refusal
from lpc_core.checkpoint._embeddings import role_of
from lpc_core.checkpoint._labels import NO_CLASS, Arrays
from lpc_core.checkpoint._message import check_samples, check_total
from lpc_core.checkpoint.formats import cell_text
from lpc_core.checkpoint.formats.table import MAX_COLUMNS, SINGLE, Table, check_names, single_columns
from lpc_core.files.words import printable

MAX_LINE = 4 * 2**20  # characters
MAX_CELL = 2_000  # of a text; a vector may be as long as `csv` reads
BLOCK = 512  # rows converted at a time
NO_NUMBER = NO_CLASS | {"na", "none", "-"}  # cells in small letters that stand for a number that is not there
TEXT_BYTES = 80  # what a short text costs in memory
SEPARATOR = re.compile(r"\ufeff?\"?sep=(.)\"?\s*", re.IGNORECASE)
UTF16 = (b"\xff\xfe", b"\xfe\xff")


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


def read_csv(raw: memoryview, limits: Limits, picked: dict[str, Any]) -> Table:
    """The columns of the table by name. Raises `FileRefused` with the row that is wrong."""
    encoding = "utf-16" if bytes(raw[:2]) in UTF16 else "utf-8-sig"
    if encoding != "utf-16" and 3 * bytes(raw[:512]).count(b"\0") > len(raw[:512]):
        raise refusal("a table of UTF-8 text", "bytes of 0 (UTF-16 without its mark?)", "save it again as CSV in UTF-8")
    try:
        rows = _rows(raw, encoding)
        header, trailing = _checked_header(next(rows, []))
        if trailing:
            rows = (row[:-1] if len(row) == len(header) + 1 and not row[-1].strip() else row for row in rows)
        return _Reader(header, limits, picked).read(rows)
    except (csv.Error, UnicodeError) as error:
        raise refusal("a table of UTF-8 text", printable(error), "save it again as CSV in UTF-8") from None


def _rows(raw: memoryview, encoding: str) -> Iterator[list[str]]:
    """The cells of every line that is not empty."""
    stream = io.TextIOWrapper(io.BufferedReader(_Bytes(raw), 2**16), encoding, newline="")
    first = stream.readline(MAX_LINE)
    if said := SEPARATOR.fullmatch(first):
        separator, first = said[1], stream.readline(MAX_LINE)
    else:
        separator = max(",;\t", key=re.sub(r'"[^"]*"', "", first).count)
    yield from filter(None, csv.reader(chain([first], _lines(stream)), delimiter=separator, strict=True))


def _lines(stream: io.TextIOWrapper) -> Iterator[str]:
    while line := stream.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise refusal(f"lines of at most {MAX_LINE:,} characters", "a longer one", "check that this is a CSV table")
        yield line


def _checked_header(header: list[str]) -> tuple[list[str], bool]:
    """The columns' names, and whether each line ends in a separator with nothing after it.

    NumPy's savetxt writes them behind a "# ".
    """
    names = [name.strip() for name in header]
    names[:1] = [name.removeprefix("#").lstrip() for name in names[:1]]
    trailing = len(names) > 2 and not names[-1]
    names = names[:-1] if trailing else names
    if not 2 <= len(names) <= MAX_COLUMNS:
        raise refusal(f"2 to {MAX_COLUMNS:,} columns in a CSV table", f"{len(names):,}", "save one row for each "
                      "sample, with columns such as z0,z1,label and commas, semicolons or tabs between them")
    _refuse_a_sample(names)
    check_names(names)
    return names, trailing


def _refuse_a_sample(names: list[str]) -> None:
    """A first line that is a sample, not a header: numbers other than 0, 1, 2, … in order, or a vector."""
    numbers = [name for name in names if cell_text.is_number(name) or cell_text.is_marked(name)]
    count = [str(number) for number in range(int(numbers[0]), int(numbers[0]) + len(numbers))] \
        if numbers and numbers[0] in ("0", "1") else []
    wrong = numbers if len(numbers) == len(names) or numbers != count else []
    wrong = wrong or [name for name in names if cell_text.vector(name) or cell_text.is_cut(name)]
    if wrong:
        what = "numbers" if len(wrong) == len(names) else printable(repr(wrong[0]), 40)
        raise refusal("a header line with the columns' names", what, "add a first line such as z0,z1,label")


class _Reader:
    """All rows, a block at a time: numbers and vectors are converted at once, texts kept, each different one once."""

    def __init__(self, header: list[str], limits: Limits, picked: dict[str, Any]) -> None:
        self.header, self.limits = header, limits
        roles = single_columns(header, picked)
        self.single = {name: role for role in SINGLE for name in roles.get(role, ())}
        self.numeric: list[int] = []
        self.marks: dict[int, cell_text.Marks] = {}
        self.texts: dict[int, list[str]] = {}
        self.vectors: dict[int, list[np.ndarray]] = {}
        self.unreadable: dict[str, tuple[str, str, str]] = {}
        self.shared: dict[str, str] = {}  # labels repeat

    def read(self, rows: Iterator[list[str]]) -> Table:
        """The table."""
        first = list(islice(rows, BLOCK))
        if not first:
            raise refusal("at least one row under the header", "none", "save one row for each sample")
        self._sort([next((cell for cell in column if cell.strip().lower() not in NO_NUMBER), column[0])
                    for column in zip(*first, strict=False)])
        blocks: list[np.ndarray] = []
        line, total, rows = 2, 0, chain(first, rows)
        while block := list(islice(rows, BLOCK)):
            self._check(block, line)
            blocks.append(self._numbers(block, line))
            for place, column in self.texts.items():
                column.extend(self.shared.setdefault(row[place], row[place]) for row in block)
            total += sum(self._vectors(place, block, line) for place in list(self.vectors))
            line += len(block)
            total += len(block) * (8 * len(self.numeric) + TEXT_BYTES * len(self.texts))
            check_total(total, self.limits)
            check_samples(line - 2, self.limits)
        return self._table(np.concatenate(blocks))

    def _sort(self, first: list[str]) -> None:
        """What each column holds, by its first cell that is not empty."""
        for place, cell in enumerate(first[: len(self.header)]):
            if self.header[place] in self.single:
                self.texts[place] = []
            elif cell_text.is_marked(cell):
                self.numeric.append(place)
                self.marks[place] = cell_text.Marks()
            elif cell_text.holds_vectors(cell, named=role_of(self.header[place]) == "latents"):
                self.vectors[place] = []
            else:
                self.texts[place] = []
        self.held = frozenset(self.header[place] for place in self.vectors)

    def _check(self, block: list[list[str]], line: int) -> None:
        short = [place for place in range(len(self.header)) if self.header[place] not in self.held]
        for number, row in enumerate(block):
            if len(row) != len(self.header):
                what = "leave out what is beyond the header" if len(row) > len(self.header) else "fill in the row"
                raise refusal(f"{len(self.header):,} cells in each row", f"{len(row):,} in row {line + number:,}", what)
            if max(map(len, row)) > MAX_CELL and any(len(row[place]) > MAX_CELL for place in short):
                raise refusal(f"cells of at most {MAX_CELL:,} characters", f"a longer one in row {line + number:,}",
                              "shorten or leave out that column")

    def _numbers(self, block: list[list[str]], line: int) -> np.ndarray:
        """The numeric cells of a block of rows, (rows, columns)."""
        picked, shape = [[row[place] for place in self.numeric] for row in block], (len(block), len(self.numeric))
        values = _plain_numbers(picked, shape)
        if values is None:
            return np.array([[self._number(place, row[place], line + number) for place in self.numeric]
                             for number, row in enumerate(block)]).reshape(shape)
        for place, column in zip(self.numeric, zip(*picked, strict=True), strict=True):
            mark = self.marks[place]
            mark.point = mark.point or next((cell for cell in column if "." in cell), "")
        return values

    def _number(self, place: int, cell: str, row: int) -> float:
        value, name = self.marks[place].number(cell), self.header[place]
        if self.marks[place].wrong == cell and name not in self.unreadable:
            do = "write numbers without marks between thousands" if cell_text.is_marked(cell) else \
                "write one, or leave the row out"
            self.unreadable[name] = (f"a number in row {row:,}, column {printable(repr(name), 40)}",
                                     printable(repr(cell), 40), do)
        return value

    def _vectors(self, place: int, block: list[list[str]], line: int) -> int:
        """The vectors of a block; its bytes. A column with a cell that is none becomes one that cannot be read."""
        name, parts = self.header[place], self.vectors[place]
        try:
            width = parts[0].shape[1] if parts else 0
            parts.append(cell_text.vectors([row[place] for row in block], name, line, width))
        except cell_text.Unreadable as why:
            self.unreadable[name] = why.words
            del self.vectors[place]
            return 0
        return parts[-1].nbytes

    def _table(self, values: np.ndarray) -> Table:
        notes = self._decimal_marks()
        found: Arrays = {self.header[place]: values[:, number] for number, place in enumerate(self.numeric)}
        found |= {self.header[place]: np.concatenate(parts) for place, parts in self.vectors.items()}
        for place, column in self.texts.items():
            name = self.header[place]
            found[name] = _text_column(column, numbers=self.single.get(name) in ("labels", "predictions"))
        columns = {name: found[name] for name in self.header if name in found and name not in self.unreadable}
        notes |= {name: f"{name!r} holds vectors written as text" for name in columns if name in self.held}
        return Table(columns, self.unreadable, self.held, notes)

    def _decimal_marks(self) -> dict[str, str]:
        """A note for each column with decimal commas; those in which they are not certain cannot be read."""
        commas = {self.header[place]: mark for place, mark in self.marks.items() if mark.comma}
        if not commas:
            return {}
        certain = any(mark.certain for mark in commas.values())
        for name, mark in commas.items():
            if name in self.unreadable or (certain and not mark.point):
                continue
            got = f"{mark.comma!r} and {mark.point!r}" if mark.point else \
                f"{mark.comma!r}, of which nothing tells whether the comma is a decimal mark or parts thousands"
            self.unreadable[name] = (f"numbers with one decimal mark in the column {printable(repr(name), 40)}", got,
                                     "write numbers with decimal points and nothing between thousands")
        for place, mark in self.marks.items():
            name = self.header[place]
            if mark.point and name not in commas:
                comma = next(iter(commas))
                self.unreadable.setdefault(name, (
                    "one decimal mark in the table", f"{mark.point!r} in {printable(repr(name), 40)} beside "
                    f"{commas[comma].comma!r} in {printable(repr(comma), 40)}",
                    "write all numbers with decimal points"))
        example = next(iter(commas.values())).comma.strip()
        return dict.fromkeys(commas, f"decimal commas: {example} was read as {example.replace(',', '.')}")


def _plain_numbers(cells: list[list[str]], shape: tuple[int, int]) -> np.ndarray | None:
    """The cells' values where Python knows all of them as numbers."""
    if "_" in "".join(chain.from_iterable(cells)):  # 1_000 is a number to Python alone
        return None
    try:
        return np.fromiter(map(float, chain.from_iterable(cells)), np.float64, shape[0] * shape[1]).reshape(shape)
    except ValueError:
        return None


def _text_column(cells: list[str], *, numbers: bool) -> np.ndarray:
    """The column as texts, or as float64 where ``numbers`` may be and all cells are; NaN where no class is named."""
    none = {cell: cell.strip().lower() in NO_CLASS for cell in set(cells)}
    known = [cell for cell, there in none.items() if not there]
    if numbers and known and all(map(cell_text.is_number, known)):
        return np.array([float("nan") if none[cell] else float(cell) for cell in cells])
    column = np.empty(len(cells), object)
    column[:] = cells
    return column
