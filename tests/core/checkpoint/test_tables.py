"""CSV and parquet: which columns are the latents, labels of every kind, and refusals that name the row."""

import re
import sys

import numpy as np
import pyarrow
import pytest

from lpc_core.checkpoint import FileRefused, Limits
from tests.core.checkpoint._files import LABELS, LATENTS, csv, parquet, read_here, table


def test_numbered_columns_are_the_latents_in_order_of_their_numbers():
    rows = [(f"s{i}", i % 2, 10.0, 2.0, 0.5 * i, 7) for i in range(12)]
    found = read_here(csv("name,label,z_10,z_2,z_0,extra", rows))
    assert found.latents[3].tolist() == [1.5, 2.0, 10.0]
    assert found.labels.tolist() == [0, 1] * 6
    assert "columns left out: name, extra" in found.notes
    assert "latents: the columns 'z_0', 'z_2', 'z_10'" in found.notes


@pytest.mark.parametrize("stem", ["z", "dim_", "latent ", "emb.", "Feature-", "x"])
def test_the_stems_of_numbered_columns(stem):
    found = read_here(csv(f"{stem}0,{stem}1,height,class", [(1, 2, 3, "a"), (4, 5, 6, "b")]))
    assert found.latents.tolist() == [[1, 2], [4, 5]]


def test_without_numbered_columns_all_numbers_without_another_role_are_the_latents():
    found = read_here(csv("index,height,width,label,prediction,caption,text", [(0, 1.5, 2, "a", "b", "q", "first"),
                                                                           (1, 2.5, 4, "b", "b", "q", "second")]))
    assert found.latents.tolist() == [[1.5, 2], [2.5, 4]]
    assert (found.labels.tolist(), found.predictions.tolist()) == ([0, 1], [1, 1])
    assert found.texts == ("first", "second")
    assert read_here(csv("x,y,label", [(1, 2, "a"), (3, 4, "b")])).latents.tolist() == [[1, 2], [3, 4]]  # y: no label


def test_logits_have_numbers_too():
    found = read_here(csv("z0,z1,logit_0,logit_1,label", [(1, 2, 0.5, -0.5, 0), (3, 4, 0.25, 0, 1)]))
    assert found.logits.tolist() == [[0.5, -0.5], [0.25, 0]]


@pytest.mark.parametrize(("separator", "mark"), [(",", b""), (";", b""), ("\t", b""), (",", b"\xef\xbb\xbf")])
def test_separators_byte_order_marks_line_ends_and_quotes(separator, mark):
    text = 'z0,z1,"label"\r\n1e-3,-2,"a ""b"", c"\r\n\r\n"3",4,plain\r\n\r\n'
    if separator != ",":
        text = text.replace('"", c"', '"" c"').replace(",", separator)
    found = read_here(mark + text.encode(), "table.csv")
    assert found.latents.tolist() == [[0.001, -2], [3, 4]]
    assert found.class_names[0] == ('a "b", c' if separator == "," else 'a "b" c')


@pytest.mark.parametrize(("labels", "names"), [
    (["3", "10", "3"], ("3", "10")), (["3.0", "1.0", "3.0"], ("1", "3")), (["3", "x", "3"], ("3", "x")),
    (["=1+1", "<b>", "=1+1"], ("<b>", "=1+1"))])
def test_labels_are_numbers_only_if_all_are(labels, names):
    rows = [(i, label) for i, label in enumerate(labels)]
    assert read_here(csv("z0,label", rows)).class_names == names


def test_whoever_opens_a_table_can_say_what_is_what():
    raw = csv("z0,a,b,c,kind,label", [(0, 1, 2, 3, "u", "p"), (0, 4, 5, 6, "v", "p")])
    found = read_here(raw, picked={"latents": ["c", "a"], "labels": "kind"})
    assert found.latents.tolist() == [[3, 1], [6, 4]]
    assert found.class_names == ("u", "v")
    assert read_here(raw, picked={"latents": "b"}).latents.tolist() == [[2], [5]]
    two = csv("z0,z1,emb0,emb1,label", [(1, 2, 3, 4, "a"), (1, 2, 3, 4, "b")])
    assert read_here(two, picked={"latents": "emb"}).latents.tolist() == [[3, 4], [3, 4]]
    with pytest.raises(FileRefused, match="expected numbered columns of one kind for the latents, got those of z and "):
        read_here(two)
    with pytest.raises(FileRefused, match=r"^expected latents in 'nope', got the columns 'z0', 'z1'"):
        read_here(two, picked={"latents": "nope"})


