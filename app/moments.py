"""Moments: what a link says besides what is trained or read: how far it had come, γ by hand, and how it is looked at.

Each page has its words. They are checked here and go to the page as they are, whose parts write them and take them up
again (`static/kit/sharing.js`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from app.catalogue import CHARTS
from app.desks.samples import FILMS, FOLDER, samples
from app.words import N_
from lpc_core.config import GAMMA_MAX, ConfigError
from lpc_core.film import MAX_FRAMES, MAX_POINTS, MIN_FRAMES, MIN_POINTS, FilmError, parse_gammas
from lpc_core.metrics.live import forms

MOST_REPLAYED = 10_000  # steps
MOST_STEPS = 1_000_000
LONGEST = 400  # characters of a word
CONTROLS = {  # what a link can hide (`hide=`), as the page's own list names it; the style sheet does the rest
    "menu": N_("the menu"), "settings": N_("the settings"), "room": N_("presenting and rooms"),
    "run": N_("play and step"), "gamma": N_("the γ slider"), "view": N_("the view's buttons"),
    "overlays": N_("the overlays' buttons"), "inputs": N_("the inputs"), "nodes": N_("the nodes"),
    "curves": N_("the curves"), "files": N_("opening and saving files")}
LIVE = ("play", "compare", "learn")  # pages whose runs are replayed
HIDEABLE = {  # by page
    "play": ("menu", "settings", "room", "run", "gamma", "view", "overlays", "inputs", "nodes", "curves"),
    "compare": ("menu", "settings", "room", "run", "gamma", "view", "overlays", "curves"),
    "learn": ("menu", "room", "run", "gamma", "view", "overlays", "inputs", "nodes", "curves"),
    "film": ("menu", "settings", "run", "gamma", "view", "overlays", "nodes", "curves", "files"),
    "metrics": ("menu", "settings"), "inspect": ("menu", "view", "overlays", "files")}


class Word(NamedTuple):
    """What a word of a link may be, in words and as a test."""

    says: str
    fits: Callable[[str], object]


def _like(says: str, form: str) -> Word:
    return Word(says, lambda text: re.fullmatch(form, text, re.ASCII))


def _whole(says: str, least: int, most: int) -> Word:
    return Word(f"{says} from {least} to {most}",
                lambda text: re.fullmatch(r"\d{1,7}", text, re.ASCII) and least <= int(text) <= most)


def _some(says: str, names: Iterable[str], most: int = 0) -> Word:
    """Up to ``most`` of ``names`` (0: as many as there are), with commas between."""
    known = list(names)
    return Word(f"{says}{', '.join(known) if len(known) < 12 else f'such as {known[0]}'}",
                lambda text: set(text.split(",")) <= set(known) and text.count(",") < (most or len(known)))


def _sample(folder: Path) -> Word:
    names = [sample.link for sample in samples(folder)]
    return Word("one of " + ", ".join(names), lambda text: text in names)


def _is_gammas(text: str) -> bool:
    try:
        return len(parse_gammas(text)) > 0
    except FilmError:
        return False


_NUMBER = r"\d{1,12}(?:\.\d{1,12})?(?:e[+-]?\d{1,2})?"
_WIDTH = rf"(?=[0.]*[1-9]){_NUMBER}"  # not 0
_NODES = r"\d{1,4}"
_ROWS = r"\d{1,7}(?:-\d{1,7})?"
_LINE = r"[a-z0-9_-]{1,40}\.\d{1,3}"
_AXIS = rf"[a-z0-9_-]{{1,40}}:[xy]\d?(?::-?{_NUMBER}){{2}}"
_HAND = Word(f"a γ from 0 to {GAMMA_MAX:g}",
             lambda text: re.fullmatch(_NUMBER, text, re.ASCII) and float(text) <= GAMMA_MAX)
_LOOK = {
    "turn": _like("two angles as in 0.6,0.45", rf"-?{_NUMBER},-?{_NUMBER}"),
    "only": _like("classes by number as in 0,3", r"\d{1,4}(?:,\d{1,4}){0,63}")}
_CARDS = {
    "lines": _like("lines that are not drawn, as in nc1.2", rf"{_LINE}(?:,{_LINE}){{0,19}}"),
    "axes": _like("a chart, its axis and the ends as in nc1:x:0:3", rf"{_AXIS}(?:,{_AXIS}){{0,7}}"),
    "sort": _like("a column such as value or -value", "-?(?:title|value|floor|reason)")}


def _layers(*names: str) -> Word:
    word = _some("", names)
    return Word(f"none, or what is not drawn, of {', '.join(names)}", lambda text: text == "none" or word.fits(text))


def _curves() -> list[str]:
    """What a page's menu of curves offers: the charts, then every metric of none of them."""
    covered = {name for chart in CHARTS.values() for name in chart["metrics"]}
    return [*CHARTS, *(name for name in forms() if name not in covered)]


