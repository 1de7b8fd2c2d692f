"""A lesson's texts: gathered for the catalogues, and a lesson in the language of its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.lessons._base import Claim, Lesson, Question, Step
from app.words import _

Change = Callable[[str], str]


def spoken(step: Step) -> Step:
    """``step`` in the reader's language."""
    return _step(step, _)


def coached(step: Step, following: str) -> dict[str, Any]:
    """The goal and check of ``step``, what to predict, and what its button says that leads on."""
    return {"goal": step.goal, "check": [condition.plain() for condition in step.check], "gamma": step.gamma,
            "question": None if step.question is None else vars(step.question), "shows": list(step.shows),
            "next": following}


def texts_of(lesson: Lesson) -> list[str]:
    """Every text of ``lesson`` that a reader sees."""
    found = [lesson.title, lesson.summary, *(title for title, _settings in lesson.runs)]

    def note(text: str) -> str:
        found.append(text)
        return text

    for step in lesson.steps:
        _step(step, note)
    return found


def _step(step: Step, change: Change) -> Step:
    return replace(step, title=change(step.title), text=change(step.text), look_for=change(step.look_for),
                   goal=change(step.goal), question=step.question and _question(step.question, change),
                   claims=tuple(_claim(claim, change) for claim in step.claims))


def _question(question: Question, change: Change) -> Question:
    return replace(question, words=change(question.words), options=tuple(map(change, question.options)),
                   answer=change(question.answer))


def _claim(claim: Claim, change: Change) -> Claim:
    return replace(claim, words=change(claim.words), evidence=change(claim.evidence))