@pytest.mark.parametrize(("text", "message"), [
    ("z0,z1\n1,2\n", "expected a column for the labels, got the columns 'z0', 'z1'; name a column 'label', or say whi"),
    ("name,label\na,b\n", "expected a column for the latents, got the columns 'name', 'label'; name the columns z0, z"),
    ("z0,y,class\n1,2,3\n", "expected one column for the labels, got the columns 'y', 'class'; pick one"),
    ("1,2,3\n4,5,6\n", "expected a header line with the columns' names, got numbers; add a first line such as z0,z1,l"),
    ("z0,z0,label\n1,2,3\n", "expected each column name once, got 'z0' twice; rename one"),
    ("z0,label\n", "expected at least one row under the header, got none"),
    ("z0,label\n1,a\n2\n", "expected 2 cells in each row, got 1 in row 3; fill in the row"),
    ("z0,label\n1,a\n2,b,c\n", "expected 2 cells in each row, got 3 in row 3"),
    ("z0,label\n1,a\nxyz,b\n", "expected a number in row 3, column 'z0', got 'xyz'; write one, or leave the row out"),
    ("z0,label\n1,a\n,b\n", "expected a number in row 3, column 'z0', got ''"),
    ("z0,label\n1,a\nnan,b\n", "expected finite latents, got 1 of 2 rows with NaN or infinity, the first being row 1;"),
    ("z0,label\n1," + "a" * 2_001 + "\n", "expected cells of at most 2,000 characters, got a longer one in row 2"),
    ("z0,label\n1,1.5\n", "expected labels as whole numbers or texts, got 1.5 in row 0"),
    ('z0,label\n1,"' + "a" * 200_000, r"expected a table of UTF-8 text, got field larger than field limit \(131072\)"),
    ('z0,label\n1,"a" b\n', "expected a table of UTF-8 text, got ',' expected after '\"'"),
    ("z0,label\n" + "1" * (4 * 2**20 + 1), "expected lines of at most 4,194,304 characters, got a longer one"),
    (",".join(f"z{i}" for i in range(20_001)), "expected 2 to 20,000 columns in a CSV table, got 20,001"),
    ("just a text, that goes on\nfor two lines\n", "expected 2 cells in each row, got 1 in row 2"),
])
def test_tables_that_are_none_are_refused_with_the_place(text, message):
    with pytest.raises(FileRefused, match=message):
        read_here(text.encode(), "table.csv")


def test_bytes_that_are_no_text_and_tables_that_are_too_large():
    with pytest.raises(FileRefused, match=r"^expected a table of UTF-8 text, got 'utf-8' codec can't decode byte 0xff"):
        read_here(b"z0,label\n1,a\xff\n", "table.csv")
    with pytest.raises(FileRefused, match="expected arrays of at most 1,000 bytes together"):
        read_here(table(), limits=Limits(tensor_bytes=1_000))


def test_parquet_is_read_like_a_csv_of_the_same_table():
    columns = {f"z{i}": LATENTS[:, i].astype(np.float64) for i in range(3)}
    found = read_here(parquet(**columns, label=[f"class {label}" for label in LABELS]))
    other = read_here(table())
    np.testing.assert_array_equal(found.latents, other.latents)
    np.testing.assert_array_equal(found.labels, other.labels)
    assert found.class_names == other.class_names


def test_parquet_columns_of_lists_categories_and_other_types():
    lists = pyarrow.array(LATENTS.tolist(), pyarrow.list_(pyarrow.float32(), 3))
    words = pyarrow.array([f"c{label}" for label in LABELS]).dictionary_encode()
    found = read_here(parquet(embedding=lists, label=words, when=pyarrow.array([0] * 30, pyarrow.timestamp("s"))))
    np.testing.assert_array_equal(found.latents, LATENTS)
    assert found.class_names == ("c0", "c1", "c2", "c3")
    uneven = parquet(embedding=[[1.0], [1.0, 2.0]], label=[0, 1])
    with pytest.raises(FileRefused, match="expected vectors of one length in the column 'embedding', got 1 numbers in"):
        read_here(uneven)


@pytest.mark.parametrize(("columns", "message"), [
    ({"z0": [1.0, None], "label": [0, 1]}, "expected finite latents, got 1 of 2 rows with NaN"),
    ({"z0": pyarrow.array([], "f8"), "label": pyarrow.array([], "i8")}, "expected rows in 1 to 20,000 columns, got 0 "),
])
def test_gaps_in_parquet_are_refused(columns, message):
    with pytest.raises(FileRefused, match=message):
        read_here(parquet(**columns))


def test_without_pyarrow_the_refusal_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FileRefused, match=r"^expected pyarrow, which reads parquet, got no such package; pip"):
        read_here(parquet(z0=[1.0], label=[1]))


def test_parquet_that_claims_too_much_or_is_none():
    bomb = parquet(z0=np.zeros(1_000_000), label=np.zeros(1_000_000, int))
    assert len(bomb) < 10_000
    with pytest.raises(FileRefused, match="expected arrays of at most 1,000,000 bytes together, got a claim of 16,000"):
        read_here(bomb, limits=Limits(tensor_bytes=1_000_000))
    with pytest.raises(FileRefused, match=re.escape("expected a parquet file, got one that pyarrow does not read (")):
        read_here(b"PAR1" + b"\0" * 100)
