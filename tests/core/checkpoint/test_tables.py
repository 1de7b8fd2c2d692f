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


# ---- vectors in one column ---------------------------------------------------------------------------------------

KINDS = {
    "fixed": pyarrow.list_(pyarrow.float32(), 3), "list": pyarrow.list_(pyarrow.float64()),
    "large": pyarrow.large_list(pyarrow.float32()), "view": pyarrow.list_view(pyarrow.float32()),
    "whole": pyarrow.list_(pyarrow.int16()),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["vector", "embedding", "whatever"])
def test_a_column_of_vectors_is_the_latents_and_numbers_are_only_without_one(kind, name):
    values = np.rint(LATENTS * 10) if kind == "whole" else LATENTS
    column = pyarrow.array(values.astype(KINDS[kind].value_type.to_pandas_dtype()).tolist(), KINDS[kind])
    found = read_here(parquet(**{name: column}, y=[f"c{label}" for label in LABELS], x=LATENTS[:, 0]))
    np.testing.assert_array_equal(found.latents, values)
    assert "columns left out: x" in found.notes


def test_tensors_as_pyarrow_knows_them():
    flat = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(LATENTS.ravel()), 3)
    column = pyarrow.ExtensionArray.from_storage(pyarrow.fixed_shape_tensor(pyarrow.float32(), (3,)), flat)
    np.testing.assert_array_equal(read_here(parquet(image=column, label=LABELS)).latents, LATENTS)


@pytest.mark.parametrize(("names", "choices"), [
    (("clip", "dino"), ("clip", "dino")), (("vector", "embedding"), ("vector", "embedding"))])
def test_two_columns_of_vectors_are_asked_about(names, choices):
    raw = parquet(**dict.fromkeys(names, LATENTS.tolist()), label=LABELS)
    with pytest.raises(FileRefused, match=f"'{names[0]}'.*'{names[1]}'; pick one, --pick latents=NAME") as refused:
        read_here(raw)
    assert (refused.value.ask.role, refused.value.ask.choices) == ("latents", choices)
    assert read_here(raw, picked={"latents": names[1]}).latents.shape == (30, 3)


def test_vectors_of_another_name_beside_numbered_columns_are_asked_about():
    raw = parquet(box=[[1.0, 2.0]] * 30, z0=LATENTS[:, 0], z1=LATENTS[:, 1], label=LABELS)
    with pytest.raises(FileRefused, match="got 'box' and 'z0' to 'z1'; pick one") as refused:
        read_here(raw)
    assert refused.value.ask.choices == ("box", "z")
    for choice, first in (("box", [1.0, 2.0]), ("z", LATENTS[0, :2].tolist())):
        assert read_here(raw, picked={"latents": choice}).latents[0].tolist() == first


@pytest.mark.parametrize(("rows", "message"), [
    ([[1.0, 2.0], [3.0]],
     "expected vectors of one length in the column 'vector', got 2 numbers in row 0 and 1 in row 1"),
    ([[1.0, 2.0], None], "expected a vector in every row of the column 'vector', got none in row 1; leave those rows"),
    ([[1.0, 2.0], [3.0, None]],
     "expected a number in every place of the vectors in the column 'vector', got none in row"),
    (pyarrow.array([[], []], pyarrow.list_(pyarrow.float32())), "expected vectors of one length .* got empty ones"),
    ([["a"], ["b"]], "expected vectors of numbers in the column 'vector', got lists of string"),
    ([[[1.0]], [[2.0]]], "expected vectors of numbers in the column 'vector', got lists of list"),
])
def test_vectors_that_are_none_are_refused_where_they_are_meant(rows, message):
    with pytest.raises(FileRefused, match=message):
        read_here(parquet(vector=rows, label=[0, 1], x=[1.0, 2.0]))
    found = read_here(parquet(vector=rows, label=[0, 1], x=[1.0, 2.0]), picked={"latents": "x"})
    assert "columns left out: vector" in found.notes


