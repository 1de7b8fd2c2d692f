"""Samples to run a network on: the very ones of a run, an npz read in the locked process, folders of pictures."""

import io
import struct
import zlib

import numpy as np
import pytest

from lpc_core.checkpoint import FileRefused
from lpc_core.config import unflatten
from lpc_core.data import load
from lpc_core.inspection import gather

Image = pytest.importorskip("PIL.Image")

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (6, 5, 7, 3), np.uint8)


def npz(tmp_path, **arrays):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    return str(path)


def test_the_very_samples_of_a_run():
    run = unflatten({"dataset": "digits", "samples": 300, "test_samples": 40, "seed": 5})
    dataset = load(run.data, 5)
    found = gather("digits", run=run)
    assert np.array_equal(found.inputs, dataset.train_inputs)
    held_out = gather("digits", run=run, split="test")
    assert np.array_equal(held_out.labels, dataset.test_labels)
    assert held_out.name == "digits, held-out samples"
    assert "the very samples of the run (seed 5)" in found.notes[0]


def test_another_set_than_the_run_s_and_a_seeded_choice():
    run = unflatten({"dataset": "digits"})
    found = gather("moons", run=run, count=50, seed=3)
    assert found.inputs.shape == (50, 2)
    assert np.bincount(found.labels).tolist() == [25, 25]
    assert found.notes[-1] == "50 of 2,000 samples, stratified, drawn with seed 3"
    assert np.array_equal(found.inputs, gather("moons", count=50, seed=3).inputs)
    assert len(gather("moons", split="test", count=1500).labels) == 1500


@pytest.mark.parametrize(("arrays", "shape"), [
    ({"inputs": PICTURES, "labels": np.arange(6) % 2}, (6, 5, 7, 3)),
    ({"images": PICTURES.transpose(0, 3, 1, 2), "y": np.arange(6) % 2}, (6, 5, 7, 3)),
    ({"x": PICTURES[..., 0] / 255, "target": np.arange(6) % 2}, (6, 5, 7, 1)),
    ({"X": RNG.normal(size=(6, 7)), "labels": np.array(["no", "yes"] * 3)}, (6, 7)),
])
def test_arrays_of_one_s_own(arrays, shape, tmp_path):
    found = gather(npz(tmp_path, **arrays))
    assert found.inputs.shape == shape
    assert found.labels.tolist() == [0, 1] * 3
    assert found.dataset is None
    if "X" in arrays:
        assert found.class_names == ("no", "yes")


def test_class_names_come_along(tmp_path):
    found = gather(npz(tmp_path, inputs=PICTURES, labels=np.arange(6) % 2, class_names=np.array(["cat", "dog", "eel"])))
    assert found.class_names == ("cat", "dog", "eel")


@pytest.mark.parametrize(("arrays", "message"), [
    ({"labels": np.arange(6)}, "expected samples in an array named inputs, images, .*, got the arrays 'labels'"),
    ({"inputs": PICTURES}, "expected labels"),
    ({"inputs": PICTURES, "labels": np.arange(5)}, r"expected labels \(6,\), one for each row"),
    ({"inputs": np.full((6, 2), np.nan), "labels": np.arange(6)}, "expected finite inputs, got NaN or infinity"),
    ({"inputs": np.ones((6, 2), int), "labels": np.arange(6)}, r"expected inputs \(n, H, W, C\) or \(n, D\), bytes or"),
    ({"inputs": np.ones((6, 2, 2, 2, 2)), "labels": np.arange(6)}, "expected inputs"),
    ({"inputs": np.array([{}] * 6), "labels": np.arange(6)}, "expected"),
])
def test_arrays_that_do_not_fit(arrays, message, tmp_path):
    with pytest.raises(FileRefused, match=message):
        gather(npz(tmp_path, **arrays))


def test_other_files_are_refused_and_nothing_is_unpickled(tmp_path):
    for name, raw in (("a.csv", b"a,b\n1,2\n"), ("b.npz", b"PK\x03\x04broken"), ("c.pkl", b"\x80\x04N.")):
        path = tmp_path / name
        path.write_bytes(raw)
        with pytest.raises(FileRefused):
            gather(str(path))


# ---- folders ----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    for place, picture in enumerate(PICTURES):
        path = tmp_path / "pets" / ("cat" if place % 2 else "dog")
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path / f"{place}.png")
    (tmp_path / "pets" / "notes.txt").write_text("not a picture")
    return tmp_path / "pets"


def test_a_folder_per_class(folder):
    shares = []
    found = gather(str(folder), progress=lambda share, what: shares.append(share))
    assert found.class_names == ("cat", "dog")
    assert np.array_equal(found.inputs, PICTURES[[1, 3, 5, 0, 2, 4]])
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert shares[-1] == 1


def test_pictures_are_cut_to_a_square(folder):
    Image.fromarray(np.full((40, 30, 3), 200, np.uint8)).save(folder / "cat" / "9.png")
    with pytest.raises(ValueError, match=r"data: expected pictures of one size and kind, .* got \(40, 30, 3\) in 9"):
        gather(str(folder))
    found = gather(str(folder), side=8)
    assert found.inputs.shape == (7, 8, 8, 3)
    assert (found.inputs[3] == 200).all()
    assert found.notes == ("pictures cut to their middle square and made 8 × 8 pixels",)


def test_grey_pictures_have_one_channel(tmp_path):
    (tmp_path / "a").mkdir()
    Image.fromarray(PICTURES[0, ..., 0]).save(tmp_path / "a" / "x.png")
    assert gather(str(tmp_path)).inputs.shape == (1, 5, 7, 1)


def bomb():
    """A PNG of a few hundred bytes that claims 100,000 × 100,000 pixels."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def other_format():
    out = io.BytesIO()
    Image.fromarray(PICTURES[0]).save(out, "ICO")
    return out.getvalue()


@pytest.mark.parametrize(("name", "raw", "message"), [
    ("bomb.png", bomb(), "data: expected "),
    ("cut.png", None, "data: expected a picture in cut.png, got .*; remove or convert it"),
    ("text.jpg", b"hello", "data: expected a picture in text.jpg, got "),
    ("icon.png", other_format(), "data: expected a picture in icon.png, got "),
])
def test_pictures_that_are_none(name, raw, message, folder):
    if raw is None:
        raw = (folder / "cat" / "1.png").read_bytes()[:60]
    (folder / "cat" / name).write_bytes(raw)
    with pytest.raises(ValueError, match=message):
        gather(str(folder), side=4)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"data": "no-such-set"}, "data: expected one of .*digits.*, an npz file or a folder of .*, got 'no-such-set'"),
    ({"data": "digits", "split": "validation"}, "split: expected train or test, got 'validation'; choose one of them"),
    ({"data": "digits", "count": 0}, "samples: expected at least 1, got 0; choose more"),
    ({"data": "digits", "count": 99_999}, "samples: expected at most"),
])
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        gather(arguments.pop("data"), **arguments)


def test_a_folder_without_pictures(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match=r"data: expected a folder with one folder of pictures per class, got .* with"):
        gather(str(tmp_path))
