"""What am I looking at? Every ⓘ of the pages has words, in learner's terms that are known, about a lesson there is."""

import re
from pathlib import Path

import pytest

from app.abouts import CARDS, CLOUD, FILM, STAGE, TOUR, abouts
from app.glossary import GLOSSARY
from app.lessons import lessons
from app.looks.bundling import STATIC

KNOWN = STAGE | FILM | CLOUD
ASKED = re.compile(r'\b(?:info|about)\("([a-z-]+)"\)')


def test_every_i_of_a_page_has_words_and_all_words_are_asked_for():
    keyed = {"shell", "points", "forces"}  # buildLayers asks for these by their key
    asked = {key for path in STATIC.rglob("*.js") for key in ASKED.findall(path.read_text("utf-8"))} | keyed
    assert asked == KNOWN.keys()
    assert all(about.title and about.text for about in KNOWN.values())


def test_words_about_cards_are_about_cards_that_there_are():
    charts = "".join(path.read_text("utf-8") for path in (Path(STATIC).parent / "charts").glob("*.py"))
    assert CARDS.keys() == set(re.findall(r'Card\(\s*"([\w-]+)"', charts))


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
    scripts = "".join(path.read_text("utf-8") for path in STATIC.rglob("*.js")).replace("lpc-layer-${key}",
                                                                                         "lpc-layer-points")
    assert [stop for stop, _ in TOUR if f'"{stop}"' not in scripts and f"`{stop}`" not in scripts] == []
    assert 4 <= len(TOUR) <= 6