WRITTEN = {
    "a list": "[0.5, -1.0, 2e-3]", "as NumPy prints": "[ 0.5   -1.     0.002]",
    "over two lines": "[ 0.5\n -1.  0.002]",
    "a tuple": "(0.5, -1.0, 0.002)", "array": "array([ 0.5, -1.,  0.002], dtype=float32)",
    "np.array": "np.array([0.5, -1.0, 0.002])", "tensor": "tensor([ 0.5000, -1.0000,  0.0020], device='cuda:0')",
    "with its gradient": "tensor([0.5, -1.0, 0.002], grad_fn=<AddBackward0>)",
    "one row": "tensor([[0.5, -1.0, 0.002]])",
}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("way", WRITTEN)
def test_a_vector_written_as_text_is_read(way, separator):
    rows = [f'"{WRITTEN[way]}"{separator}3{separator}c{label}' for label in "abab"]
    found = read_here("\n".join([separator.join(("embedding", "x", "label")), *rows]).encode(), "t.csv")
    np.testing.assert_allclose(found.latents, [[0.5, -1, 0.002]] * 4, rtol=1e-12)
    assert "'embedding' holds vectors written as text" in found.notes
    assert "columns left out: x" in found.notes


@pytest.mark.parametrize("name", ["embedding", "whatever"])
def test_vectors_written_as_text_in_parquet(name):
    found = read_here(parquet(**{name: [str(row) for row in LATENTS.tolist()]}, x=LATENTS[:, 0], label=LABELS))
    np.testing.assert_array_equal(found.latents, LATENTS)
    with pytest.raises(FileRefused, match="the file was written with '…', its middle values are lost"):
        read_here(parquet(**{name: ["[1 ... 2]"] * 30}, x=LATENTS[:, 0], label=LABELS))


def test_a_long_vector_is_read():
    wide = np.random.default_rng(0).normal(size=(3, 3_000))
    rows = [f'"{row.tolist()}",{label}' for row, label in zip(wide, "aab", strict=True)]
    np.testing.assert_array_equal(read_here("\n".join(["vector,label", *rows]).encode(), "t.csv").latents, wide)


@pytest.mark.parametrize("cell", ["[0.1 0.2 ... 0.9]", "[0.1, 0.2, ..., 0.9]", "[0.1 0.2 … 0.9]",
                                  "tensor([0.1, ..., 0.9])"])
def test_a_vector_whose_middle_was_left_out_is_refused_by_name(cell):
    text = f'embedding,label\n"{cell}",a\n"{cell}",b\n'
    with pytest.raises(FileRefused, match="the file was written with '…', its middle values are lost; save the array"):
        read_here(text.encode(), "t.csv")


@pytest.mark.parametrize(("cells", "message"), [
    (("[1, 2]", "[1, 2, 3]"), "expected a vector of 2 numbers in row 3 of the column 'embedding', got one of 3"),
    (("[1, 2]", ""), "expected a vector of 2 numbers in row 3 of the column 'embedding', got ''"),
    (("[1, 2]", "[1 ... 2]"), "expected every value of the vector in row 3 .* middle values are lost"),
    (("[0,5 1,2]", "[0,5 1,2]"), r"expected a vector in row 2 of the column 'embedding', got '\[0,5 1,2\]'"),
    (("[[1, 2], [3, 4]]", "[[1, 2], [3, 4]]"), "expected a vector in row 2 of the column 'embedding'"),
])
def test_written_vectors_that_do_not_fit(cells, message):
    text = "\n".join(["embedding,label", *(f'"{cell}",{label}' for cell, label in zip(cells, "ab", strict=True))])
    with pytest.raises(FileRefused, match=message):
        read_here(text.encode(), "t.csv")


# ---- numbers and columns that could be something else ------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("before", ["", "sep=;\r\n"])
def test_decimal_commas_are_read_and_said(encoding, before):
    text = f"{before}z0;z1;label\r\n1;-2,5;a\r\n1,25e-1;3;b\r\n"
    found = read_here(text.encode(encoding), "t.csv")
    assert found.latents.tolist() == [[1, -2.5], [0.125, 3]]
    assert "decimal commas: 1,25e-1 was read as 1.25e-1" in found.notes


