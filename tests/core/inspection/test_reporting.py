"""Reports as plain JSON, tables that no spreadsheet takes for programs."""

import csv
import hashlib
import io
import json
import math

import numpy as np
import pytest

from lpc_core.checkpoint import Embeddings
from lpc_core.files import spreadsheet
from lpc_core.inspection import inspect, readings_csv, report, samples_csv
from lpc_core.inspection.reporting import file_facts, versions
from lpc_core.metrics import METRICS, names

RNG = np.random.default_rng(0)
LABELS = np.arange(30) % 3
FOUND = Embeddings(
    RNG.normal(size=(30, 2)).astype(np.float32), LABELS, ("=HYPERLINK(1)", "<script>alert(1)</script>", "ok"),
    weight=RNG.normal(size=(3, 2)), bias=np.zeros(3),
    texts=tuple(["+1", "-1", "@x", "\tx", "\rx", "plain, \"quoted\""] * 5))


@pytest.fixture(scope="module")
def found():
    return inspect(FOUND, source={"file": "-evil.npz", "sha256": "ab", "command": "lpc inspect"})


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_report_is_strict_json_with_every_quantity(found):
    plain = report(found, [0.5, 5.0])
    again = json.loads(json.dumps(plain, allow_nan=False))
    assert again == plain
    assert [row["name"] for row in plain["readings"]] == list(names())
    for row in plain["readings"]:
        assert row["formula"] == METRICS[row["name"]].formula
        assert (row["value"] is None) == math.isnan(found.readings[row["name"]].value)
        assert row["value"] is not None or row["reason"]
    assert [view["gamma"] for view in plain["collapse"]] == [0.5, 5.0]
    assert plain["per_class"] == [10, 10, 10]
    assert plain["source"]["file"] == "-evil.npz"
    assert plain["ambiguous"][0]["sample"] == found.ambiguous[0]
    assert {row["class"] == row["predicted"] for row in plain["misclassified"]} == {False}


def test_one_row_per_quantity(found):
    table = rows(readings_csv(found))
    assert [row["quantity"] for row in table] == list(names())
    for row in table:
        value = found.readings[row["quantity"]].value
        assert row["value"] == ("" if math.isnan(value) else str(value))
        assert row["file"] == "'-evil.npz"


def test_one_row_per_sample(found):
    table = rows(samples_csv(found))
    assert len(table) == 30
    for place, row in enumerate(table):
        assert float(row["z1"]) == FOUND.latents[place, 0]
        assert float(row["pca2"]) == found.coordinates["pca"][place, 1]
    assert [row["class"] for row in table[:3]] == ["'=HYPERLINK(1)", "<script>alert(1)</script>", "ok"]
    assert [row["text"] for row in table[:6]] == ["'+1", "'-1", "'@x", "'\tx", "'\rx", "plain, \"quoted\""]


@pytest.mark.parametrize(("cell", "written"), [
    ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM", "'@SUM"), ("\t=1", "'\t=1"), ("\r=1", "'\r=1"),
    ("a=1", "a=1"),
    (" =1+1", "' =1+1"), ("\u00a0=1", "'\u00a0=1"), ("\u200b\ufeff-1", "'\u200b\ufeff-1"),
    ("＝1", "'＝1"), ("　＠x", "'　＠x"),
    ("\x00+1", "'\x00+1"), ("\n", "'\n"), ("  a=1", "  a=1"), ("", ""),
    (-1.5, -1.5), (3, 3), (math.nan, ""), (None, ""), (math.inf, math.inf), (True, True)])
def test_what_a_spreadsheet_would_run_is_disarmed_and_numbers_stay(cell, written):
    assert spreadsheet.cell(cell) == written
    assert type(spreadsheet.cell(cell)) is type(written)


def test_where_a_file_is_from(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 3_000_000)
    digest = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert file_facts(path) == {"file": "a.bin", "bytes": 3_000_000, "sha256": digest}
    assert versions()["numpy"] == np.__version__


def test_no_latents_no_collapse_without_a_head():
    bare = inspect(Embeddings(FOUND.latents, LABELS, tuple("abc")))
    assert report(bare)["collapse"] == []
    assert report(bare)["accuracy"] is None
    with pytest.raises(ValueError, match="expected embeddings with the head"):
        report(bare, [1.0])
