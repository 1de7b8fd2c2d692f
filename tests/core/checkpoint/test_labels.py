"""Labels of every form, and samples that name no class: left out and said so, or kept as a class of their own."""

import numpy as np
import pytest
import safetensors.numpy
import torch

from lpc_core.checkpoint import FileRefused, open_file
from lpc_core.checkpoint._labels import nameless
from tests.core.checkpoint._files import npz, read_here, saved

LATENTS = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
MINUS = np.array([0, -1, 1, 2, 0, 1])
KEPT = [0, 2, 3, 4, 5]


@pytest.mark.parametrize(("labels", "none"), [
    ([0, -1, 1], [1]), ([0, -100, 1], [1]), ([-1, -100, 2], [0, 1]), ([0, -1, 0], [1]),
    ([-1, 1, 1], []), ([-2, -1, 0, 1], []), ([-1, -1], []), ([0, 1, 2], []),
    ([0.0, np.nan, 1.0], [1]), ([np.nan, -1.0, 2.0], [0, 1]),
    (["a", "", " ", "b"], [1, 2]), (["a", "nan", "NaN", "None", "NA", "<NA>", "null"], [1, 2, 3, 4, 5, 6]),
    (["none", "a"], []), (["-1", "0", "1"], [0]), (["-1", "cat"], [0]), (["-1", "1"], []), (["-1", "2", "cat"], [0]),
])
def test_which_labels_name_no_class(labels, none):
    assert np.flatnonzero(nameless(np.array(labels), None)).tolist() == none


def test_a_name_that_the_file_gives_a_class_is_one():
    assert not nameless(np.array(["", "None", "a"]), ["", "None", "a"]).any()


FILES = {
    "a.npz": npz,
    "a.safetensors": lambda **arrays: safetensors.numpy.save({name: np.array(v) for name, v in arrays.items()}),
    "a.pt": lambda **arrays: saved({name: torch.tensor(value) for name, value in arrays.items()}),
}


@pytest.mark.parametrize("name", FILES)
def test_minus_one_is_left_out_of_every_array_and_said(name):
    logits = 2 * np.eye(3)[np.abs(MINUS)]
    raw = FILES[name](latents=LATENTS, labels=MINUS, predictions=np.abs(MINUS), logits=logits)
    found = read_here(raw, name)
    assert np.array_equal(found.latents, LATENTS[KEPT])
    assert found.labels.tolist() == MINUS[KEPT].tolist()
    assert (len(found.predictions), len(found.logits), found.unlabelled) == (5, 5, 1)
    assert found.class_names == ("0", "1", "2")
    assert found.warnings == ("1 of 6 samples name no class (labels: -1) and are left out",)


@pytest.mark.parametrize(("labels", "names"), [
    (MINUS, ("-1", "0", "1", "2")), (np.where(MINUS < 0, np.nan, MINUS), ("-1", "0", "1", "2")),
    (np.array(["a", "", "b", "b", "a", "a"]), ("(no class)", "a", "b"))])
def test_they_can_be_kept_as_a_class(labels, names):
    found = open_file(npz(latents=LATENTS, labels=labels), "a.npz", keep_unlabelled=True)
    assert (found.class_names, len(found.labels), found.unlabelled) == (names, 6, 1)
    assert "kept as a class of their own" in found.warnings[0]


def test_captions_in_metadata_go_with_their_samples():
    raw = safetensors.numpy.save({"latents": LATENTS, "labels": MINUS}, {"texts": '["a","b","c","d","e","f"]'})
    assert read_here(raw).texts == ("a", "c", "d", "e", "f")


def test_without_a_prediction_a_sample_is_left_out_too():
    found = read_here(npz(latents=LATENTS, labels=np.abs(MINUS), predictions=MINUS))
    assert found.warnings == ("1 of 6 samples name no class (predictions: -1) and are left out",)


@pytest.mark.parametrize("labels", [np.eye(4)[[0, 2, 2, 0, 1, 1]], np.array([[0], [2], [2], [0], [1], [1]])])
def test_one_hot_labels_and_columns(labels):
    found = read_here(npz(latents=LATENTS, labels=labels))
    assert found.labels.tolist() == [0, 2, 2, 0, 1, 1]
    assert any(note.startswith("labels were ") for note in found.notes)


