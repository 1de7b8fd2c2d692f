"""Tables into arrays: which columns together are the latents, which are labels, predictions, logits and texts.

The rule, first match wins: (1) what the caller picked: a column, a list of columns, or the stem of numbered ones; (2)
for the latents, a column that holds vectors: the one with a usual name (latents, embedding, …), else the only one; (3)
numbered columns with one of the stems z, latent, dim, embedding, emb, feature, feat or x (z0, z1, … or dim_0, dim_1,
…), or with numbers alone (0, 1, …), in order of their numbers; (4) all numeric columns that have no other role and are
no row numbers, by name ("", id, index, unnamed: 0) or by their values (whole and always growing). Where two columns
could be meant it is asked. logit_0, logit_1, … are the logits; labels, predictions and texts are found by name,
as in `ROLES`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import Ask, refusal
from lpc_core.checkpoint._embeddings import asked_for, called, check_picked, role_of
from lpc_core.checkpoint._labels import Arrays
from lpc_core.checkpoint._message import some
from lpc_core.files.plain_json import repeated
from lpc_core.files.words import printable

STEMS = {
    "latents": ("z", "latent", "latents", "dim", "embedding", "embeddings", "emb", "feature", "features", "feat", "x",
                "vector", ""),
    "logits": ("logit", "logits"),
}
ROW_NUMBERS = re.compile(r"|(?:.*[_. -])?(?:id|ids|idx|index|uuid|key|row|rownr|row_?number)|unnamed: ?\d+.*|level_\d+"
                         r"|__index_level_\d+__")
BESIDE = re.compile(r"(^|[^a-z])(probs?|proba|probability|probabilities|scores?|loss|conf|confidence|entropy|"
                    r"correct|certainty|margin|time|timestamp|epoch|step|fold|split)([^a-z]|$)", re.IGNORECASE)
SINGLE = ("labels", "predictions", "texts")  # roles of one column
NUMBERED = re.compile(r"(.*?)[_.\- ]?(\d{1,9})", re.DOTALL)
MAX_COLUMNS = 20_000
MIN_ROWS = 5  # from which on whole numbers in steps of one are taken for row numbers


@dataclass(frozen=True)
class Table:
    """The columns of a table by name, and those that hold something that cannot be read, each with its refusal."""

    columns: Arrays  # (n,), or (n, m) where each cell holds a vector
    unreadable: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # expected, got, what to do
    vectors: frozenset[str] = frozenset()  # which of them, readable or not, hold vectors
    notes: dict[str, str] = field(default_factory=dict)  # of a column, told if it is used

    @property
    def names(self) -> list[str]:
        """Of all columns."""
        return [*self.columns, *self.unreadable]


def check_names(names: list[str]) -> None:
    """Refuse names of columns that cannot be shown, and a name given twice."""
    if any(len(name) > 200 or not name.isprintable() for name in names):
        raise refusal("column names that are printable and at most 200 characters long", "others", "rename the columns")
    if again := repeated(names):
        raise refusal("each column name once", f"{printable(repr(again[0]), 40)} twice", "rename one of them")


def single_columns(names: list[str], picked: dict[str, Any]) -> dict[str, list[str]]:
    """``{role: [its column]}`` for labels, predictions and texts, by the names alone."""
    check_picked(picked)
    roles: dict[str, list[str]] = {}
    for role in SINGLE:
        if role not in picked:
            roles |= _known(role, names)
        elif picked[role] is not None:
            roles[role] = _picked_columns(role, names, picked[role])
    return roles


def named_columns(names: list[str], vectors: frozenset[str], picked: dict[str, Any]) -> dict[str, list[str]]:
    """``{role: its columns in order}`` by the names alone; (4) is left to `table_arrays`."""
    roles = single_columns(names, picked)
    for role in STEMS:
        if role in picked:
            roles |= {} if picked[role] is None else {role: _picked_columns(role, names, picked[role])}
            continue
        roles |= _known(role, [name for name in names if name in vectors])
        taken = {name for columns in roles.values() for name in columns}
        if role not in roles and (found := _several(role, names, vectors, taken)):
            roles[role] = found
    return roles


def _known(role: str, names: list[str]) -> dict[str, list[str]]:
    """The column with a usual name of ``role``; asks where there are two."""
    known = called(role, names)
    if len(known) > 1:
        raise refusal(f"one column for the {role}", _columns(known), f"pick one, {asked_for(role)}",
                      Ask(role, tuple(known)))
    return {role: known} if known else {}


def _several(role: str, names: list[str], vectors: frozenset[str], taken: set[str]) -> list[str]:
    """Numbered columns, or for the latents the only column of vectors; asks where there are both, or two of them."""
    numbered = _numbered(names, STEMS[role], role)
    free = [name for name in names if name in vectors and name not in taken and role_of(name) != "logits"] \
        if role == "latents" else []
    if len(free) + bool(numbered) <= 1:
        return free or numbered
    stem = [] if not numbered else [(NUMBERED.fullmatch(numbered[0].lower()) or ["", ""])[1] or numbered[0]]
    shown = [*map(repr, free), *(f"'{numbered[0]}' to '{numbered[-1]}'" for _ in stem)]
    raise refusal("one column of vectors for the latents", printable(" and ".join(shown), 200),
                  f"pick one, {asked_for(role)}", Ask(role, (*free, *stem)))


def table_arrays(table: Table, picked: dict[str, Any], notes: list[str], warnings: list[str]) -> Arrays:
    """Arrays by role from a table's columns; notes of what was taken for what, and warnings of what is not there."""
    roles = named_columns(table.names, table.vectors, picked)
    if "latents" not in roles and picked.get("latents", "") is not None:
        roles["latents"] = _numbers_left(table, {name for names in roles.values() for name in names}, notes)
        warnings.extend(_whole_among_real(table.columns, roles["latents"]))
        if beside := [name for name in roles["latents"] if BESIDE.search(name)]:
            warnings.append(f"taken for latents, though called like something measured on them: {_columns(beside)}")
    for role in ("latents", "labels"):
        if not roles.get(role):
            raise refusal(f"a column for the {role}", _columns(table.names) + _no_vectors(role, table.columns),
                          _what_to_do(role), _candidates(role, table))
    taken = {name for names in roles.values() for name in names}
    for name, why in table.unreadable.items():
        if name in taken:
            raise refusal(*why)
    if unused := [printable(name, 40) or "one without a name" for name in table.names if name not in taken]:
        notes.append(f"columns left out: {some(unused, 20)}")
    notes.extend(f"{role}: {_columns(names)}" for role, names in roles.items())
    warnings.extend(_gaps(roles["latents"]))
    notes.extend(dict.fromkeys(note for name, note in table.notes.items() if name in taken))
    return {role: _joined(role, names, table.columns) for role, names in roles.items()}


