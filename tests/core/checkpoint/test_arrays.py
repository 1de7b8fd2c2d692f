"""npz and npy: which array is what, labels of every kind, and what is refused with what to do."""

import re
import struct
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch

from lpc_core.checkpoint import FileRefused, Limits, _samples
from tests.core.checkpoint._files import LABELS, LATENTS, csv, npy, npz, read_here, saved, zipped


def npy_of(header, data=b"", version=(1, 0)):
    """An npy file with any header."""
    text = header if isinstance(header, bytes) else str(header).encode()
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H" if version[0] == 1 else "<I", len(text)) + text + data


def arrays(**more):
    return {"latents": LATENTS, "labels": LABELS, **more}


@pytest.mark.parametrize("compressed", [False, True])
def test_everything_an_npz_can_hold(compressed):
    rng = np.random.default_rng(1)
    given = arrays(predictions=LABELS[::-1], logits=rng.normal(size=(30, 4)), weight=rng.normal(size=(4, 3)),
                   bias=np.zeros(4, np.float32), images=rng.integers(0, 256, (30, 8, 8, 3), np.uint8),
                   texts=np.array([f"text {i}" for i in range(30)]), class_names=np.array(["a", "b", "c", "d"]))
    found = read_here(npz(compressed, **given))
    for name in ("latents", "labels", "predictions", "logits", "weight", "bias", "images"):
        np.testing.assert_array_equal(getattr(found, name), given[name])
        assert getattr(found, name).dtype == (np.int64 if name in ("labels", "predictions") else given[name].dtype)
    assert found.texts == tuple(given["texts"])
    assert found.class_names == ("a", "b", "c", "d")
    assert found.notes == ()
    found.latents[0] = 0.0  # writable


@pytest.mark.parametrize(("latents", "labels"), [
    ("embeddings", "y"), ("features", "targets"), ("Z", "Label"), ("X", "Y"), ("feats", "class"), ("latent", "target")])
def test_usual_names_are_recognised_and_noted(latents, labels):
    found = read_here(npz(**{latents: LATENTS, labels: LABELS, "extra": np.zeros(3)}))
    assert np.array_equal(found.latents, LATENTS)
    assert set(found.notes) >= {f"latents: {latents!r}", f"labels: {labels!r}", "left out: extra"}


def test_a_roles_own_name_wins():
    found = read_here(npz(latents=LATENTS, x=np.zeros((30, 9)), labels=LABELS, y=np.zeros(30)))
    assert found.latents.shape == (30, 3)
    assert found.notes == ("left out: x, y",)


def test_ambiguous_and_missing_arrays_are_refused_with_what_there_is():
    with pytest.raises(FileRefused, match=re.escape(
            "expected one array for the latents, got 'x' and 'z' (the arrays 'x' (30, 9), 'z' (30, 3), "
            "'labels' (30,)); "
            "say which it is, --pick latents=NAME, in Python picked={'latents': 'NAME'}, or name it 'latents' in the "
            "file")):
        read_here(npz(x=np.zeros((30, 9)), z=LATENTS, labels=LABELS))
    with pytest.raises(FileRefused, match=re.escape("expected labels (n,) in the file, got the arrays 'latents'")):
        read_here(npz(latents=LATENTS))
    with pytest.raises(FileRefused, match=re.escape("expected latents (n, d) in the file, got the arrays 'a' (3,); ")):
        read_here(npz(a=np.zeros(3)))