@pytest.mark.parametrize(("rows", "message"), [
    (("1,234;5,678;a", "2,345;6,789;b"),
     "got '[15],[26][37][48]', of which nothing tells whether the comma is a decimal mark or parts"),
    (("1.234,5;1,5;a", "2;3;b"),
     r"expected a number in row 2, column 'z0', got '1.234,5'; write numbers without marks"),
    (("1,234.5;1.5;a", "2;3;b"),
     r"expected a number in row 2, column 'z0', got '1,234.5'; write numbers without marks"),
    (("1,5;1.5;a", "2,5;3.5;b"), r"expected one decimal mark in the table, got '1.5' in 'z1' beside '1,5' in 'z0'"),
    (("1,5;1;a", "2.5;3;b"), r"expected numbers with one decimal mark in the column 'z0', got '1,5' and '2.5'"),
    (("1'234;1;a", "2;3;b"), "expected a number in row 2, column 'z0', got \"1'234\""),
    (("1_000;1;a", "2;3;b"), "expected numbers in the column 'z0', got '1_000'"),
    (("1;1;a", "1_000;3;b"), "expected a number in row 3, column 'z0', got '1_000'"),
])
def test_marks_that_could_be_read_in_two_ways_are_refused(rows, message):
    with pytest.raises(FileRefused, match=message):
        read_here("\n".join(["z0;z1;label", *rows]).encode(), "t.csv")


def test_a_comma_that_parts_nothing_settles_those_that_could():
    found = read_here(b"z0;z1;label\n1,234;0,5;a\n2,345;6,789;b\n", "t.csv")
    assert found.latents.tolist() == [[1.234, 0.5], [2.345, 6.789]]


def test_a_column_that_is_not_needed_refuses_nothing():
    found = read_here(b'z0,z1,price,label\n1,2,"1,234",a\n3,4,"5,678",b\n', "t.csv")
    assert found.latents.tolist() == [[1, 2], [3, 4]]
    assert "columns left out: price" in found.notes


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "id", "sample_id", "idx", "index", "level_0", "nr"])
def test_row_numbers_are_no_latents(name):
    rows = [(place + (name != "nr") * 7, 0.5 * place, -1.5, place % 2) for place in range(8)]
    found = read_here(csv(f"{name},height,width,label", rows))
    assert found.latents.shape == (8, 2)
    assert f"taken for row numbers: the column {name!r}" in found.notes


@pytest.mark.parametrize("order", [list(range(8)), [3, 1, 0, 2, 7, 6, 5, 4], [2, 5, 6, 9, 40, 41, 42, 90]])
def test_whole_numbers_that_count_the_rows_are_no_latents(order):
    found = read_here(csv("n,height,label", [(number, 0.25 * number, number % 2) for number in order]))
    assert found.latents.shape == (8, 1)
    assert "taken for row numbers: the column 'n'" in found.notes


def test_columns_named_by_numbers_alone_as_pandas_does():
    found = read_here(csv(",0,1,2,label,score", [(i, 0.5, i * i % 5, 1, "ab"[i % 2], 9) for i in range(6)]))
    assert found.latents.shape == (6, 3)
    assert "columns left out: one without a name, score" in found.notes


def test_a_separator_at_the_end_of_each_line():
    assert read_here(b"z0,z1,label,\n1,2,a,\n3,4,b,\n", "t.csv").latents.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(FileRefused, match="expected 3 cells in each row, got 4 in row 2; leave out what is beyond"):
        read_here(b"z0,z1,label\n1,2,a,\n3,4,b,\n", "t.csv")


@pytest.mark.parametrize("first", ["0.25,1.5,cat", "5,3,cat", '"[1, 2]",cat', "1e-3,2,0", "1,5;2;cat"])
def test_a_table_without_a_header_does_not_lose_its_first_sample(first):
    with pytest.raises(FileRefused, match="expected a header line with the columns' names, got "):
        read_here(f"{first}\n{first}\n".encode(), "t.csv")


