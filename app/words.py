"""Words: a page's texts in its reader's language. The English text is the key; ``app/locale`` holds the others.

``_("{n} of {all} steps", n=1, all=3)`` is the one way to say something; `N_` marks a text that is said later. ``tr`` in
``static/kit/words.js`` does the same in the browser. ``make words`` gathers what is marked (and the words of lessons,
metrics and settings, which need no mark) and compiles the catalogues.
"""

from __future__ import annotations

import contextlib
import functools
import gettext
import hashlib
import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path

LANGUAGES = {"en": "English", "de": "Deutsch"}  # the first is that of the keys
OWN = next(iter(LANGUAGES))
DOMAIN = "lpc"
VARIABLE = "LPC_LANGUAGE"  # of a program that no tab asks: what it writes speaks this language
LOCALE = Path(__file__).parent / "locale"

_spoken: ContextVar[str] = ContextVar("spoken", default="")
_of_the_tab: list[Callable[[], str]] = []


def _(text: str, **values: object) -> str:
    """``text`` in the language of whoever reads this page, with ``values`` in its places."""
    said = _catalogue(language()).gettext(text) if text else ""
    return said.format(**values) if values else said


def N_(text: str) -> str:
    """The same text: marked for the catalogue, and said later by `_` or by the page."""
    return text


def language() -> str:
    """The language spoken now: of `speaking`, else of the browser tab that is served, else `VARIABLE`'s or English."""
    return _spoken.get() or next((of_the_tab() for of_the_tab in _of_the_tab), "") or chosen(os.environ.get(VARIABLE),
                                                                                             None)


@contextlib.contextmanager
def speaking(wanted: str) -> Iterator[None]:
    """Speak ``wanted`` meanwhile."""
    token = _spoken.set(wanted)
    try:
        yield
    finally:
        _spoken.reset(token)


def ask(of_the_tab: Callable[[], str]) -> None:
    """Ask ``of_the_tab`` from now on which language the tab speaks that is being served."""
    _of_the_tab[:] = [of_the_tab]


def chosen(asked: str | None, accepted: str | None) -> str:
    """The link's language (``lang=de``) if we have it, else the first of ``Accept-Language`` that we have."""
    if asked in LANGUAGES:
        return asked
    ranked = sorted(map(_weighed, (accepted or "").split(",")), key=lambda item: -item[1])
    return next((name for name, weight in ranked if name in LANGUAGES and weight > 0), OWN)


def _weighed(part: str) -> tuple[str, float]:
    """Language and weight of a part of an ``Accept-Language`` header: ``de-AT;q=0.8``."""
    name, _sep, weight = "".join(part.split()).lower().partition(";q=")
    try:
        return name.partition("-")[0], float(weight or 1)
    except ValueError:
        return "", 0.0


@functools.cache
def page_words(language: str) -> str:
    """JSON {English: ``language``} of what the browser says itself; "{}" for English."""
    path = LOCALE / language / f"{DOMAIN}.json"
    return path.read_text("utf-8").strip() if language != OWN else "{}"


@functools.cache
def version(language: str) -> str:
    """Changes when `page_words` does."""
    return hashlib.sha256(page_words(language).encode()).hexdigest()[:12]


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, [language], fallback=language == OWN)
