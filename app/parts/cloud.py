"""Mounts the point cloud, and reads what was chosen in it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from app.abouts import CLOUD, abouts
from app.desks.inspections import PROJECTIONS, Held
from app.parts._mount import file_url, mount


def point_cloud(held: Held, key: str, title: str, *, group: str = "", busy: str = "",
                want: Callable[[str], None] | None = None, link: Mapping[str, Any] | None = None) -> np.ndarray:
    """Draw ``held``; returns the rows chosen, (m,) growing.

    Clouds of one ``group`` with as many samples point and choose together. ``want`` is called with the name of a
    projection that was asked for; ``busy`` is the one being computed. ``link``: the moment and share of one.
    """
    data = {"name": title, "group": group, "busy": busy, "offers": list(PROJECTIONS), "abouts": abouts(CLOUD),
            "projections": {name: file_url(token) for name, token in held.projections.items()},
            **{f"{kind}Url": file_url(token) for kind, token in held.tokens.items()}, **(link or {})}
    result = mount("cloud/cloud", key, data, "selection", "wanted")
    if want is not None and result.get("wanted") in PROJECTIONS:
        want(result["wanted"])
    return chosen_rows(held, result.get("selection"))


def chosen_rows(held: Held, selection: Any) -> np.ndarray:
    """The rows of the file that a page's answer stands for; none for one about other points, or a broken one."""
    none = np.zeros(0, np.int64)
    if not isinstance(selection, dict) or not str(selection.get("of", "")).endswith(held.tokens["cloud"]):
        return none
    try:
        raw = base64.b64decode(str(selection.get("bits", "")), validate=True)
    except (binascii.Error, ValueError):
        return none
    flags = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[: len(held.sight.rows)]
    rows: np.ndarray = held.sight.rows[: len(flags)][flags.astype(bool)]
    return rows