def test_numbered_columns_with_gaps_and_twice():
    gap = read_here(csv("z0,z1,z3,label", [(1, 2, 3, "a"), (4, 5, 6, "b"), (7, 8, 9, "a")]))
    assert gap.warnings == ("1 of the numbered columns are not in the table: number 2",)
    with pytest.raises(FileRefused, match="expected numbered columns with different numbers, got 'z01' and 'z1'"):
        read_here(csv("z1,z01,label", [(1, 2, "a")]))


# ---- samples without a class -------------------------------------------------------------------------------------


def test_cells_without_a_label_are_left_out_and_numbers_stay_numbers():
    found = read_here(b"z0,label\n1,10\n2,\n3,2\n4,nan\n5,10\n6,2\n", "t.csv")
    assert (found.latents.ravel().tolist(), found.class_names) == ([1, 3, 5, 6], ("2", "10"))
    assert found.unlabelled == 2
    assert found.warnings == ("2 of 6 samples name no class (labels: nan) and are left out",)


@pytest.mark.parametrize("labels", [["a", None, "b", "a"], [1, None, 2, 1], ["a", "", "b", "a"], ["a", "-1", "b", "a"],
                                    ["a", "NaN", "b", "a"]])
def test_labels_that_are_not_there_in_parquet(labels):
    found = read_here(parquet(z0=[1.0, 2.0, 3.0, 4.0], label=labels))
    assert (found.latents.ravel().tolist(), found.labels.tolist(), found.unlabelled) == ([1, 3, 4], [0, 1, 0], 1)


# ---- what could be read as something it is not -------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["[np.float32(0.5), np.float32(-1e-3)]", "[np.float64(0.5), np.float64(-0.001)]",
                                  "[tensor(0.5000), tensor(-0.0010, device='cuda:0')]", "(np.float32(0.5), -0.001)"])
def test_numbers_that_say_their_type_as_numpy_2_prints_them(cell):
    found = read_here(f'embedding,label\n"{cell}",a\n"{cell}",b\n'.encode(), "t.csv")
    assert found.latents.tolist() == [[0.5, -0.001]] * 2


@pytest.mark.parametrize("cell", ["{0.5,1.5}", "0.5 1.5", "AAAAPwAAwD8="])
def test_a_column_called_like_latents_without_vectors_shows_what_it_holds(cell):
    with pytest.raises(FileRefused, match=r"^expected a column for the latents, got .*; no vectors in brackets, nor "
                                          rf"numbers, but '{re.escape(cell)}' in 'embedding'; name the columns"):
        read_here(f'embedding,label\n"{cell}",a\n"{cell}",b\n'.encode(), "t.csv")


def test_a_header_behind_a_hash_as_savetxt_writes_it_loses_no_column():
    found = read_here(b"# z0,z1,label\n1,2,0\n3,4,1\n", "t.csv")
    assert found.latents.tolist() == [[1, 2], [3, 4]]


def test_whole_numbers_beside_others_are_doubted_where_no_name_tells():
    rows = [(0.5 * n, 0.25, n % 3, n % 2) for n in range(8)]
    found = read_here(csv("tsne_1,tsne_2,cluster,label", rows))
    assert found.warnings == (
        "taken for latents, though whole numbers beside others that are not: the column 'cluster'",)
    assert not read_here(csv("z0,z1,z2,label", rows)).warnings
    assert not read_here(csv("a,b,c,label", [(n % 3, n % 2, n % 5, n % 2) for n in range(8)])).warnings


def test_a_column_of_logits_is_no_second_one_of_latents():
    found = read_here(parquet(emb=[[1.0, 2.0], [3.0, 4.0]], logits=[[0.0, 1.0, 2.0]] * 2, y=[0, 1]))
    assert (found.latents.shape, found.logits.shape) == ((2, 2), (2, 3))


def test_the_first_column_that_cannot_be_read_is_the_one_that_is_named():
    for _ in range(3):
        with pytest.raises(FileRefused, match="in row 3, column 'z0', got 'z0'"):
            read_here(b"z0,z1,z2,label\n1,2,3,a\nz0,z1,z2,label\n", "t.csv")