def test_whoever_opens_a_file_can_say_what_is_what():
    raw = npz(x=np.zeros((30, 9)), z=LATENTS, mine=LABELS, names=np.array(list("abcd")))
    picked = {"latents": "z", "labels": "mine", "class_names": "names"}
    found = read_here(raw, picked=picked)
    assert np.array_equal(found.latents, LATENTS)
    assert found.class_names == ("a", "b", "c", "d")
    with pytest.raises(FileRefused, match=r"^expected labels in 'nope', got the arrays 'x' \(30, 9\), 'z'"):
        read_here(raw, picked={**picked, "labels": "nope"})
    with pytest.raises(FileRefused, match=r"^expected labels in \['mine'\], got the arrays 'x'"):
        read_here(raw, picked={**picked, "labels": ["mine"]})
    with pytest.raises(FileRefused, match=r"^expected one of the roles latents, labels, .*, got 'lables'; choose one"):
        read_here(raw, picked={"lables": "mine"})


@pytest.mark.parametrize(("labels", "encoded", "names"), [
    (np.array([5, 7, 5]), [0, 1, 0], ("5", "7")),
    (np.array([-1, 1, 1], np.int8), [0, 1, 1], ("-1", "1")),
    (np.array([0.0, 2.0, 1.0]), [0, 2, 1], ("0", "1", "2")),
    (np.array([True, False, True]), [1, 0, 1], ("0", "1")),
    (np.array(["dog", "cat", "dog"]), [1, 0, 1], ("cat", "dog")),
    (np.array([b"dog", b"cat", b"dog"]), [1, 0, 1], ("cat", "dog")),
    (np.array([10, 9, 9], ">u2"), [1, 0, 0], ("9", "10")),
])
def test_labels_of_every_kind(labels, encoded, names):
    found = read_here(npz(latents=LATENTS[:3], labels=labels))
    assert found.labels.tolist() == encoded
    assert found.labels.dtype == np.int64
    assert found.class_names == names


def test_whoever_opens_a_file_can_say_that_a_role_has_no_array():
    raw = npz(**arrays(w=np.zeros(7), b=np.zeros(8)))
    with pytest.raises(FileRefused, match="expected weight"):
        read_here(raw)
    found = read_here(raw, picked={"weight": None, "bias": None})
    assert (found.weight, found.bias) == (None, None)
    table = csv("z0,logit_0,text,label", [(1, 2, "t", "a")])
    assert read_here(table, picked={"logits": None, "texts": None}).texts is None


def test_texts_are_placed_by_the_class_names():
    given = {"latents": LATENTS[:3], "labels": np.array(["b", "a", "b"]), "predictions": np.array(["c", "a", "b"]),
             "class_names": np.array(["c", "b", "a"])}
    found = read_here(npz(**given))
    assert (found.labels.tolist(), found.predictions.tolist()) == ([1, 2, 1], [0, 2, 1])
    with pytest.raises(FileRefused, match=r"^expected predictions among the class_names, got 'q'; add it to class_nam"):
        read_here(npz(**{**given, "predictions": np.array(["q", "a", "b"])}))


def test_labels_stay_as_they_are_where_a_head_counts_the_classes():
    found = read_here(npz(latents=LATENTS[:3], labels=np.array([0, 5, 5]), weight=np.zeros((10, 3)), bias=np.zeros(10)))
    assert found.labels.tolist() == [0, 5, 5]
    assert found.class_names == tuple("0123456789")
    with pytest.raises(FileRefused, match=r"^expected labels from 0 to 9, the rows of the head .*, got 1 to 10;"):
        read_here(npz(latents=LATENTS[:2], labels=np.array([1, 10]), weight=np.zeros((10, 3)), bias=np.zeros(10)))


