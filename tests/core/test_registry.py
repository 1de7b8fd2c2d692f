"""A file in a package is an entry of its registry."""

import re

import pytest

from lpc_core.registry import discover, pick


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "menu_of_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "two_words.py").write_text("DISH = 'soup'")
    (folder / "apple.py").write_text("DISH = 'pie'")
    (folder / "_private.py").write_text("DISH = 'secret'")
    (folder / "helper.py").write_text("PLATE = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder.name


def test_every_public_module_with_the_name_is_an_entry_in_order(package):
    found = discover(package, "DISH")
    assert list(found.items()) == [("apple", "pie"), ("two-words", "soup")]


def test_no_module_has_the_name(package):
    assert discover(package, "DRINK") == {}


def test_pick():
    assert pick("dish", {"apple": 1}, "apple") == 1


@pytest.mark.parametrize("name", ["pear", "", "Apple", "../apple"])
def test_an_unknown_name_says_what_there_is(name):
    message = f"dish: expected one of apple, soup, got {name!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        pick("dish", {"apple": 1, "soup": 2}, name)
