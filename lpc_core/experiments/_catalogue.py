"""Every row by name: ``cifar10/lpc`` is the latest generation's, ``cifar10/lpc@r3`` that of another."""

from __future__ import annotations

import functools

from lpc_core.config import ConfigError
from lpc_core.experiments._row import Row
from lpc_core.registry import discover, pick

ALL = "all"
MOST_SHOWN = 40  # names in a refusal


@functools.cache
def all_rows() -> dict[str, Row]:
    """Every row by its key, in the order of the files; `TypeError` for a file that names one twice."""
    found = [row for each in discover("lpc_core.experiments.rows", "ROWS", tuple).values() for row in each]
    keys = [row.key for row in found]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise TypeError(f"expected each row once, got {', '.join(twice)} twice; rename one of them")
    return dict(zip(keys, found, strict=True))


def rows_named(name: str) -> list[Row]:
    """The row ``DATA/ROW``, ``DATA/ROW@GENERATION``, or all of ``DATA/all`` (of one generation); else `ConfigError`.

    Without a generation the latest one that has the row is meant.
    """
    data, slash, rest = name.partition("/")
    wanted, at, generation = rest.partition("@")
    found = [row for row in all_rows().values() if row.data == data and (not at or row.generation == generation)]
    chosen = _latest(found) if wanted == ALL else [row for row in _latest(found) if row.name == wanted]
    if slash and chosen:
        return chosen
    raise ConfigError("row", f"DATA/ROW such as {_some(data)}, see `lpc paper list`", name)


def _latest(found: list[Row]) -> list[Row]:
    """One row of each name, of the latest generation."""
    return list({row.name: row for row in sorted(found, key=lambda row: row.generation)}.values())


def check_data(data: str | None) -> None:
    """`ConfigError` for what no row is on; None is any."""
    if data is not None:
        pick("data", {row.data: row for row in all_rows().values()}, data)


def _some(data: str) -> str:
    """What rows of ``data`` are called; of what is no data set, how all rows of each are."""
    names = [key for key in all_rows() if key.startswith(f"{data}/")] or list(
        dict.fromkeys(f"{row.data}/{ALL}" for row in all_rows().values()))
    return ", ".join(names[:MOST_SHOWN]) + (", …" if len(names) > MOST_SHOWN else "")
