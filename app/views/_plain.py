"""Texts from files, made safe for widgets that read Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

import streamlit as st

_LINK = re.compile(r"(?i)(https?:|www|@)(?=[/.\w-])")  # what Streamlit's page makes a link of, escaped or not
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|~<>$:^=&-])")


def plain(text: str) -> str:
    """``text`` in one line as it is, whatever signs of Markdown, HTML, mathematics, colours or icons are in it.

    Addresses get an invisible sign (word joiner) so that they are not made links.
    """
    return _SPECIAL.sub(r"\\\1", _LINK.sub("\\1\u2060", " ".join(text.split())))


def sentence(text: str) -> str:
    """``text``, which begins small and has no full stop, as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def warn(texts: Iterable[str], icon: str | None = None) -> None:
    """Each of ``texts`` in a warning of its own."""
    for text in texts:
        st.warning(plain(text), icon=icon)