def _numbers_left(table: Table, taken: set[str], notes: list[str]) -> list[str]:
    """Numeric columns without a role that are no row numbers; what numbers that cannot be read would be among them."""
    free = [name for name, column in table.columns.items()
            if column.dtype.kind in "fiu" and column.ndim == 1 and name not in taken]
    rows = [name for name in free if ROW_NUMBERS.fullmatch(name.lower()) or _counts(table.columns[name])]
    if rows and len(rows) < len(free):
        notes.append(f"taken for row numbers: {_columns(rows)}")
    broken = [name for name in table.unreadable if name not in taken and name not in table.vectors]
    return [name for name in [*free, *broken] if name not in rows] if len(rows) < len(free) + len(broken) else []


def _counts(column: np.ndarray) -> bool:
    """Whether these are whole numbers that always grow, or in some order each one more than another."""
    values = column.astype(np.float64)
    if len(values) < MIN_ROWS or not (values == np.floor(values)).all():
        return False
    return bool((np.diff(values) > 0).all() or (np.diff(np.sort(values)) == 1).all())


def _whole_among_real(columns: Arrays, names: list[str]) -> list[str]:
    """A word on latents that are known by their numbers alone: whole ones beside others may be a class or a count."""
    whole = [name for name in names if name in columns and (columns[name] == np.floor(columns[name])).all()]
    return [f"taken for latents, though whole numbers beside others that are not: {_columns(whole)}"] \
        if 0 < len(whole) < len(names) else []


