"""Every text has its translation, with the same places, and the catalogues are what `make words` would write."""

import ast
import json
import re
from pathlib import Path

import pytest

from app import words
from app.lessons import lessons
from app.room.classroom import ELSEWHERE
from app.room.register import ENDED, GONE, LEFT, NO_RUN, STALE
from app.training import narrate
from app.views import views
from assets import make_words

APP = Path(__file__).parents[1] / "app"
OTHERS = [language for language in words.LANGUAGES if language != words.OWN]
PLACES = re.compile(r"\{\w*\}")


@pytest.fixture(scope="module")
def fresh():
    return make_words.template()


@pytest.fixture(scope="module", params=OTHERS)
def catalog(request, fresh):
    return make_words.updated(request.param, fresh)


def test_every_text_is_translated(catalog):
    assert make_words.untranslated(catalog) == []


def test_a_translation_has_the_places_of_its_text(catalog):
    wrong = [message.id for message in catalog if message.id and message.string
             and sorted(PLACES.findall(message.id)) != sorted(PLACES.findall(message.string))]
    assert wrong == []


def test_a_translation_has_the_formulas_links_and_edges_of_its_text(catalog):
    """Formulas between dollar signs, addresses and commands are nobody's language; spaces at the ends join texts."""
    kept = re.compile(r"\$+[^$]+\$+|https?://[^\s)]+|python -m [\w.]+|lpc \w+")
    for message in catalog:
        if message.id and message.string:
            english, other = str(message.id), str(message.string)
            bare, same = (sorted(re.sub(r"\\text\{[^}]*\}|\s", "", part) for part in kept.findall(text))
                          for text in (english, other))
            assert bare == same, english
            assert [text.strip() == text for text in (english, other)] in ([True, True], [False, False]), english


def test_the_catalogues_are_up_to_date(catalog):
    for ending, content in make_words.compiled(catalog).items():
        assert make_words.path_of(str(catalog.locale), ending).read_bytes() == content, "run `make words`"


def test_the_sentences_of_a_run_and_of_a_room_are_known_to_the_page(catalog):
    told = json.loads(words.page_words(str(catalog.locale)))
    texts = [*(text for _, text in narrate.CASES), ELSEWHERE, ENDED, GONE, LEFT, NO_RUN, STALE]
    assert [text for text in texts if text not in told] == []


@pytest.mark.parametrize(("asked", "accepted", "spoken"), [
    ("de", "en-US", "de"), ("en", "de", "en"), (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
    (None, "en-US,en;q=0.9,de;q=0.8", "en"),
    (None, "fr-FR, fr;q=0.9, de;q=0.5, en;q=0.4", "de"), (None, "de;q=0,en;q=0.1", "en"), (None, "de;q=nonsense", "en"),
    ("xx", None, "en"), ("<b>", "", "en"), (None, "*", "en"), (None, ",;=,q", "en"),
    (None, "en ; q=0.1, de; q=0.9", "de"), (None, "en;q=0.1,DE-ch;Q=0.9", "de"),
    (None, "fr,\tde;q=0.5", "de"),
])
def test_the_link_chooses_the_language_and_then_the_browser(asked, accepted, spoken):
    assert words.chosen(asked, accepted) == spoken


def test_a_text_is_said_in_the_language_that_is_spoken():
    text = "Almost separable: {wrong} of the training samples are still wrong."
    with words.speaking("de"):
        assert words._(text, wrong="1 %") == "Fast trennbar: 1 % der Trainingsbeispiele sind noch falsch."
        assert words._("no text of ours {x}") == "no text of ours {x}"
        assert words._("") == ""
    assert words._(text, wrong="1 %") == "Almost separable: 1 % of the training samples are still wrong."


@pytest.mark.parametrize("path", sorted(APP.rglob("*.py")), ids=str)
def test_no_function_uses_the_name_that_speaks_for_a_variable(path):
    """``for _, x in …`` would make `_` a plain variable of the whole function."""
    tree = ast.parse(path.read_text("utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        uses = {type(node.ctx) for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == "_"}
        assert uses != {ast.Load, ast.Store}, f"{path}:{function.lineno}: name the unused variable otherwise"


def test_the_workshop_names_what_is_there():
    """Every button and lesson that `docs/workshop.md` names is called so on a page, and every address is a page's."""
    plan = (APP.parent / "docs" / "workshop.md").read_text("utf-8")
    sources = "\n".join(path.read_text("utf-8") for ending in ("py", "js") for path in sorted(APP.rglob(f"*.{ending}")))
    buttons = set(re.findall(r"\*\*([^*]+)\*\*", plan)) - {"Answers."}
    assert {name for name in buttons if f'"{name}"' not in sources} == set()
    titles = {lesson.title for lesson in lessons().values()}
    named = set(re.findall(r"(?:lesson |out |add |and |for )\*([A-Z][^*]+)\*", plan))
    assert len(named) >= 6
    assert named <= titles
    pages = {name for name, _view in views()}
    assert set(re.findall(r"`/(\w+)`", plan)) <= pages