def test_labels_that_never_repeat_are_doubted():
    found = read_here(npz(latents=LATENTS, labels=np.arange(6)))
    assert found.warnings == ("every sample has a class of its own: the labels may be row numbers or measured values",)


def test_labels_under_the_name_of_class_names_are_not_taken_for_names():
    with pytest.raises(FileRefused, match="expected class_names that differ, got '0' twice; list each class once"):
        read_here(npz(latents=LATENTS, y=np.abs(MINUS), classes=np.abs(MINUS)))


def test_objects_are_left_out_where_they_are_not_needed():
    objects = np.array([{}] * 6, object)
    found = read_here(npz(latents=LATENTS, labels=np.abs(MINUS), meta=objects))
    assert "left out, as it holds objects: meta" in found.notes
    with pytest.raises(FileRefused, match="expected numbers, truth values or texts in the array 'labels', got objects"):
        read_here(npz(latents=LATENTS, labels=objects))


def test_what_could_be_the_labels_is_asked():
    with pytest.raises(FileRefused, match="say which it is, --pick labels=NAME") as refused:
        open_file(npz(latents=LATENTS, kind=np.abs(MINUS), other=np.ones(9)), "a.npz")
    assert (refused.value.ask.role, refused.value.ask.choices) == ("labels", ("kind",))


@pytest.mark.parametrize("dtype", ["i4", "i8"])
def test_what_a_cast_makes_of_nan_names_no_class(dtype):
    labels = np.where(MINUS < 0, np.iinfo(dtype).min, MINUS).astype(dtype)
    found = read_here(npz(latents=LATENTS, labels=labels))
    assert (found.class_names, found.unlabelled) == (("0", "1", "2"), 1)


def test_rows_of_zeros_among_one_hot_ones_name_no_class():
    hot = np.eye(3)[np.abs(MINUS)]
    hot[1] = 0
    found = read_here(npz(latents=LATENTS, labels=hot))
    assert (found.labels.tolist(), found.unlabelled) == (MINUS[KEPT].tolist(), 1)
    for labels in (np.zeros((6, 3)), np.ones((6, 3))):
        with pytest.raises(FileRefused, match=r"got shape \(6, 3\); save labels.argmax\(1\) if they are scores$"):
            read_here(npz(latents=LATENTS, labels=labels))


@pytest.mark.parametrize(("labels", "doubt"), [
    ([0, 255, 1, 2, 0, 1], "255"), (["a", "noise", "b", "a", "b", "a"], "noise"), ([0, -9, 1, 2, 0, 1], "-9"),
    ([-2, -1, 0, 1, 1, 0], ""), ([254, 255, 253, 255, 254, 253], ""), (["noisy", "a", "b", "a", "b", "b"], "")])
def test_a_class_that_may_stand_for_none_is_named(labels, doubt):
    found = read_here(npz(latents=LATENTS, labels=np.array(labels)))
    assert found.warnings == ((f"the class {doubt} may stand for none: if so, leave its samples out",) if doubt else ())
    names = np.array(found.class_names)
    assert not read_here(npz(latents=LATENTS, labels=np.array(labels).astype(str), class_names=names)).warnings


def test_labels_of_another_length_are_not_called_scores():
    with pytest.raises(FileRefused, match=r"^expected labels \(6,\), .*, got shape \(5,\); save one for each$"):
        read_here(npz(latents=LATENTS, labels=MINUS[:5]))


def test_blanks_around_a_label_make_no_other_class():
    raw = npz(latents=np.ones((4, 2)), labels=np.array(["cat", " cat", "cat ", "dog"]))
    assert read_here(raw).class_names == ("cat", "dog")
    assert read_here(b"z0,z1, label\n1, 2, cat\n3, 4,cat\n5, 6, dog\n").class_names == ("cat", "dog")


def test_classes_that_differ_in_capitals_alone_are_said():
    found = read_here(npz(latents=np.ones((4, 2)), labels=np.array(["cat", "Cat", "cat", "dog"])))
    assert "classes whose names differ in capitals alone: Cat, cat" in found.warnings
