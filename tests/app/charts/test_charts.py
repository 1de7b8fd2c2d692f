"""What every chart is on a page: its card, the colours by meaning, and the CSV file that no spreadsheet runs."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from app.charts import Card, Chart, _ink, csv_text
from app.parts.cards import card_data
from lpc_core.metrics import METRICS

STATIC = Path(__file__).parents[3] / "app/static/kit"


def test_a_chart_stands_in_a_section_of_the_page():
    with pytest.raises(ValueError, match=r"expected a section of the Metrics page \(collapse, code\), got 'other'"):
        Chart("other", 1, lambda track: [])


def read(text):
    return list(csv.reader(io.StringIO(text)))


def test_a_csv_keeps_every_digit_and_leaves_the_undefined_empty():
    numbers = np.array([1 / 3, 1e-300, np.nan, -2.0])
    header, *lines = read(csv_text({"step": np.arange(4), "value": numbers, "name": ["a", 'b, "c"', None, "γ"]}))
    assert header == ["step", "value", "name"]
    assert [line[0] for line in lines] == ["0", "1", "2", "3"]
    assert [float(line[1]) for line in (lines[0], lines[1], lines[3])] == [1 / 3, 1e-300, -2.0]
    assert lines[2][1:] == ["", ""]
    assert [line[2] for line in lines] == ["a", 'b, "c"', "", "γ"]


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =cmd|' /C calc'!A0",
                                  '=HYPERLINK("http://x")'])
def test_no_text_of_a_csv_is_a_formula(evil):
    header, line = read(csv_text({evil: [evil], "n": [-1]}))
    assert header[0][0] == line[0][0] == "'"
    assert line[0] == f"'{evil}"
    assert line[1] == "-1"  # a number is no text


def test_bools_and_float32_are_written_as_they_are():
    assert read(csv_text({"b": np.array([True, False]), "f": np.float32([0.5, -np.inf])}))[1:] == [["yes", "0.5"],
                                                                                                 ["no", "-inf"]]


def test_a_card_says_what_is_wrong_with_it():
    with pytest.raises(ValueError, match=r"expected a key of letters, digits and hyphens, got 'a b'; rename"):
        Card("a b", "A", go.Figure(), "")
    with pytest.raises(ValueError, match=r"expected metrics that .* describes, got nc9; describe them there"):
        Card("a", "A", go.Figure(), "", metrics=("nc1_pinv", "nc9"))
    with pytest.raises(ValueError, match=r"expected columns of one length, got \{'x': 1, 'y': 2\}; fill the shorter"):
        Card("a", "A", go.Figure(), "", rows={"x": [1], "y": [1, 2]})


def test_what_the_browser_gets_of_a_card():
    figure = go.Figure(go.Scatter(x=np.arange(3), y=[1, np.nan, 3], line_color=_ink.class_ink(1, 4)))
    data = card_data(Card("a", "A", figure, "It says.", ("nc1_pinv",), {"x": [1, 2, 3]}))
    json.dumps(data, allow_nan=False)
    assert "template" not in data["figure"]["layout"]
    assert data["figure"]["data"][0]["line"]["color"] == "var(--class-1-of-4)"
    assert data["csv"].splitlines() == ["x", "1", "2", "3"]
    assert data["metrics"] == [METRICS["nc1_pinv"].words()]
    assert {"title", "formula", "unit", "meaning", "source"} <= data["metrics"][0].keys()
    assert card_data(Card("a", "A", figure, ""))["csv"] == ""


def test_classes_look_as_on_the_stage():
    listed = re.search(r"SHAPES = \[(.*?)\]", (STATIC / "palette.js").read_text(), re.DOTALL)
    assert tuple(re.findall(r'"([a-z-]+)"', listed[1])) == _ink.SYMBOLS
    assert _ink.faint(_ink.BLUE, 20) == "var(--out-a20)"
    assert _ink.faint(_ink.class_ink(2, 3), 5) == "var(--class-2-of-3-a5)"