_DRAWN = _LOOK | {
    "zoom": _like("follow, fixed, or half the width and the middle as in 2,0,0",
                  rf"follow|fixed|{_WIDTH}(?:,-?{_NUMBER}){{2}}"), "off": _layers("shell", "points", "forces"),
    "bars": _like("up to eight nodes as in 0-3", rf"{_NODES}(?:-{_NODES}){{0,7}}"),
    "curves": _some("up to four curves with commas between, ", _curves(), 4)}
_PLAY = _DRAWN | {
    "view": _like("pca2, pca3, or two or three nodes as in n0-1", rf"pca[23]|n{_NODES}(?:-{_NODES}){{1,2}}"),
    "against": _like("step or gamma", "step|gamma"), "inputs": _like("open or closed", "open|closed"),
    "hand": _HAND, "at": _whole("a whole number of steps", 0, MOST_REPLAYED)}
_COMPARE = {name: word for name, word in _PLAY.items() if name not in {"bars", "inputs"}} | {
    "curves": _some("one number, ", forms(), 1), "axes": _like("shared or own", "shared|own")}
WORDS: dict[str, dict[str, Word]] = {  # of every page's link, by name
    "play": _PLAY,
    "compare": _COMPARE,
    "learn": _PLAY | _COMPARE | {  # a lesson is a run as on the one page, or several as on the other
        "curves": _some("up to four curves with commas between, ", [*_curves(), *forms()], 4)},
    "film": _DRAWN | {
        "film": _sample(FILMS), "gammas": Word("values of γ as in 1e-3:1e5:32 or 0.1,1,10", _is_gammas),
        "frames": _whole("a whole number", MIN_FRAMES, MAX_FRAMES),
        "points": _whole("a whole number", MIN_POINTS, MAX_POINTS),
        "length": _whole("a whole number of steps", 10, MOST_STEPS), "hand": _HAND,
        "at": _whole("a whole number of steps", 0, MOST_STEPS), "play": _like("1", "1")},
    "metrics": _CARDS | {
        "at": _whole("a whole number of steps", 0, MOST_STEPS), "class": _whole("a class's number", 0, 9_999),
        "lens": _whole("a whole number", 0, 999), "nodes": _like("two nodes as in 0-3", rf"{_NODES}-{_NODES}")},
    "inspect": _CARDS | _LOOK | {
        "file": _sample(FOLDER), "hand": _HAND, "off": _layers("points", "means", "head"),
        "view": _like("pca2, pca3, tsne2, umap2, or up to three nodes as in n0-1",
                      rf"(?:pca|tsne|umap)[23]|n{_NODES}(?:-{_NODES}){{0,2}}"),
        "zoom": _like("how many times, and the middle, as in 4,0.5,-1", rf"{_WIDTH}(?:,-?{_NUMBER}){{2}}"),
        "chosen": _like("wrong, ambiguous, or rows as in 3-7,12", rf"wrong|ambiguous|{_ROWS}(?:,{_ROWS}){{0,63}}")}}


_HIDE = _some("controls with commas between, of ", CONTROLS)
_ALL = frozenset(name for known in WORDS.values() for name in known)


def split(given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What ``given`` says of what is trained, and the words of a moment, whichever page's they are."""
    return ({name: text for name, text in given.items() if name not in _ALL},
            {name: text for name, text in given.items() if name in _ALL})


def check(given: Mapping[str, str], page: str) -> tuple[dict[str, str], list[ConfigError]]:
    """The words that ``page`` takes up, and what is wrong with the others."""
    known = WORDS[page]
    moment: dict[str, str] = {}
    errors = []
    for name, text in given.items():
        if name not in known:
            errors.append(ConfigError(name, f"one of {', '.join(known)} on this page", text))
        elif len(text) <= LONGEST and known[name].fits(text):
            moment[name] = text
        else:
            errors.append(ConfigError(name, known[name].says, text))
    return moment, errors


def hidden(given: str | None) -> tuple[list[str], list[ConfigError]]:
    """The controls that a link hides, and what is wrong with them."""
    if given is None or _HIDE.fits(given):
        return (given.split(",") if given else []), []
    return [], [ConfigError("hide", _HIDE.says, given)]
