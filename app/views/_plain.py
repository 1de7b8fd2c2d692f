"""Texts from files, made safe for widgets that read Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|~<>$:^=&-])")


def plain(text: str) -> str:
    """``text`` as it is, whatever signs of Markdown, HTML or mathematics are in it."""
    return _SPECIAL.sub(r"\\\1", text)
