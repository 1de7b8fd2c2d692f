"""Names that a reader gives the classes: how they are read, refused, and put in the place of others."""

import dataclasses

import pytest

from lpc_core.inspection.inspecting import empty_classes
from lpc_core.inspection.naming import TYPED, names_from, renamed
from lpc_core.inspection.reporting import report
from tests.app._inspections import made


@pytest.mark.parametrize(("text", "names"), [
    ("a, b ,c,", ("a", "b", "c")), ("a\n\n b, or not \r\nc\n", ("a", "b, or not", "c")),
    ("<b>x</b>,=1+1,\u202edetrevni", ("<b>x</b>", "=1+1", "\ufffddetrevni"))])
def test_names_stand_in_lines_or_between_commas(text, names):
    assert names_from(text, 3) == names


@pytest.mark.parametrize(("text", "message"), [
    ("a, b", "expected 3 names, got 2: a, b; write each in a line of its own, or put commas between them"),
    ("a\nb\nc\nd", "expected 3 names, got 4: a, b, c, d; write"),
    ("a, a, b", "expected names that differ, got a twice; give every class a name of its own"),
    (f"a, b, {'x' * 201}", "expected names of at most 200 characters, got 201 in xxx")])
def test_names_that_do_not_fit_are_named(text, message):
    with pytest.raises(ValueError, match="expected") as caught:
        names_from(text, 3)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_other_names_are_in_every_word_of_a_report_and_can_be_taken_back():
    found = made(n=60)
    shown = dataclasses.replace(found.embeddings, labels=found.embeddings.labels % 3)  # nothing is of the last class
    shown = dataclasses.replace(shown, warnings=("too few", empty_classes(shown)))
    found = dataclasses.replace(found, embeddings=shown)
    given = renamed(found, ("oak", "ash", "elm", "yew"))
    told = report(given)
    assert told["classes"] == ["oak", "ash", "elm", "yew"]
    assert told["warnings"] == ["too few", "1 of 4 classes have no samples: yew"]
    assert {one["class"] for one in told["ambiguous"]} <= {"oak", "ash", "elm"}
    assert given.notes.count(TYPED) == renamed(given, given.embeddings.class_names).notes.count(TYPED) == 1
    assert report(renamed(given, shown.class_names, typed=False)) == report(found)
