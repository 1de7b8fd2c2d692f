"""What am I looking at? Every ⓘ of the pages has words, in learner's terms that are known, about a lesson there is."""

import re
from pathlib import Path

import pytest

from app.abouts import CARDS, CLOUD, FILM, STAGE, TOUR, abouts
from app.glossary import GLOSSARY, linked, met_in
from app.lessons import lessons
from app.looks.bundling import STATIC
from app.words import _, speaking

KNOWN = STAGE | FILM | CLOUD
ASKED = re.compile(r'\b(?:info|about)\("([a-z-]+)"\)')


def test_every_i_of_a_page_has_words_and_all_words_are_asked_for():
    keyed = {"shell", "points", "forces"}  # buildLayers asks for these by their key
    asked = {key for path in STATIC.rglob("*.js") for key in ASKED.findall(path.read_text("utf-8"))} | keyed
    assert asked == KNOWN.keys()
    assert all(about.title and about.text for about in KNOWN.values())


def test_words_about_cards_are_about_cards_that_there_are():
    charts = "".join(path.read_text("utf-8") for path in (Path(STATIC).parent / "charts").glob("*.py"))
    assert CARDS.keys() == set(re.findall(r'(?:Card\(\s*|card\(.*, key=)"([\w-]+)"', charts))


@pytest.mark.parametrize("key", [*KNOWN, *CARDS])
def test_terms_and_lessons_are_there(key):
    about = (KNOWN | CARDS)[key]
    assert set(about.terms) <= GLOSSARY.keys()
    assert about.lesson in {"", *lessons()}


def test_a_page_without_a_server_links_to_no_lesson():
    assert abouts(STAGE)["shell"]["lesson"] == {"name": "shell", "title": lessons()["shell"].title}
    assert {about["lesson"] for about in abouts(KNOWN, served=False).values()} == {None}
    assert ["shell", GLOSSARY["shell"]] in abouts(STAGE, served=False)["shell"]["terms"]


def test_the_tour_stops_at_parts_of_the_stage():
    scripts = "".join(path.read_text("utf-8") for path in STATIC.rglob("*.js"))
    assert 'new Layers("lpc-layer", {' in scripts
    scripts = scripts.replace("${testid}-${key}", "lpc-layer-points")
    assert [stop for stop, _ in TOUR if f'"{stop}"' not in scripts and f"`{stop}`" not in scripts] == []
    assert 4 <= len(TOUR) <= 6


@pytest.mark.parametrize(("language", "text", "expected"), [
    ("en", "Two latents, a latent; $\\text{latent}$", "Two [latents](#0), a latent; $\\text{latent}$"),
    ("en", "[the shell](x) and `shell`: **shells**", "[the shell](x) and `shell`: **[shells](#5)**"),
    ("en", "A critical γ, γ, Nodes; nodality", "A [critical γ](#10), [γ](#4), [Nodes](#1); nodality"),
    ("de", "die latenten Punkte der Schalen", "die [latenten Punkte](#0) der [Schalen](#5)"),
    ("de", "ein kritisches\nγ im Knoten", "ein [kritisches\nγ](#10) im [Knoten](#1)")])
def test_a_term_is_linked_where_it_is_first_met_and_nowhere_in_a_formula(language, text, expected):
    with speaking(language):
        found = linked(text)
        assert re.sub(r'\(#term-(\d+) "[^"]+"\)', r"(#\1)", found) == expected
        assert linked(text, met_in(text)) == text
        assert all(_(meaning).replace('"', "'") in found for term, meaning in GLOSSARY.items() if term in met_in(text))