@pytest.mark.parametrize(("change", "message"), [
    ({"labels": np.zeros((30, 4))}, r"expected labels \(30,\), one for each row .* got shape \(30, 4\); save labels.a"),
    ({"labels": LABELS[:29]}, r"expected labels \(30,\)"),
    ({"labels": LABELS + 0.5}, "expected labels as whole numbers or texts, got 0.5 in row 0; give"),
    ({"labels": np.full(30, np.nan)}, r"expected a class for some of the samples, got none for all 30 \(labels: nan"),
    ({"labels": LABELS.astype(complex)}, "expected labels as whole numbers or texts, got the type complex128"),
    ({"latents": LATENTS.reshape(30, 3, 1)}, r"expected latents \(n, d\) .* got shape \(30, 3, 1\); flatten or pool"),
    ({"latents": LATENTS[:0]}, r"expected latents \(n, d\) with at least one sample"),
    ({"latents": LATENTS.astype(complex)}, "expected latents as real numbers, got the type complex128"),
    ({"latents": np.array([["a"]])}, "expected latents as real numbers, got the type str"),
    ({"latents": np.where(np.arange(30)[:, None] % 10 == 4, np.nan, LATENTS)},
     "expected finite latents, got 3 of 30 rows with NaN or infinity, the first being row 4; leave those samples out$"),
    ({"weight": np.zeros((3, 4))}, r"expected weight \(K, d\) of real numbers with n = 30, d = 3, K = 3, got shape \("),
    ({"bias": np.zeros(4)}, r"expected bias \(K,\) .*save them in this shape, weight and bias together, or leave"),
    ({"logits": np.zeros((29, 4))}, r"expected logits \(n, K\) .* got shape \(29, 4\)"),
    ({"logits": np.zeros((30, 4)), "weight": np.zeros((5, 3))}, r"expected logits \(n, K\) .* K = 5, got shape \(30, "),
    ({"class_names": np.array(["a", "b"]), "weight": np.zeros((4, 3))}, "expected as many class_names as the head has"),
    ({"class_names": np.array(["a", "b"])}, "expected labels from 0 to 1, the rows of the head or the class_names, go"),
    ({"labels": np.array(list("abc") * 10), "weight": np.zeros((4, 3))}, "expected class_names in the order of the he"),
    ({"texts": np.array(["a"])}, r"expected texts \(30,\), one for each row"),
])
def test_what_does_not_fit_together_is_refused(change, message):
    with pytest.raises(FileRefused, match=message):
        read_here(npz(**arrays(**change)))


def test_whole_numbers_become_floats_and_turned_arrays_are_read():
    found = read_here(npz(latents=np.asfortranarray(LATENTS.astype(">f8")), labels=LABELS))
    np.testing.assert_array_equal(found.latents, LATENTS.astype(np.float64))
    found = read_here(npz(latents=np.arange(6).reshape(2, 3), labels=np.arange(2)))
    assert found.latents.dtype == np.float64
    assert "latents were int64; read as float64" in found.notes
    assert read_here(npz(latents=LATENTS.astype(np.float16), labels=LABELS)).latents.dtype == np.float16


def test_images_turned_flat_or_of_another_kind():
    grey = np.arange(30 * 4, dtype=np.uint8).reshape(30, 2, 2)
    assert read_here(npz(**arrays(images=grey))).images.tolist() == grey[..., None].tolist()
    planes = np.zeros((30, 3, 8, 8), np.uint8)
    assert read_here(npz(**arrays(images=planes))).images.shape == (30, 8, 8, 3)
    found = read_here(npz(**arrays(images=planes.astype(np.float32))))
    assert found.images is None
    assert any(note.startswith("images left out: expected (n, H, W, C) uint8") for note in found.notes)


def test_names_lose_what_could_move_a_terminal_and_keep_what_is_only_text():
    names = np.array(["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\x1b[2J\x1b]0;x\x07", "a\u202eb"])
    found = read_here(npz(**arrays(class_names=names, texts=np.array(["line\nend" + "x" * 3000] * 30))))
    assert found.class_names[:2] == tuple(names[:2])
    assert found.class_names[2:] == ("\ufffd[2J\ufffd]0;x\ufffd", "a\ufffdb")
    assert all(text.isprintable() and len(text) == 2_000 for text in found.texts)


def test_nan_in_a_head_is_read_and_noted():
    weight = np.full((4, 3), np.nan)
    assert "weight: 12 values are NaN or infinite" in read_here(npz(**arrays(weight=weight, bias=np.zeros(4)))).notes


