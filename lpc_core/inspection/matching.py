"""Which row of the head each class of the data is: by number, by name where the file names its classes, or as given."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lpc_core.inspection.layouts.modules import listed

NAMES = ("class_names", "classes", "categories", "labels", "label_names", "names", "id2label", "idx_to_class",
         "class_to_idx", "label2id")  # keys under which checkpoints name their classes
INSIDE = ("meta", "config", "hyper_parameters", "hparams", "args", "model_config", "dataset")  # and where those lie
MOST_NAMED = 4  # missing classes in a sentence


@dataclass(frozen=True)
class Matching:
    """The head's row of each of the data's classes, names for all rows, and what must be said of it."""

    rows: tuple[int, ...]  # one for each class of the data
    class_names: tuple[str, ...]  # K
    warnings: tuple[str, ...] = ()


def head_names(metadata: Mapping[str, Any], classes: int) -> tuple[str, ...]:
    """The names that a checkpoint gives its ``classes``, in the order of the head's rows; () where it does not."""
    places = [metadata, *(metadata[key] for key in INSIDE if isinstance(metadata.get(key), Mapping))]
    for place in places:
        for key in NAMES:
            names = _in_order(place.get(key))
            if len(names) == len(set(names)) == classes:
                return names
    return ()


def _in_order(given: Any) -> tuple[str, ...]:
    """Names from a list, a JSON text, or a dictionary of numbers and names in either direction; () for others."""
    if isinstance(given, str) and given[:1] in ("[", "{"):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return ()
    if isinstance(given, Mapping):
        pairs = [(key, value) if _is_number(key) else (value, key) for key, value in given.items()]
        if not all(_is_number(number) for number, _ in pairs):
            return ()
        by_number = {int(number): str(name) for number, name in pairs}
        given = [by_number.get(number) for number in range(len(pairs))]  # None where a number is missing
    return tuple(given) if isinstance(given, list | tuple) and all(isinstance(name, str) for name in given) else ()


def _is_number(value: Any) -> bool:
    return type(value) is int or (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10)


def matched(data: Sequence[str], classes: int, known: Sequence[str], wish: str | None = None) -> Matching:
    """The match of the classes ``data`` with a head of that many ``classes``, called ``known`` (or () by nobody).

    ``wish``: "number" (the default: class k is row k), "name", or rows with commas between them. Where heads and data
    disagree under the default, a warning says so. Raises `ValueError` for a wish that cannot be followed.
    """
    if wish in (None, "number"):
        return _by_number(data, classes, known, said=wish is not None)
    rows = _by_name(data, known) if wish == "name" else _as_given(data, classes, str(wish))
    names = list(known) or [str(row) for row in range(classes)]
    for row, name in zip(rows, data, strict=True):
        names[row] = name
    return Matching(rows, tuple(names))


def _by_number(data: Sequence[str], classes: int, known: Sequence[str], *, said: bool) -> Matching:
    warnings = []
    others = [k for k, (a, b) in enumerate(zip(data, known, strict=False)) if _plain(a) != _plain(b)]
    choice = "choose the match by name (--classes name)" if known else \
        "say which rows they are (--classes with one number for each class), if they are others"
    if len(data) < classes:
        warnings.append(f"the network has {classes:,} classes and the data {len(data):,}: class k of the data was "
                        f"taken for row k of the head; {choice}")
    elif others and not said:
        first = others[0]
        warnings.append(f"the network's classes have other names than the data's (row {first} is {known[first]!r}, "
                        f"class {first} of the data {data[first]!r}): taken by number; {choice}")
    rest = tuple(known) or tuple(map(str, range(classes)))
    return Matching(tuple(range(len(data))), (*data[:classes], *rest[len(data) :]), tuple(warnings))


def _by_name(data: Sequence[str], known: Sequence[str]) -> tuple[int, ...]:
    if not known:
        raise ValueError("classes: expected names of the network's classes in the file, got none; give the rows "
                         "instead, one number for each class of the data")
    places = {_plain(name): row for row, name in enumerate(known)}
    missing = [name for name in data if _plain(name) not in places]
    rows = tuple(places[_plain(name)] for name in data if _plain(name) in places)
    if missing or len(set(rows)) < len(data):
        what = ", ".join(map(repr, missing[:MOST_NAMED])) or "two of them for one row"
        raise ValueError(f"classes: expected every class of the data among the network's ({listed(known)}), got "
                         f"{what}; rename the data's classes, or give the rows")
    return rows


def _as_given(data: Sequence[str], classes: int, wish: str) -> tuple[int, ...]:
    parts = [part.strip() for part in wish.split(",")]
    rows = tuple(int(part) for part in parts if _is_number(part))
    if len(rows) != len(parts) or len(rows) != len(data) or len(set(rows)) < len(rows) or max(rows) >= classes:
        raise ValueError(f"classes: expected number, name, or {len(data)} different rows from 0 to {classes - 1} with "
                         f"commas between them, for {listed(data)}, got {wish[:100]!r}; correct it")
    return rows


def _plain(name: str) -> str:
    """Names that differ in capitals or in what stands between words are the same."""
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()
