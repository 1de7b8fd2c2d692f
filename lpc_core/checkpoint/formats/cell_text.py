"""Cells of a text table: numbers as different countries write them, and vectors as NumPy, torch and Python print them.

Nothing in a cell is evaluated. A comma within a number is a decimal mark (0,5) or parts thousands (1,234). Which of the
two shows only where one of them is impossible; a file in which nothing tells is not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lpc_core.files.words import printable

MARKED = re.compile(r"\s*[+-]?(?:\d[\d.,'\u2019 ]*)?[.,]?\d+(?:[eE][+-]?\d+)?\s*")  # a number with any marks
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*")
EITHER = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*")  # 1,234 may be both
CALLED = re.compile(r"[A-Za-z_][\w.]{0,40}\((.*)\)", re.DOTALL)  # array(…), torch.tensor(…)
SCALAR = re.compile(r"(?<![\w.])[A-Za-z_][\w.]{0,40}\(([^()\[\],]*)(?:,[^()]*)?\)")  # np.float32(0.5), tensor(0.5, …)
AFTERWARDS = re.compile(r",\s*(?:dtype|device|requires_grad|grad_fn|shape|size|layout|names)\s*=")
BEGINS = re.compile(r"\s*(?:[A-Za-z_][\w.]{0,40}\()?[\[(]")
CUT = re.compile(r"\.\.\.|\u2026")
LOST = "a part: the file was written with '…', its middle values are lost"


class Unreadable(Exception):
    """A column that would be refused if it were needed."""

    def __init__(self, expected: str, got: str, do: str) -> None:
        super().__init__(expected)
        self.words = expected, got, do


def is_number(cell: str) -> bool:
    """Whether the cell is a number as Python writes it; 1_000 is none."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def is_marked(cell: str) -> bool:
    """Whether the cell is a number, perhaps with marks that Python does not know."""
    return is_number(cell) or (("," in cell or "'" in cell) and MARKED.fullmatch(cell) is not None)


@dataclass
class Marks:
    """What the numbers of one column have shown of their marks."""

    comma: str = ""  # the first cell with a decimal comma
    point: str = ""  # the first with a decimal point
    certain: bool = False  # a cell like 0,5 or 1,23, in which the comma parts no thousands
    wrong: str = ""  # the first that is no number, or one in which thousands are parted

    def number(self, cell: str) -> float:
        """The cell's value; NaN, and the cell in `wrong`, for what is none."""
        if is_number(cell):
            self.point = self.point or (cell if "." in cell else "")
            return float(cell)
        if DECIMAL_COMMA.fullmatch(cell) and "_" not in cell:
            self.comma = self.comma or cell
            self.certain |= not EITHER.fullmatch(cell)
            return float(cell.replace(",", "."))
        self.wrong = self.wrong or cell
        return float("nan")


def vector(cell: str) -> list[float] | None:
    """The numbers between the cell's brackets, parted by commas or else by blanks; None for what is no vector.

    ``array(…)`` and ``tensor(…)`` around them and one more pair of brackets are taken off.
    """
    inner = _inner(cell)
    if inner is None:
        return None
    pieces = inner.split(",") if "," in inner else inner.split()
    if pieces and not pieces[-1].strip():
        pieces.pop()  # (1.0,)
    try:
        return [float(piece) for piece in pieces] if pieces and "_" not in inner else None
    except ValueError:
        return None


def is_cut(cell: str) -> bool:
    """Whether this is a vector whose middle values were left out in writing."""
    return CUT.search(cell) is not None and vector(CUT.sub(" ", cell).replace(",", " ")) is not None


def holds_vectors(first: str, *, named: bool) -> bool:
    """Whether a column is one of vectors, by its first cell; one ``named`` like latents is if that begins like one."""
    return vector(first) is not None or is_cut(first) or (named and BEGINS.match(first) is not None)


def vectors(cells: Sequence[str], name: str, row: int, width: int = 0) -> np.ndarray:
    """The vectors in ``cells`` (rows, width) of a column, the first in row ``row``; raises `Unreadable`.

    A ``width`` of 0 is that of the first.
    """
    found = [vector(cell) for cell in cells]
    width = width or len(found[0] or ())
    for number, (cell, values) in enumerate(zip(cells, found, strict=True)):
        if values is None or len(values) != width:
            raise _why(f"row {row + number:,} of the column {printable(repr(name), 40)}", cell, values, width)
    return np.array(found, np.float64)


def _why(where: str, cell: str, values: list[float] | None, width: int) -> Unreadable:
    if is_cut(cell):
        return Unreadable(f"every value of the vector in {where}", LOST,
                          "save the array itself with numpy.savez, or write every value")
    got = printable(repr(cell), 40) if values is None else f"one of {len(values):,}"
    return Unreadable(f"a vector of {width:,} numbers in {where}" if width else f"a vector in {where}", got,
                      "write one as long as the others, or leave the row out")


def _inner(cell: str) -> str | None:
    """What stands between the brackets."""
    if BEGINS.match(cell) is None:
        return None
    inner = cell.strip()
    if call := CALLED.fullmatch(inner):
        inner = AFTERWARDS.split(call[1], maxsplit=1)[0].strip()
    for _ in range(2):  # the vector's own, and those of a matrix that it is the only row of
        if (inner[:1], inner[-1:]) in (("[", "]"), ("(", ")")):
            inner = inner[1:-1].strip()
    if "(" in inner:
        inner = SCALAR.sub(r"\1", inner)
    return inner if inner and not any(mark in inner for mark in "[]()") else None
