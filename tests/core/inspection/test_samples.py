"""Samples to run a network on: the very ones of a run, an npz read in the locked process, folders of pictures."""

import io
import re
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


@pytest.mark.parametrize(("labels", "classes", "read"), [
    ([0, 2, 2, 0, 2, 0], "012", [0, 2, 2, 0, 2, 0]), ([0, -1, 2, 0, 2, 0], "012", [0, 2, 0, 2, 0]),
    (["3", "1", "3", "1", "", "1"], "0123", [3, 1, 3, 1, 1])])
def test_whole_numbers_are_rows_of_the_head_even_where_one_is_absent(labels, classes, read, tmp_path):
    found = gather(npz(tmp_path, inputs=PICTURES, labels=np.array(labels), other=np.ones(3)))
    assert (found.class_names, found.labels.tolist()) == (tuple(classes), read)
    assert len(found.inputs) == len(read)
    assert "left out: other" in found.notes
    assert len(found.warnings) == (len(read) < 6)


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
    with pytest.raises(ValueError, match=r"data: expected pictures of one size, 5 × 7 like 1.png, got 40 × 30 in 9"):
        gather(str(folder))
    found = gather(str(folder), side=8)
    assert found.inputs.shape == (7, 8, 8, 3)
    assert (found.inputs[3] == 200).all()
    assert found.notes == ("left out, as no pictures in a folder: notes.txt",
                           "pictures cut to their middle square and made 8 × 8 pixels",)


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


@pytest.mark.parametrize(("name", "raw", "why"), [
    ("bomb.png", bomb(), ".*"), ("cut.png", None, ".*"), ("zero.png", b"", "an empty file"),
    ("text.jpg", b"hello", "no picture, beginning 68 65 6c 6c 6f"),
    ("icon.png", other_format(), "no picture, beginning .*"),
])
def test_a_picture_that_is_none_is_left_out_and_named(name, raw, why, folder):
    if raw is None:
        raw = (folder / "cat" / "1.png").read_bytes()[:60]
    (folder / "cat" / name).write_bytes(raw)
    found = gather(str(folder), side=4)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    (warning,) = found.warnings
    assert re.fullmatch(rf"1 of 7 pictures could not be read and are left out: {name} \({why}\)", warning)
    assert "0x" not in warning
    (folder / "cat" / f"2-{name}").write_bytes(raw)
    more = rf"data: expected a picture in 2-{name} and in 1 more of 8, {name}, got {why}; remove or convert it"
    with pytest.raises(FileRefused, match=more):
        gather(str(folder), side=4)


def test_a_folder_stays_a_class_when_all_its_pictures_are_damaged(folder):
    (folder / "ant").mkdir()
    (folder / "ant" / "1.png").write_bytes(b"")
    found = gather(str(folder))
    assert (found.class_names, found.labels.tolist()) == (("ant", "cat", "dog"), [1, 1, 1, 2, 2, 2])
    assert "classes with 0 pictures: ant" in found.notes


def test_grey_pictures_among_colours_become_colours(folder):
    Image.fromarray(PICTURES[0, ..., 0]).save(folder / "cat" / "0-grey.png")
    found = gather(str(folder))
    assert np.array_equal(found.inputs[0], np.repeat(PICTURES[0, ..., :1], 3, axis=2))
    assert np.array_equal(found.inputs[1], PICTURES[1])


@pytest.mark.parametrize(("values", "read"), [(np.array([[0, 65_535, 512]], np.uint16), [0, 255, 2])])
def test_sixteen_bits_keep_their_upper_half(values, read, tmp_path):
    (tmp_path / "a").mkdir()
    Image.fromarray(values).save(tmp_path / "a" / "x.png")
    assert gather(str(tmp_path)).inputs[0, 0, :, 0].tolist() == read


def test_deep_folders_and_their_doubts(folder, tmp_path):
    (folder / "cat" / "old").mkdir()
    Image.fromarray(PICTURES[0]).save(folder / "cat" / "old" / "1.png")
    with pytest.raises(FileRefused, match="expected the classes' folders side by side, got pictures in 'cat' and in "
                                          "'cat/old'; move the pictures into one folder for each class"):
        gather(str(folder))
    for place, name in enumerate(("train/3", "train/10", "test/3")):
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.fromarray(PICTURES[place]).save(tmp_path / "set" / name / "1.png")
    found = gather(str(tmp_path / "set"))
    assert (found.class_names, found.labels.tolist()) == (("10", "3"), [0, 1, 1])
    assert found.warnings == (
        "pictures of one class in several folders are taken together, such as 3 in test, train",
        "the folders' names are numbers, but their alphabetical order (as torchvision's ImageFolder takes it) is what "
        "numbers the classes: 10 is class 0")


TOOLS = (".ipynb_checkpoints", "@eaDir", "__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden", "#recycle")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("where", ["", "cat/"])
def test_what_tools_leave_is_no_class_and_no_picture(tool, where, folder):
    place = folder / where / tool
    if "." in tool[1:]:
        place.write_bytes(b"x")
    else:
        place.mkdir()
        Image.fromarray(PICTURES[0]).save(place / "9.png")
    found = gather(str(folder))
    assert (found.class_names, len(found.labels)) == (("cat", "dog"), 6)
    assert f"ignored, as tools leave them: {tool}" in found.notes


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
