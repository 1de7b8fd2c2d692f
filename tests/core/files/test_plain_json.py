"""JSON in the lab: what it has no word for is written in one way everywhere, and a stranger's text is read strictly."""

import json
import math
import re
import types
from pathlib import Path

import numpy as np
import pytest

from lpc_core.files.plain_json import dumps, loads, number, plain

ROOT = Path(__file__).parents[3]
ODD = {"a": [math.nan, math.inf, -math.inf, 1.5, np.float32("nan"), np.float64("-inf")], "b": {"c": np.array([[1, 2]])},
       "d": (np.int64(3), np.bool_(True), None, "inf", np.str_("x")), "e": types.MappingProxyType({"f": np.array(2.5)})}


def test_nan_is_null_and_infinities_are_texts():
    assert json.loads(dumps(ODD)) == {"a": [None, "inf", "-inf", 1.5, None, "-inf"], "b": {"c": [[1, 2]]},
                                      "d": [3, True, None, "inf", "x"], "e": {"f": 2.5}}
    assert json.loads(dumps(ODD)) == plain(ODD)


def test_a_browser_is_given_neither():
    assert json.loads(dumps(ODD, infinities=False))["a"] == [None, None, None, 1.5, None, None]
    assert dumps({"x": math.inf}, infinities=False, separators=(",", ":")) == '{"x":null}'


@pytest.mark.parametrize("value", [0.1, 3, -1e300, math.nan, math.inf, -math.inf, np.float64(2), np.float32("inf")])
def test_a_number_comes_back(value):
    assert repr(number(json.loads(dumps(value)))) == repr(float(value))


@pytest.mark.parametrize("value", ["nan", "1", "Infinity", True, [], {}, 10**400, float("inf"), "\u202e" * 10**6])
def test_what_stands_for_no_number_is_refused_in_a_short_line(value):
    with pytest.raises(ValueError, match="where a number belongs") as refusal:
        number(value)
    assert len(str(refusal.value)) < 300
    assert str(refusal.value).isprintable()


def test_what_json_cannot_hold_is_refused():
    for value in ({1, 2}, object(), {"a": b"x"}):
        with pytest.raises(TypeError, match="expected values that JSON can hold, got a"):
            dumps(value)


@pytest.mark.parametrize(("text", "why"), [
    (b"{", "Expecting"), ("", "Expecting value"), (b"\xff\x00\xff", "codec"), ('{"a":1,"a":2}', "the name 'a' twice"),
    ('{"' + "\u202e" * 9999 + '":1,"' + "\u202e" * 9999 + '":2}', "twice"), ("[NaN]", "the constant NaN"),
    ("[-Infinity]", "the constant -Infinity"), ("[" * 100_000, "nested too deeply"), ('{"a":' * 100_000, "nested too"),
    ("9" * 5000, "digits"), (r'["\ud800"]', "surrogates"), (r'{"\uDFFF": 1}', "surrogates"), ("[1] [2]", "Extra data"),
])
def test_a_strangers_text_is_read_strictly(text, why):
    with pytest.raises(ValueError, match=rf"^expected the index in JSON, got text that is not \(.*{why}") as refusal:
        loads(text, "the index")
    assert len(str(refusal.value)) < 500
    assert str(refusal.value).isprintable()


def test_characters_beyond_16_bits_are_read_however_they_are_written():
    assert loads(r'["\ud83d\ude00", "\\ud800"]', "x") == ["\N{GRINNING FACE}", r"\ud800"]


def test_more_than_may_be_is_not_parsed():
    with pytest.raises(ValueError, match=r"^expected the index of at most 8 bytes, got 9; save the file again$"):
        loads("[1,2,3,4]", "the index", 8)


def test_only_this_module_writes_json():
    """Another call of json.dumps would bring another convention."""
    own = ROOT / "lpc_core/files/plain_json.py"
    found = [path for folder in ("lpc_core", "app") for path in (ROOT / folder).rglob("*.py")
             if path != own and re.search(r"\bjson\.dumps?\(", path.read_text("utf-8"))]
    assert found == []
