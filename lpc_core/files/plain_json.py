"""Plain JSON, with one convention for what it has no word for: NaN is null, infinities are the texts "inf" and "-inf".

`dumps` writes it and `number` reads a float of it back; `loads` reads a text of somebody's, strictly.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from lpc_core.files.words import printable, refused

_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # of a character beyond 16 bits, escaped
MAX_TEXT = 16 * 2**20  # bytes


def dumps(value: Any, *, infinities: bool = True, **layout: Any) -> str:
    """``value`` as JSON. With ``infinities=False`` these are null too: for a browser, which draws none of them.

    Mappings, lists, tuples, NumPy's arrays and numbers are understood; ``layout`` is `json.dumps`'s own.
    """
    try:
        return json.dumps(value, allow_nan=False, default=_known, **layout)
    except ValueError:  # numbers that are not finite, which are rare
        return json.dumps(plain(value, infinities=infinities), allow_nan=False, **layout)


def plain(value: Any, *, infinities: bool = True) -> Any:
    """``value`` in the types that JSON has: what `dumps` writes."""
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return str(float(value)) if infinities and not math.isnan(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dict):
        return {str(name): plain(item, infinities=infinities) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, infinities=infinities) for item in value]
    return plain(_known(value), infinities=infinities)


def number(value: object) -> float:
    """The float that `plain` made ``value`` of; `ValueError` for what it can't have made of one."""
    if value is None or value in ("inf", "-inf"):
        return math.nan if value is None else float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**1023:
        return float(value)
    raise ValueError(f"{str(value)[:40]!r} where a number belongs")


def loads(text: bytes | str, what: str, most: int = MAX_TEXT) -> Any:
    """The JSON value in ``text``, called ``what`` in errors.

    Raises `ValueError` for more than ``most`` bytes, names given twice, NaN and its like, deep nesting, no JSON at all.
    """
    if len(text) > most:
        raise ValueError(refused(f"{what} of at most {most:,} bytes", f"{len(text):,}", "save the file again"))
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        if _HALF.search(text if isinstance(text, str) else text.decode("latin1")):
            json.dumps(found, ensure_ascii=False).encode()  # a half of a character could not be shown, nor written
        return found
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        why = "nested too deeply" if isinstance(error, RecursionError) else printable(error)
        raise ValueError(refused(f"{what} in JSON", f"text that is not ({why})", "save or copy the file again")) \
            from None


def repeated(names: list[str]) -> list[str]:
    """The names that are there more than once."""
    if len(set(names)) == len(names):
        return []
    return [name for name, times in Counter(names).items() if times > 1]


def _known(value: Any) -> Any:
    """What JSON's encoder doesn't know by itself, in types that it knows."""
    if hasattr(value, "tolist"):  # NumPy's, which is not imported for this
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"expected values that JSON can hold, got a {type(value).__name__}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"the name {printable(repr(repeated([name for name, _ in pairs])[0]), 60)} twice")
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"the constant {text}")