def test_a_structured_npy_is_read_and_a_lone_array_says_what_to_do():
    rows = np.zeros(4, [("z", "f4", 3), ("y", "U5")])
    rows["z"], rows["y"] = LATENTS[:4], ["b", "a", "b", "b"]
    found = read_here(npy(rows))
    np.testing.assert_array_equal(found.latents, LATENTS[:4])
    assert found.labels.tolist() == [1, 0, 1, 1]
    with pytest.raises(FileRefused, match=re.escape(
            "expected latents and labels in an npy file, as fields of a structured array, got one array (30, 3) "
            "float32; save both in one file, numpy.savez(file, latents=…, labels=…)")):
        read_here(npy(LATENTS))


HEADER = {"descr": "<f4", "fortran_order": False, "shape": (1,)}


@pytest.mark.parametrize(("raw", "message"), [
    (npy_of({**HEADER, "descr": "|O"}, b"1234"), r"got the type '\|O'; save numbers with a numeric dtype and texts"),
    (npy_of({**HEADER, "descr": "O8"}, b"1234"), "got the type 'O8'"),
    (npy_of({**HEADER, "descr": "(1000000000,)f8"}, b"1234"), "expected numbers, truth values or texts"),
    (npy_of({**HEADER, "descr": "<M8[s]"}, b"12345678"), "expected numbers, truth values or texts"),
    (npy_of({**HEADER, "descr": "V999999999"}, b"1234"), "expected numbers, truth values or texts"),
    (npy_of({**HEADER, "descr": "S0", "shape": (10**12,)}, b""), "expected 0 bytes for the array"),
    (npy_of({**HEADER, "descr": [("a", "|O")]}, b"1234"), "got the type"),
    (npy_of({**HEADER, "descr": [("a", [("b", "f4")])]}, b"1234"), "expected a plain type or named fields"),
    (npy_of({**HEADER, "descr": [("a", "f4"), ("a", "f4")]}, b"12345678"), "expected fields that NumPy knows"),
    (npy_of({**HEADER, "descr": [("a", "f8", (2**31 - 1, 2**31 - 1))]}, b"1234"), "expected fields that NumPy knows"),
    (npy_of({**HEADER, "descr": [("a", "f8", -1)]}, b"1234"), "expected fields with up to four sizes"),
    (npy_of({**HEADER, "descr": []}, b"1234"), "expected a plain type or named fields"),
    (npy_of({**HEADER, "shape": (-1,)}, b"1234"), "expected at most 32 sizes from 0"),
    (npy_of({**HEADER, "shape": (True,)}, b"1234"), "expected at most 32 sizes from 0"),
    (npy_of({**HEADER, "shape": [1]}, b"1234"), "expected at most 32 sizes from 0"),
    (npy_of({**HEADER, "shape": (2**40, 2**30)}, b"1234"), "expected arrays of at most 2,147,483,648 bytes together, "),
    (npy_of({**HEADER, "shape": (2**28,)}, b"1234"), "expected 1,073,741,824 bytes for the array of shape"),
    (npy_of({**HEADER, "shape": (1,) * 40}, b"1234"), "expected at most 32 sizes"),
    (npy_of({**HEADER, "extra": 1}, b"1234"), "expected descr, fortran_order and shape in the header"),
    (npy_of({**HEADER, "fortran_order": 1}, b"1234"), "expected descr, fortran_order and shape in the header"),
    (npy_of(b"__import__('os').system('true')"), "expected descr, fortran_order and shape in the header"),
    (npy_of(b"{'descr': " + b"(" * 5000), "expected descr, fortran_order and shape in the header"),
    (npy_of(b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"9" * 9000 + b",)}"), "expected "),
    (npy_of(b"-" * 9_000), "expected descr, fortran_order and shape in the header"),
    (npy_of(b"x" * 20_000), "expected a header of at most 10,000 bytes in the array, got 20,000"),
    (npy_of(HEADER, b"1234", (9, 0)), "expected the array as npy in version 1, 2 or 3"),
    (b"\x93NUMPY\x01\x00\xff\xff", "expected a header of at most 10,000 bytes"),
    (b"\x93NUMPY\x01", "expected the array as npy in version"),
])
def test_npy_headers_are_data(raw, message):
    with pytest.raises(FileRefused, match=message):
        read_here(raw)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_npy(version):
    header = {"descr": [("latents", "<f4", (2,)), ("labels", "<i8")], "fortran_order": False, "shape": (1,)}
    found = read_here(npy_of(header, struct.pack("<ffq", 1.0, 2.0, 3), version))
    assert found.latents.tolist() == [[1.0, 2.0]]


