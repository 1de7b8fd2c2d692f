"""The binary code: which vertex of the hypercube {−1, +1}^d each class sits on, and what that code can tell apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpc_core.files.plain_json import plain
from lpc_core.metrics.arithmetic.classes import summing
from lpc_core.metrics.arithmetic.rows import Rows
from lpc_core.metrics.measuring.given import numbered


@dataclass(frozen=True, eq=False)
class CodeReport:
    """The sign code of K classes in d nodes. Signs are taken about 0, where the method's two values are opposite."""

    classes: tuple[Any, ...]  # K names, in the order of all rows below
    counts: np.ndarray  # (K,) samples
    code: np.ndarray  # (K, d) int8, the sign most samples of the class have in the node; 0 where there is no majority
    hamming: np.ndarray  # (K, K) int64, nodes in which two classes have opposite signs; −1 beside an empty class
    separates: np.ndarray  # (d,) int64, pairs of classes that the node tells apart
    unused: tuple[int, ...]  # nodes that tell no two classes apart
    indispensable: tuple[int, ...]  # nodes that are the only difference of some pair of classes
    collisions: tuple[tuple[int, ...], ...]  # groups of classes (their rows) that no node tells apart
    on_vertex: np.ndarray  # (K,) share of the class's samples all of whose signs are those of its code; NaN if empty
    on_vertex_share: float  # the same of all samples together
    majority: np.ndarray  # (d,) share of samples with the sign of their class in the node, 0…1
    note: str  # what the numbers of classes and nodes alone imply

    def plain(self) -> dict[str, Any]:
        """All of it as numbers, texts, lists and None, for JSON."""
        return {name: plain(getattr(self, name)) for name in self.__dataclass_fields__}


def code_report(latents: Any, labels: Any, classes: int | Sequence[Any] | None = None) -> CodeReport:
    """Report on the code of ``latents`` (n, d) with ``labels`` (n,): whole numbers or texts.

    ``classes`` is K for labels in 0…K−1, or the K label values in the order wanted, or K names of the classes 0…K−1;
    a class without samples then stays as an empty row. By default the classes are the labels that occur, sorted.

    Signs are the paper's binary encoding (Sbailò & Ghiringhelli, arXiv 2310.08224, section on binary encoding); the
    report built on them is this project's.
    """
    rows = Rows(latents, "latents")
    numbers, names = _numbered(labels, rows.n, classes)
    counts, positive, negative = _votes(rows, numbers, len(names))
    code = np.sign(positive - negative).astype(np.int8)
    whole, agreeing = _agreement(rows, numbers, code)  # (K,), (d,)
    present = counts > 0
    differ = _opposite(code)
    per_node = code[present] == 1, code[present] == -1
    separates = per_node[0].sum(axis=0) * per_node[1].sum(axis=0)
    return CodeReport(
        names, counts, code, np.where(np.outer(present, present), differ, -1), separates,
        tuple(np.flatnonzero(separates == 0).tolist()), _indispensable(code[present], differ[np.ix_(present, present)]),
        _collisions(differ, present), whole / np.where(present, counts, np.nan), float(whole.sum() / rows.n),
        agreeing / rows.n, _note(int(present.sum()), rows.d))


def _numbered(labels: Any, n: int, classes: int | Sequence[Any] | None) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Labels as rows 0…K−1, and the K names."""
    numbers, values = numbered(labels, n)
    if classes is None:
        return numbers, values
    names = tuple(range(classes)) if isinstance(classes, int | np.integer) else tuple(classes)
    rows = {name: row for row, name in enumerate(names)}
    if not set(values) <= set(rows) and all(isinstance(value, int) for value in values):
        rows = {row: row for row in range(len(names))}  # names of classes whose labels are row numbers
    unknown = [value for value in values if value not in rows]
    if unknown:
        raise ValueError(f"expected labels among the {len(names)} classes, got {unknown[0]!r}"
                         f"{f' and {len(unknown) - 1} others' if len(unknown) > 1 else ''}; name every class")
    return np.array([rows[value] for value in values], np.int64)[numbers], names


def _votes(rows: Rows, numbers: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples per class (K,), and how many of them are above and below 0 in every node: (K, d) both."""
    positive, negative = np.zeros((classes, rows.d)), np.zeros((classes, rows.d))
    for part, block in rows.blocks():
        onto = summing(numbers[part], classes)
        positive += onto @ (block > 0).astype(float)
        negative += onto @ (block < 0).astype(float)
    return np.bincount(numbers, minlength=classes), positive, negative


def _agreement(rows: Rows, numbers: np.ndarray, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Samples of each class with all signs of its code (K,), and samples with their class's sign in each node (d,)."""
    whole, agreeing = np.zeros(len(code)), np.zeros(rows.d)
    for part, block in rows.blocks():
        same = np.sign(block) == code[numbers[part]]
        same &= block != 0
        whole += np.bincount(numbers[part], same.all(axis=1), len(code))
        agreeing += same.sum(axis=0)
    return whole, agreeing


def _opposite(code: np.ndarray) -> np.ndarray:
    """Nodes with opposite signs for every pair of rows: (K, K). A sign of 0 is opposite to nothing."""
    signs = code.astype(np.int64)
    differ: np.ndarray = (np.abs(signs) @ np.abs(signs).T - signs @ signs.T) // 2
    return differ


def _indispensable(code: np.ndarray, differ: np.ndarray) -> tuple[int, ...]:
    """Nodes without which two classes would share a vertex."""
    first, second = np.nonzero(np.triu(differ == 1, 1))
    return tuple(np.flatnonzero((code[first] * code[second] < 0).any(axis=0)).tolist())


def _collisions(differ: np.ndarray, present: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """Every class that is present joins the first group of which no node tells it apart from any member."""
    alike = (differ == 0) & np.outer(present, present)
    groups: list[list[int]] = []
    for row in np.flatnonzero(alike.sum(axis=1) > 1).tolist():
        home = next((group for group in groups if not differ[row, group].any()), None)
        groups.append([row]) if home is None else home.append(row)
    return tuple(tuple(group) for group in groups if len(group) > 1)


def _note(classes: int, d: int) -> str:
    if classes > 2 ** d:
        return f"{classes} classes on {2 ** d} vertices: some must share one (K > 2^d)"
    return f"{classes} classes need {math.ceil(math.log2(classes)) if classes > 1 else 0} of {d} nodes at least"
