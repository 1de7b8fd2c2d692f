"""A lesson's words for a page without a server: each step as HTML, and what the coach has to know of it."""

from __future__ import annotations

import html
import re
from typing import Any

from markdown_it import MarkdownIt

from app.lessons import Claim, Step, coached, lessons, spoken
from app.words import _

_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
_HELD = "\ue000{}\ue001"  # where a formula stands meanwhile: letters that no text of ours has
_SIGNS = {"gamma": "γ", "Sigma": "Σ", "partial": "∂", "sum": "∑", "cdot": "·", "pm": "±", "approx": "≈", "lVert": "‖",
          "rVert": "‖", "mathcal{R}": "𝓡", "big": "", ",": " ", " ": " "}
_TEX = re.compile(
    r"\\(?:t?frac(?P<over>\{[^{}]*\}|.)(?P<under>\{[^{}]*\}|.)|text\{(?P<text>[^{}]*)\}"
    r"|(?P<sign>mathcal\{R\}|[A-Za-z]+|.))"
    r"|(?P<place>[_^])(?:\{(?P<group>(?:[^{}]|\{[^{}]*\})*)\}|(?P<one>.))|(?P<plain>[^\\_^]+)", re.DOTALL)


def sections(name: str) -> str:
    """The lesson's title and the words of its steps, one after the other, in the reader's language."""
    lesson = lessons()[name]
    steps = "\n".join(_section(spoken(step), i + 1, len(lesson.steps)) for i, step in enumerate(lesson.steps))
    return f"<h1>{html.escape(_(lesson.title))}</h1>\n<p>{html.escape(_(lesson.summary))}</p>\n{steps}"


def for_the_coach(name: str) -> dict[str, Any]:
    """What the page of a lesson is told: {steps: what the coach is told of each, titles, axes, projection, number}."""
    lesson = lessons()[name]
    last = len(lesson.steps) - 1
    return {"steps": [coached(spoken(step), _("Next step") if i < last else "") for i, step in enumerate(lesson.steps)],
            **lesson.drawn}


def _section(step: Step, number: int, of: int) -> str:
    place = html.escape(_("Step {n} of {all}", n=number, all=of))
    look = in_html(_("**Look for:** {what}", what=step.look_for))
    claims = [(in_html(f"**{_whose(claim)}:** {claim.words}"), html.escape(claim.evidence)) for claim in step.claims]
    said = "".join(f"<li>{words}<small>{evidence}</small></li>" for words, evidence in claims)
    return (f'<section class="lpc-step" hidden><p class="lpc-step-place">{place}</p><h2>{html.escape(step.title)}</h2>'
            f'{in_html(step.text)}{look}{f"<ul>{said}</ul>" if said else ""}</section>')


def _whose(claim: Claim) -> str:
    return _("The paper says") if claim.by == "paper" else _("We measured")


def in_html(text: str) -> str:
    """Markdown with formulas between dollar signs as HTML; what looks like HTML in it stays text."""
    formulas: list[str] = []

    def hold(found: re.Match[str]) -> str:
        shown, within = found.groups()
        formulas.append(f'<span class="lpc-shown">{formula(shown)}</span>' if shown else formula(within))
        return _HELD.format(len(formulas) - 1)

    made: str = MarkdownIt("commonmark", {"html": False}).render(_FORMULA.sub(hold, text))
    for i, one in enumerate(formulas):
        made = made.replace(_HELD.format(i), one)
    return made


def formula(tex: str) -> str:
    """A formula of ours in HTML: letters slanted, what is raised or lowered so; `ValueError` for TeX that is not known.

    A lesson needs no more, and a page that needs no network brings no TeX along.
    """
    return f'<span class="lpc-formula">{_in_html(tex.strip())}</span>'


def _in_html(tex: str) -> str:
    return "".join(map(_piece, _TEX.finditer(tex)))


def _piece(found: re.Match[str]) -> str:
    if found["over"] is not None:
        over, under = (found[part].strip("{}") for part in ("over", "under"))
        made = " / ".join(_in_html(part) if len(part) == 1 else f"({_in_html(part)})" for part in (over, under))
        return f"({made})" if len(over) == len(under) == 1 else made
    if found["text"] is not None:
        return f'<span class="lpc-upright">{html.escape(found["text"])}</span>'
    if found["sign"]:
        if found["sign"] not in _SIGNS:
            raise ValueError(f"expected a formula with {', '.join(sorted(_SIGNS))}, frac or text, got "
                             f"\\{found['sign']}; write it with those, or add it here")
        return _SIGNS[found["sign"]]
    if found["place"]:
        tag = "sub" if found["place"] == "_" else "sup"
        return f"<{tag}>{_in_html(found['group'] or found['one'])}</{tag}>"
    return html.escape(found["plain"].replace("-", "−"))