def test_objects_in_an_npz_are_refused_by_name():
    raw = npz(latents=np.array([[None]]), labels=LABELS[:1])
    with pytest.raises(FileRefused, match=r"^expected numbers, truth values or texts in the array 'latents', got .*'"):
        read_here(raw)


def test_fields_within_an_npz_and_other_members_are_refused():
    with pytest.raises(FileRefused, match=r"^expected arrays without fields in an npz, got 'a' with fields; save each"):
        read_here(npz(a=np.zeros(1, [("x", "f4")])))
    with pytest.raises(FileRefused, match=r"got a zip archive with 'a\.npy'"):
        read_here(zipped({"a.npy": npy(LATENTS), "b.txt": b"x"}))


def test_the_limits_hold_for_all_arrays_together():
    raw = npz(compressed=True, latents=np.zeros((1000, 100)), labels=np.zeros(1000))
    assert len(raw) < 10_000
    with pytest.raises(FileRefused, match="expected arrays of at most 800,000 bytes together, got a claim of 808,"):
        read_here(raw, limits=Limits(tensor_bytes=800_000))


def test_deflated_and_stored_members_agree():
    members = {"latents.npy": npy(LATENTS), "labels.npy": npy(LABELS)}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert np.array_equal(read_here(zipped(members, method)).latents, LATENTS)
    for method, name in ((zipfile.ZIP_BZIP2, 12), (zipfile.ZIP_LZMA, 14)):
        with pytest.raises(FileRefused, match=f"expected archive members stored or deflated, got method {name} for "):
            read_here(zipped(members, method))


@pytest.mark.parametrize("raw", [
    saved({"features": torch.tensor(LATENTS), "targets": ["a", "b"] * 14}),
    safetensors.torch.save({"embeddings": torch.tensor(LATENTS)})])
def test_latents_without_labels_are_not_silently_a_network(raw):
    (note,) = read_here(raw).notes
    assert "is called like latents, but there are no labels (n,) among the tensors" in note


def test_a_network_is_no_embedding_by_a_name_among_others():
    assert read_here(saved({"embedding.weight": torch.ones(3, 2), "x": torch.ones(2, 2)})).notes == ()


def test_samples_without_labels_say_what_the_file_holds():
    with pytest.raises(FileRefused, match=r"^expected labels \(n,\) beside 'images', got the arrays 'images' "
                                          r"\(30, 3\), 'z' \(30,\); save them with numpy\.savez"):
        _samples.read(memoryview(npz(images=LATENTS, z=LABELS)), {"name": "a.npz"}, Limits())


WEIGHT = np.random.default_rng(1).normal(size=(3, 3))
LOGITS = LATENTS @ WEIGHT.T + 2.0


