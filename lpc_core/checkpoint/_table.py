"""Tables into arrays: which columns together are the latents, which are labels, predictions, logits and texts.

The rule, first match wins: (1) what the caller picked: a column, a list of columns, or the stem of numbered ones; (2)
for the latents, numbered columns with one of the stems z, latent, dim, embedding, emb, feature, feat or x (z0, z1, … or
dim_0, dim_1, …), in order of their numbers; likewise logit_0, logit_1, … for the logits; (3) a column that holds lists
and has a usual name (latents, embedding, …); (4) all numeric columns that have no other role and are no row
numbers ("", id, index, unnamed: 0). Labels, predictions and texts are found by name, as in `ROLES`.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import printable, refusal
from lpc_core.checkpoint._embeddings import ROLES, Arrays, check_picked, is_own

STEMS = {
    "latents": ("z", "latent", "latents", "dim", "embedding", "embeddings", "emb", "feature", "features", "feat", "x"),
    "logits": ("logit", "logits"),
}
ROW_NUMBERS = ("", "id", "index", "unnamed: 0", "__index_level_0__")
SINGLE = ("labels", "predictions", "texts")  # roles of one column
NUMBERED = re.compile(r"(.*?)[_.\- ]?(\d{1,9})", re.DOTALL)


def named_columns(names: list[str], lists: set[str], picked: dict[str, Any]) -> dict[str, list[str]]:
    """``{role: its columns in order}`` by the names alone (``lists`` hold lists); (4) is left to `table_arrays`."""
    check_picked(picked)
    roles: dict[str, list[str]] = {}
    for role in (*SINGLE, *STEMS):
        if role in picked:
            roles[role] = _picked_columns(role, names, picked[role])
        elif role in STEMS and (found := _numbered(names, STEMS[role], role)):
            roles[role] = found
        elif known := [name for name in names if name.lower() in ROLES[role] and (role in SINGLE or name in lists)]:
            own = [name for name in known if is_own(name, role)] or known
            if len(own) > 1:
                raise refusal(f"one column for the {role}", _columns(own), f"pick one, picked={{'{role}': 'its name'}}")
            roles[role] = own
    return roles


def table_arrays(columns: Arrays, picked: dict[str, Any], notes: list[str]) -> Arrays:
    """Arrays by role from columns (n,) or, where a column holds lists, (n, m)."""
    lists = {name for name, column in columns.items() if column.ndim == 2}
    roles = named_columns(list(columns), lists, picked)
    taken = {name for names in roles.values() for name in names}
    if "latents" not in roles:
        roles["latents"] = [name for name, column in columns.items() if column.dtype.kind in "fiu" and column.ndim == 1
                            and name not in taken and name.lower() not in ROW_NUMBERS]
    for role in ("latents", "labels"):
        if not roles.get(role):
            raise refusal(f"a column for the {role}", _columns(list(columns)), _what_to_do(role))
    taken = {name for names in roles.values() for name in names}
    if unused := [printable(name, 40) for name in columns if name not in taken]:
        notes.append(f"columns left out: {', '.join(unused[:20])}")
    notes.extend(f"{role}: {_columns(names)}" for role, names in roles.items())
    return {role: _joined(role, names, columns) for role, names in roles.items()}


def _what_to_do(role: str) -> str:
    if role == "labels":
        return "name a column 'label', or say which it is, picked={'labels': 'its name'}"
    return "name the columns z0, z1, …, or say which they are, picked={'latents': ['a', 'b']}"


def _columns(names: list[str]) -> str:
    shown = ", ".join(printable(repr(name), 30) for name in names[:8])
    more = f" and {len(names) - 8:,} more" if len(names) > 8 else ""
    return f"the column{'s' * (len(names) > 1)} {shown}{more}" if names else "no columns"


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
        if match and match[1] in stems:
            groups.setdefault(match[1], []).append((int(match[2]), name))
    if len(groups) > 1:
        raise refusal(f"numbered columns of one kind for the {role}", f"those of {' and '.join(groups)}",
                      f"pick one, picked={{'{role}': '{next(iter(groups))}'}}")
    return [name for _, name in sorted(next(iter(groups.values()), []))]


def _joined(role: str, names: list[str], columns: Arrays) -> np.ndarray:
    """One column as it is for a role of one; else the columns side by side."""
    first = columns[names[0]]
    if role in SINGLE and first.dtype.kind == "O" and None in (values := first.tolist()):
        raise refusal(f"{role} in every row", f"none in row {values.index(None):,}", "fill it in, or leave the row out")
    if role in SINGLE or first.ndim == 2:
        return first
    for name in names:
        if columns[name].dtype.kind not in "fiu" or columns[name].ndim != 1:
            raise refusal(f"numbers in the column {printable(repr(name), 40)}", "something else",
                          "leave the column out")
    return np.stack([columns[name] for name in names], axis=1)
