"""Lessons of the path, one per file: a module that defines ``LESSON`` is a lesson. One with an error is named."""

from __future__ import annotations

import functools

from app.lessons._base import BY_HAND, Claim, Lesson, Question, Step
from app.lessons._check import Condition, Value, above, below, met
from app.lessons._words import coached, spoken, texts_of
from lpc_core.registry import discover_sound

__all__ = ["BY_HAND", "Claim", "Condition", "Lesson", "Question", "Step", "Value", "above", "below", "broken_lessons",
           "coached", "lessons", "met", "spoken", "texts_of"]


def lessons() -> dict[str, Lesson]:
    """Every lesson by its name in a link, in the order of the path."""
    return _found()[0]


def broken_lessons() -> dict[str, str]:
    """What is wrong with the files that are no lessons, by their names."""
    return _found()[1]


@functools.cache
def _found() -> tuple[dict[str, Lesson], dict[str, str]]:
    sound, broken = discover_sound("app.lessons", "LESSON", Lesson)
    return dict(sorted(sound.items(), key=lambda item: (item[1].order, item[0]))), broken
