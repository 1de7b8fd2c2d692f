"""Gather every text of the lab, bring the catalogues up to date and compile them: ``python -m assets.make_words``.

Prints what has no translation yet and then ends with status 1. The translations are written into ``lpc.po`` by hand.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from app import abouts
from app.catalogue import catalogue
from app.comparisons import READY
from app.desks.samples import FILMS, samples
from app.glossary import GLOSSARY
from app.lessons import lessons, texts_of
from app.views import views
from app.views._form import GROUPS, called
from app.words import DOMAIN, LANGUAGES, LOCALE, OWN
from lpc_core.choices import choices
from lpc_core.config import fields
from lpc_core.data import sources
from lpc_core.experiments import FIGURES, MARKS, QUANTITIES, figure
from lpc_core.experiments import texts as texts_of_experiments
from lpc_core.inspection.scaling import CHOICES
from lpc_core.presets import named_presets

ROOT = Path(__file__).parents[1]
METHODS = [("**.py", "python"), ("static/**.js", "javascript")]
OPTIONS = {"static/**.js": {"parse_template_string": True}}  # `${tr("…")}` speaks, too
KEYWORDS = {"_": None, "N_": None, "tr": None}
OF_THE_PAGE = (  # whose texts the browser says itself
    "app/static/", "app/live/", "app/training/", "app/room/", "app/abouts.py", "app/catalogue.py", "app/glossary.py",
    "lpc_core/data")
OF_A_CHART = ("title", "short", "formula", "meaning", "unit", "about")
_NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # the same texts make the same files


def gathered() -> dict[str, set[str]]:
    """Every text and the files it is in: what is marked in the code, and the words of everything that is registered."""
    found: dict[str, set[str]] = {}
    for name, _line, text, _comments, _context in extract_from_dir(ROOT / "app", METHODS, OPTIONS,
                                                                 keywords=KEYWORDS):
        found.setdefault(str(text), set()).add(f"app/{name}")
    for name, text in _registered():
        if text:
            found.setdefault(text, set()).add(name)
    return found


def _registered() -> Iterator[tuple[str, str]]:
    """The words of what is one file of its own kind: it needs no marks."""
    for name, lesson in lessons().items():
        yield from ((f"app/lessons/{name}.py", text) for text in texts_of(lesson))
        yield from (("app/catalogue.py", title) for title, _ in lesson.runs)
    for name, view in views():
        yield f"app/views/{name}.py", view.title
    for term, meaning in GLOSSARY.items():
        yield from (("app/glossary.py", text) for text in (term, meaning))
    yield from (("app/abouts.py", text) for text in abouts.texts())
    yield from (("app/catalogue.py", text) for text in _of_charts(catalogue()))
    for ready in READY.values():
        yield from (("app/comparisons.py", text) for text in ready.texts())
        yield from (("app/catalogue.py", title) for title, _ in ready.runs)
    for field in fields().values():
        yield from (("lpc_core/config.py", str(field.metadata[word])) for word in ("label", "help"))
    for source in sources().values():
        yield from (("lpc_core/data", text) for text in (source.title, source.help))
    for preset in named_presets().values():
        yield "lpc_core/presets.py", preset.title
    for sample in (*samples(), *samples(FILMS)):
        yield from (("assets", text) for text in (sample.title, sample.sentence))
    yield from (("app/views/_form.py", text) for text in _of_the_form())
    yield from (("lpc_core/experiments", text) for text in (*MARKS, *texts_of_experiments()))
    yield from (("lpc_core/experiments", figure(name, ()).title) for name in FIGURES)
    yield from (("lpc_core/experiments", title) for name, title in QUANTITIES.values())
    yield from (("lpc_core/inspection/scaling.py", text) for texts in CHOICES.values() for text in texts)


def _of_the_form() -> Iterator[str]:
    """Its groups, and what its choices are called, as far as those are words and no names."""
    yield from GROUPS
    for field in fields():
        yield from (name for name in (called(field, choice) for choice in choices(field)) if name == name.lower())


def _of_charts(told: dict[str, Any]) -> Iterator[str]:
    """The sentences of `app.catalogue.catalogue`, which the browser translates."""
    for words in (*told["metrics"].values(), *told["charts"].values()):
        yield from (str(words.get(key, "")) for key in OF_A_CHART)
    yield from told["phases"].values()


def template() -> Catalog:
    """What is gathered as Babel's catalogue, in the order of the files."""
    fresh = Catalog(domain=DOMAIN, fuzzy=False)
    for text, files in sorted(gathered().items(), key=lambda item: (min(item[1]), item[0])):
        fresh.add(text, locations=[(name, 0) for name in sorted(files)])
    return fresh


def path_of(language: str, ending: str) -> Path:
    """Where the catalogue of ``language`` lies."""
    folder = LOCALE / language if ending == "json" else LOCALE / language / "LC_MESSAGES"
    return folder / f"{DOMAIN}.{ending}"


def updated(language: str, fresh: Catalog) -> Catalog:
    """The catalogue of ``language`` with exactly the texts of ``fresh``; translations that nothing asks for go."""
    path = path_of(language, "po")
    known = read_po(io.BytesIO(path.read_bytes()), locale=language) if path.exists() else Catalog(language)
    whole = Catalog(language, DOMAIN, f"# {LANGUAGES[language]}", "LPC Lab", "1", fuzzy=False, charset="utf-8",
                    creation_date=_NO_DATE, revision_date=_NO_DATE, last_translator="", language_team="",
                    msgid_bugs_address="")
    for message in fresh:
        if message.id:
            old = known.get(message.id)
            whole.add(message.id, old.string if old else "", locations=message.locations)
    return whole


def compiled(catalog: Catalog) -> dict[str, bytes]:
    """The files of a catalogue by their endings."""
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, catalog, width=120, include_lineno=False, omit_header=False)
    write_mo(mo, catalog)
    page = {message.id: message.string for message in catalog
            if message.id and message.string and any(name.startswith(OF_THE_PAGE) for name, _ in message.locations)}
    told = json.dumps(page, ensure_ascii=False, indent=0, sort_keys=True) + "\n"
    return {"po": po.getvalue(), "mo": mo.getvalue(), "json": told.encode()}


def untranslated(catalog: Catalog) -> list[str]:
    """The texts that have no translation."""
    return [str(message.id) for message in catalog if message.id and not message.string]


def main() -> None:
    """Write the files of every language."""
    fresh, missing = template(), 0
    for language in LANGUAGES:
        if language == OWN:
            continue
        catalog = updated(language, fresh)
        for ending, content in compiled(catalog).items():
            path_of(language, ending).write_bytes(content)
        for text in untranslated(catalog):
            missing += 1
            print(f"{language}: not translated: {text!r}")
    raise SystemExit(1 if missing else 0)


if __name__ == "__main__":
    main()
