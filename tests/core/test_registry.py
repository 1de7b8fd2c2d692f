"""A file in a package is an entry of its registry."""

import re

import pytest

from lpc_core.registry import discover, discover_sound, pick


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


BROKEN = {
    "syntax": ("ENTRY = (", "line 1: '(' was never closed"), "missing": ("OTHER = 1", "expected ENTRY to be a int, "
                                                                                      "got None"),
    "kind": ("ENTRY = 'x'", "expected ENTRY to be a int, got 'x'"), "raises": ("raise ValueError('a  b\\nc')", "a b c"),
    "silent": ("raise KeyError", "KeyError"), "away": ("open('/nowhere/at all')", "No such file or directory"),
    "imports": ("import nowhere_at_all", "No module named 'nowhere_at_all'")}


def test_a_broken_file_takes_no_other_with_it(tmp_path, monkeypatch):
    """Whatever a file does wrong is told by its name, in one line that names no path; the sound one is there."""
    package = tmp_path / "classroom"
    package.mkdir()
    for name, text in {"__init__": "", "_private": "ENTRY = 'x'", "sound_one": "ENTRY = 7",
                       **{name: text for name, (text, _) in BROKEN.items()}}.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    sound, broken = discover_sound("classroom", "ENTRY", int)
    assert sound == {"sound-one": 7}
    assert broken.keys() == BROKEN.keys()
    for name, (_, words) in BROKEN.items():
        assert words in broken[name]
        assert str(tmp_path) not in broken[name]
        assert "\n" not in broken[name]
