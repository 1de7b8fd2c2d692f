"""SVHN's MATLAB files: read as scipy reads them, without scipy; damaged and hostile ones refused."""

import struct
import zlib

import numpy as np
import pytest
import scipy.io

from lpc_core.config import DataConfig
from lpc_core.data import DataError, load
from lpc_core.data._mat import read_mat

SMALL = {"dataset": "svhn", "samples": 20, "test_samples": 10}


def pictures(count, seed=0):
    rng = np.random.default_rng(seed)
    labels = (rng.permutation(count) % 10 + 1).astype(np.uint8)[:, None]
    return {"X": rng.integers(0, 256, (32, 32, 3, count), dtype=np.uint8), "y": labels}


def write(folder, zipped=True, **others):
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", 40), ("test", 20)):
        scipy.io.savemat(folder / f"{name}_32x32.mat", pictures(count) | others, do_compression=zipped)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("folder", ["svhn", "SVHN", ""])
def test_local_files_are_found_and_read(data_folder, offline, folder, zipped):
    write(data_folder / folder, zipped)
    data = load(DataConfig(**SMALL | {"samples": 40, "test_samples": 20}), 0)
    assert offline == []
    assert (data.name, data.classes, data.train_inputs.dtype) == ("svhn", 10, np.uint8)
    assert data.train_inputs.shape == (40, 32, 32, 3)
    official = pictures(40)
    rows = {official["X"][..., i].tobytes(): int(official["y"][i, 0]) % 10 for i in range(40)}
    for picture, label in zip(data.train_inputs, data.train_labels, strict=True):
        assert rows[picture.tobytes()] == label


@pytest.mark.parametrize("zipped", [True, False])
def test_arrays_are_scipy_s(tmp_path, zipped):
    given = {"a": np.arange(24, dtype=np.int16).reshape(2, 3, 4), "b": np.array([[1.5, -2.0]]), "u": np.uint8([[7]]),
             "text": "words", "cell": np.array([[1, "x"]], object), "c": np.array([[1 + 2j]]), "s": {"f": 1.0}}
    scipy.io.savemat(tmp_path / "m.mat", given, do_compression=zipped)
    theirs = scipy.io.loadmat(tmp_path / "m.mat")
    ours = read_mat(tmp_path / "m.mat", ("a", "b", "u"), 10_000)
    for name, values in ours.items():
        assert values.dtype == theirs[name].dtype or name == "b"  # MATLAB stores whole doubles in fewer bytes
        np.testing.assert_array_equal(values, theirs[name])
    for name in ("text", "cell", "c", "s", "nosuch"):
        with pytest.raises(DataError, match=rf"expected arrays {name}, got a file without {name}"):
            read_mat(tmp_path / "m.mat", (name,), 10_000)


def header(order=b"IM", version=b"\x00\x01"):
    return b"MATLAB 5.0 MAT-file".ljust(124) + version + order


def element(kind, body):
    return struct.pack("<II", kind, len(body)) + body


@pytest.mark.parametrize(("content", "found"), [
    (header(b"XX"), "another kind of file"),
    (b"\x80\x04K\x01.".ljust(200), "another kind"),
    (b"MATLAB 7.3 MAT-file".ljust(128), r"one of MATLAB 7.3 \(HDF5\)"),
    (header() + struct.pack("<II", 14, 2**31), "an element of 2,147,483,648 bytes where 0 are left"),
    (header() + element(1, b"12345678"), "an element of type 1 outside of an array"),
    (header() + element(15, zlib.compress(bytes(10**6), 9)), "unpacks to more than 100,000 bytes"),
    (header() + element(15, zlib.compress(element(14, b"12345678"))[:-3]), "one that is cut short"),
    (header() + element(15, zlib.compress(element(9, b"12345678"))), "a compressed element of type 9"),
    (header() + element(14, element(6, struct.pack("<II", 9, 0)) + element(5, struct.pack("<ii", -1, 5))
                        + element(1, b"X" * 8)), r"an array of shape \(-1, 5\)"),
    (header() + element(14, element(6, struct.pack("<II", 9, 0)) + element(5, struct.pack("<ii", 2, 5))
                        + element(1, b"X" * 8) + element(2, bytes(16))), r"16 numbers for shape \(2, 5\)"),
    (header() + element(14, element(6, struct.pack("<II", 9, 0)) + struct.pack("<II", 5, 2**20)), "after its array"),
    (header() + element(14, element(6, struct.pack("<II", 9, 0)) + element(5, struct.pack("<ii", 2, 5))
                        + element(1, b"X" * 8) + element(4, bytes(11))), "a multiple of element size"),
    (header() + element(14, element(6, b"") + element(5, struct.pack("<ii", 2, 5)) + element(1, b"X" * 8)),
     "not enough values"),
], ids=str)
def test_other_and_damaged_files_are_refused(tmp_path, content, found):
    (tmp_path / "m.mat").write_bytes(content)
    with pytest.raises(DataError, match=f"m.mat: expected a MATLAB 5 file of plain numbers, got .*{found}"):
        read_mat(tmp_path / "m.mat", ("XXXXXXXX",), 100_000)


def test_a_changed_byte_gives_arrays_or_an_error(tmp_path):
    scipy.io.savemat(tmp_path / "m.mat", {"X": np.arange(6, dtype=np.uint8).reshape(1, 6), "y": np.eye(2)})
    sound, rng = (tmp_path / "m.mat").read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        bad = bytearray(sound)
        bad[rng.integers(len(bad))] = rng.integers(256)
        (tmp_path / "m.mat").write_bytes(bad[: rng.integers(1, len(bad) + 1)])
        try:
            assert set(read_mat(tmp_path / "m.mat", ("X", "y"), 1_000)) == {"X", "y"}
        except DataError as error:
            assert "m.mat: expected" in str(error)  # noqa: PT017


@pytest.mark.parametrize(("change", "words"), [
    ({"X": np.zeros((32, 32, 1, 40), np.uint8)}, r"expected X \(32, 32, 3, N\) of unsigned bytes, got \(32, 32, 1, 40"),
    ({"X": np.full((32, 32, 3, 40), 0.5)}, r"expected X .* got \(32, 32, 3, 40\) float64"),
    ({"y": np.zeros((40, 1), np.uint8)}, r"expected y with 40 labels 1 to 10, each at least once, got 40 from \[0\]"),
    ({"y": np.ones((3, 1), np.uint8)}, r"got 3 from \[1\]"),
])
def test_what_is_not_svhn_is_refused(data_folder, change, words):
    write(data_folder / "svhn", **change)
    with pytest.raises(DataError, match=words):
        load(DataConfig(**SMALL), 0)


def test_without_a_network_the_message_names_folder_and_files(data_folder, offline):
    words = rf"no connection to ufldl.stanford.edu; put train_32x32.mat and test_32x32.mat in {data_folder / 'svhn'}"
    with pytest.raises(DataError, match=words):
        load(DataConfig(**SMALL), 0)


def test_a_page_in_the_place_of_a_file_is_named(data_folder):
    write(data_folder / "svhn")
    (data_folder / "svhn" / "train_32x32.mat").write_text("<!DOCTYPE html><html>not found</html>")
    with pytest.raises(DataError, match="got a web page"):
        load(DataConfig(**SMALL), 0)
