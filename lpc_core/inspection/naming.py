"""Names that a reader gives the classes, in the place of the file's or data set's; nothing is measured again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from lpc_core.files.plain_json import repeated
from lpc_core.files.words import printable, refused
from lpc_core.inspection._base import Inspection
from lpc_core.inspection.inspecting import empty_classes

MOST = 200  # characters of a name, as in a file
TYPED = "class names were typed by the reader; the file or the data set has others, or none"


def names_from(text: str, classes: int) -> tuple[str, ...]:
    """The names of so many ``classes`` in ``text``: one in each line, or, in a single line, with commas between them.

    Raises `ValueError` for another number of names, for a name that is there twice, and for one that is too long.
    """
    lines = text.strip().splitlines()
    given = [name.strip() for name in (lines if len(lines) > 1 else text.split(",")) if name.strip()]
    names = tuple(printable(name, MOST) for name in given)
    if len(names) != classes:
        raise ValueError(refused(f"{classes:,} names", f"{len(names):,}: {', '.join(names)}",
                                 "write each in a line of its own, or put commas between them"))
    if long := [name for name in given if len(name) > MOST]:
        raise ValueError(refused(f"names of at most {MOST} characters", f"{len(long[0]):,} in {printable(long[0])}",
                                 "shorten it"))
    if again := repeated([*names]):
        raise ValueError(refused("names that differ", ", ".join(f"{name} twice" for name in dict.fromkeys(again)),
                                 "give every class a name of its own"))
    return names


def renamed(found: Inspection, names: Sequence[str], *, typed: bool = True) -> Inspection:
    """The same inspection with ``names`` (K,), and a note that they were ``typed``, or none."""
    before = found.embeddings
    after = dataclasses.replace(before, class_names=tuple(names))
    old, new = empty_classes(before), empty_classes(after)
    warnings = tuple(new if text == old else text for text in before.warnings)
    notes = (*(note for note in found.notes if note != TYPED), *([TYPED] if typed else []))
    return dataclasses.replace(found, embeddings=dataclasses.replace(after, warnings=warnings), notes=notes)