def _no_vectors(role: str, columns: Arrays) -> str:
    """What stands in a column that is called like latents and holds texts."""
    texts = [name for name, column in columns.items()
             if role_of(name) == role == "latents" and column.dtype.kind == "O"]
    return f"; no vectors in brackets, nor numbers, but {printable(repr(columns[texts[0]][0]), 40)} in " \
           f"{printable(repr(texts[0]), 30)}" if texts else ""


def _candidates(role: str, table: Table) -> Ask | None:
    """The columns that could have the role, so that one can be picked."""
    single = [name for name, column in table.columns.items() if column.ndim == 1]
    names = single if role == "labels" else sorted(table.vectors)
    return Ask(role, tuple(names[:40])) if names else None


def _what_to_do(role: str) -> str:
    if role == "labels":
        return f"name a column 'label', or say which it is, {asked_for(role)}"
    return "name the columns z0, z1, …, or say which they are, --pick latents=a,b, in Python picked={'latents': […]}"


def _columns(names: list[str]) -> str:
    shown = some([printable(repr(name), 30) for name in names], 8)
    return f"the column{'s' * (len(names) > 1)} {shown}" if names else "no columns"


def _picked_columns(role: str, names: list[str], pick: Any) -> list[str]:
    wanted = [pick] if isinstance(pick, str) else list(pick) if isinstance(pick, list | tuple) else []
    if wanted and all(name in names for name in wanted) and (len(wanted) == 1 or role in STEMS):
        return wanted
    if len(wanted) == 1 and role in STEMS and (found := _numbered(names, (str(wanted[0]).lower(),), role)):
        return found
    raise refusal(f"{role} in {printable(repr(pick))}", _columns(names), "name columns that are there")


def _numbered(names: list[str], stems: tuple[str, ...], role: str) -> list[str]:
    """The columns that are one of ``stems`` and a number, in order of the numbers; two stems are refused."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        match = NUMBERED.fullmatch(name.lower()) if len(name) < 100 else None
        if match and match[1] in stems and (match[1] or name.isdecimal()):
            groups.setdefault(match[1], []).append((int(match[2]), name))
    if len(groups) > 1:
        groups.pop("", None)
    if len(groups) > 1:
        raise refusal(f"numbered columns of one kind for the {role}", f"those of {' and '.join(groups)}",
                      f"pick one, {asked_for(role)}", Ask(role, tuple(groups)))
    found = sorted(next(iter(groups.values()), []))
    for (number, name), (after, other) in pairwise(found):
        if number == after:
            raise refusal("numbered columns with different numbers", f"{name!r} and {other!r}", "rename one of them")
    return [name for _, name in found]


def _gaps(names: list[str]) -> list[str]:
    """A word on numbers that are not there among numbered columns."""
    matches = [NUMBERED.fullmatch(name) for name in names]
    numbers = [int(match[2]) for match in matches if match]
    if len(numbers) < 2 or len(numbers) < len(names) or len({match[1] for match in matches if match}) > 1:
        return []
    lost = sorted(set(range(min(numbers[0], 1), numbers[-1])) - set(numbers)) if numbers[-1] < 10 * len(numbers) else []
    shown = ", ".join(map(str, lost[:5])) + " …" * (len(lost) > 5)
    return [f"{len(lost):,} of the numbered columns are not in the table: number {shown}"] if lost else []


def _joined(role: str, names: list[str], columns: Arrays) -> np.ndarray:
    """One column as it is for a role of one; else the columns side by side."""
    first = columns[names[0]]
    if role in SINGLE or first.ndim == 2:
        return first
    for name in names:
        if columns[name].dtype.kind not in "fiu" or columns[name].ndim != 1:
            raise refusal(f"numbers in the column {printable(repr(name), 40)}", _first_word(columns[name]),
                          "leave the column out")
    # stacked in rows and then turned: seven times as fast as stacking along axis 1
    return np.ascontiguousarray(np.stack([columns[name] for name in names]).T)


def _first_word(column: np.ndarray) -> str:
    if column.ndim != 1 or column.dtype.kind != "O":
        return "something else"
    return printable(repr(column[0]), 40)
