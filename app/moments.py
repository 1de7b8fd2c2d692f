"""Moments: what a link says besides the run: how far it had come, γ by hand, and how it is looked at.

A page that opens such a link replays the run to that step, pauses there and puts everything in its place
(`static/live/sharelink.js`, which also writes these words).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lpc_core.config import GAMMA_MAX, ConfigError

MOST_STEPS = 10_000  # that are replayed
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_LAYER = "(?:shell|points|forces)"
_WORDS = {  # name in the link: what it must look like, in words and as an expression
    "at": (f"a whole number of steps up to {MOST_STEPS}", r"\d{1,5}"),
    "hand": (f"a γ from 0 to {GAMMA_MAX:g}", _NUMBER),
    "view": ("pca2, pca3, or two or three nodes as in n0-1", r"pca[23]|n\d{1,3}(?:-\d{1,3}){1,2}"),
    "turn": ("two angles as in 0.6,0.45", rf"-?{_NUMBER},-?{_NUMBER}"),
    "zoom": ("follow or fixed", "follow|fixed"),
    "off": ("what is not drawn, of shell, points and forces", rf"{_LAYER}(?:,{_LAYER}){{0,2}}"),
}


def split(given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str], list[ConfigError]]:
    """What ``given`` says of the run, what of the moment, and what of that is not understood and left out."""
    run = {name: text for name, text in given.items() if name not in _WORDS}
    moment, errors = {}, []
    for name in given.keys() & _WORDS.keys():
        words, form = _WORDS[name]
        text = given[name]
        if len(text) <= 40 and re.fullmatch(form, text, re.ASCII) and _in_range(name, text):
            moment[name] = text
        else:
            errors.append(ConfigError(name, words, text))
    return run, moment, errors


def _in_range(name: str, text: str) -> bool:
    most = {"at": MOST_STEPS, "hand": GAMMA_MAX}
    return name not in most or float(text) <= most[name]


def plain(moment: Mapping[str, str]) -> dict[str, Any]:
    """The moment as the page takes it up."""
    view = moment.get("view", "")
    found: dict[str, Any] = {
        "at": int(moment["at"]) if "at" in moment else None,
        "hand": float(moment["hand"]) if "hand" in moment else None,
        "turn": [float(angle) for angle in moment["turn"].split(",")] if "turn" in moment else None,
        "zoom": moment.get("zoom"), "off": moment.get("off", "").split(",") if "off" in moment else []}
    if view.startswith("pca"):
        found["view"] = {"projection": "pca", "dims": int(view[3:]), "nodes": []}
    elif view:
        nodes = [int(node) for node in view[1:].split("-")]
        found["view"] = {"projection": "nodes", "dims": len(nodes), "nodes": nodes}
    return found