@pytest.mark.parametrize(("arrays", "doubt"), [
    ({"logits": LOGITS}, ""),
    ({"logits": np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)}, "logits: nothing below 0 and each row sums to"),
    ({"latents": np.full((30, 3), 1 / 3)}, "latents: nothing below 0 and each row sums to 1, as probabilities do"),
    ({"logits": LOGITS, "weight": WEIGHT}, ""),  # the bias is one number for all
    ({"logits": LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True)), "weight": WEIGHT}, ""),
    ({"logits": LOGITS, "weight": WEIGHT.T}, "the head does not turn the latents into the logits: its weight may be"),
    ({"logits": LOGITS, "predictions": LOGITS.argmax(1)}, ""),
    ({"logits": LOGITS, "predictions": (LOGITS.argmax(1) + 1) % 3}, "30 of 30 predictions are not the class of the")])
def test_arrays_that_contradict_each_other_or_their_names_are_doubted(arrays, doubt):
    found = read_here(npz(**{"latents": LATENTS, "labels": LABELS % 3, **arrays}))
    assert [text[: len(doubt)] for text in found.warnings] == [doubt] * bool(doubt)


@pytest.mark.parametrize(("given", "latents", "labels"), [
    ({"train": {"features": torch.ones(4, 2), "labels": torch.ones(4)},
      "test": {"features": torch.ones(3, 2), "labels": torch.ones(3)}}, "train.features", "train.labels"),
    ({"z": torch.ones(4, 2), "x": torch.ones(4, 9), "y": torch.ones(4)}, "z", "y")])
def test_tensors_called_like_embeddings_say_how_they_are_read_as_such(given, latents, labels):
    raw = saved(given)
    assert f"--pick latents={latents} --pick labels={labels}, in Python" in read_here(raw).notes[-1]
    assert read_here(raw, picked={"latents": latents, "labels": labels}).latents.shape == (4, 2)


def test_a_sparse_matrix_of_scipy_is_named():
    sparse = npz(indices=np.arange(3), indptr=np.arange(4), format=np.array(b"csr"), shape=np.array([3, 3]),
                 data=np.ones(3))
    with pytest.raises(FileRefused, match=r"got a sparse matrix of SciPy; save latents=matrix\.toarray\(\) and"):
        read_here(sparse)


def test_lines_of_json_are_named():
    with pytest.raises(FileRefused, match="got lines of JSON; save the table as CSV"):
        read_here(b'{"embedding":[1,2],"label":"a"}\n{"embedding":[3,4],"label":"b"}\n', "a.jsonl")


def test_a_table_parted_by_something_else_says_by_what():
    with pytest.raises(FileRefused, match=r"got 1; .* commas, semicolons or tabs between them"):
        read_here(b"z0|z1|label\n1|2|a\n", "a.csv")


@pytest.mark.parametrize(("labels", "names"), [
    ([0, 2, 0, 1], ("0", "1", "2")), (["a", "c", "a", "b"], ("a", "b", "c")), ([0.0, 2.0, 0.0, 1.0], ("0", "1", "2"))])
def test_labels_in_a_list_beside_a_tensor_of_latents_are_read(labels, names):
    found = read_here(saved({"embeddings": torch.ones(4, 2), "labels": labels}))
    assert (found.labels.tolist(), found.class_names) == ([0, 2, 0, 1], names)
    assert "there are no labels" in read_here(saved({"embeddings": torch.ones(4, 2), "labels": labels[:3]})).notes[-1]


def test_names_in_a_list_beside_a_tensor_are_no_labels():
    found = read_here(saved({"embeddings": torch.ones(3, 2), "labels": ["a", "b", "c"]}))
    assert "there are no labels" in found.notes[-1]


@pytest.mark.parametrize(("labels", "predictions", "doubted"), [
    (["a", "b", "a"], ["a", "a", "a"], False), (["a", "b", "a"], [0, 1, 0], True), ([1, 2, 1], [0, 1, 0], True)])
def test_predictions_numbered_otherwise_than_the_labels_are_doubted(labels, predictions, doubted):
    found = read_here(npz(latents=np.ones((3, 2)), labels=np.array(labels), predictions=np.array(predictions)))
    assert any("may be numbered otherwise than the labels" in text for text in found.warnings) == doubted
