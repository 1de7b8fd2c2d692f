"""MNIST and Fashion-MNIST: where they are found, what is checked, what is said when they are missing."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pooch
import pytest

from lpc_core.config import ConfigError, DataConfig
from lpc_core.data import DataError, load
from lpc_core.data._mnist import FILES
from lpc_core.data.mnist import _MNIST
from lpc_core.inspection import gather
from lpc_core.presets import default_run

SMALL = {"samples": 20, "test_samples": 10}


def small_set(train=60, test=30, top=10):
    """The contents of the four files, in the order of FILES; every image is full of its label."""
    contents = []
    for count in (train, test):
        labels = np.random.default_rng(count).permutation(np.arange(count) % top).astype(np.uint8)
        images = np.repeat(labels, 28 * 28)
        contents += [struct.pack(">4I", 0x803, count, 28, 28) + images.tobytes(),
                     struct.pack(">2I", 0x801, count) + labels.tobytes()]
    return contents


def write(folder, contents, zipped=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in zip(FILES, contents, strict=True):
        path = folder / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(content, 1) if zipped else content)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("dataset", "folder"), [
    ("mnist", "mnist"), ("mnist", "MNIST/raw"), ("mnist", "MNIST"),
    ("fashion-mnist", "fashion-mnist"), ("fashion-mnist", "FashionMNIST/raw"),
])
def test_local_files_are_found_and_not_checked_against_the_official_sums(data_folder, offline, dataset, folder, zipped):
    write(data_folder / folder, small_set(), zipped)
    data = load(DataConfig(dataset=dataset, **SMALL), 0)
    assert offline == []
    assert data.name == dataset
    assert data.train_inputs.shape == (20, 28, 28, 1)
    assert data.test_inputs.shape == (10, 28, 28, 1)
    assert data.train_inputs.dtype == np.uint8
    np.testing.assert_array_equal(data.train_inputs[:, 5, 5, 0], data.train_labels)
    np.testing.assert_array_equal(data.test_inputs[:, 5, 5, 0], data.test_labels)
    assert np.bincount(data.train_labels).tolist() == [2] * 10
    assert np.bincount(data.test_labels).tolist() == [1] * 10


@pytest.mark.parametrize("zipped", [True, False])
def test_files_with_a_dot_for_the_dash_are_found(data_folder, offline, zipped):
    """As some mirrors name them: train-images.idx3-ubyte."""
    write(data_folder / "mnist", small_set(), zipped)
    for path in (data_folder / "mnist").iterdir():
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    data = load(DataConfig(dataset="mnist", **SMALL), 0)
    assert offline == []
    np.testing.assert_array_equal(data.train_inputs[:, 5, 5, 0], data.train_labels)


def test_an_inspection_takes_all_of_a_small_copy_unless_more_are_asked_for(data_folder, offline):
    write(data_folder / "mnist", small_set())
    assert len(gather("mnist").labels) == 60
    assert len(gather("mnist", split="test", count=30).labels) == 30
    with pytest.raises(ConfigError, match="samples: expected at most 60, all there are, got"):
        gather("mnist", count=61)


def test_a_web_page_in_the_place_of_the_files_is_named(data_folder, offline):
    write(data_folder / "mnist", [b"<!DOCTYPE html><html>403</html>"] * 4, zipped=False)
    with pytest.raises(DataError, match="train-images-idx3-ubyte: expected a data file, got a web page; fetch"):
        load(DataConfig(dataset="mnist", **SMALL), 0)


def test_more_samples_than_there_are(data_folder):
    write(data_folder / "mnist", small_set())
    with pytest.raises(ConfigError, match=r"^samples: expected at most 60, all there are, got 61$"):
        load(DataConfig(dataset="mnist", samples=61, test_samples=10), 0)


def test_images_and_labels_must_be_as_many(data_folder):
    train, test = small_set(), small_set(train=50)
    write(data_folder / "mnist", [train[0], test[1], *train[2:]])
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte.gz: expected 60 labels, as many as "
                                        r"train-images-idx3-ubyte.gz has images, got 50; fetch both files again$"):
        load(DataConfig(dataset="mnist", **SMALL), 0)


@pytest.mark.parametrize("top", [9, 11])
def test_labels_must_be_those_of_the_classes(data_folder, top):
    write(data_folder / "mnist", small_set(top=top))
    with pytest.raises(DataError, match=r"expected labels 0 to 9, each at least once, got \[0, 1, .*\]; fetch"):
        load(DataConfig(dataset="mnist", **SMALL), 0)


def test_without_a_network_the_message_names_the_folder_and_the_files(data_folder, offline):
    with pytest.raises(DataError) as error:
        load(DataConfig(dataset="fashion-mnist", **SMALL), 0)
    address = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz"
    assert offline == [address]
    assert str(error.value) == (
        "expected to download train-images-idx3-ubyte.gz, got no connection to "
        "fashion-mnist.s3-website.eu-central-1.amazonaws.com; put train-images-idx3-ubyte.gz, "
        "train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz in "
        f"{data_folder}/fashion-mnist")


def test_an_unofficial_file_in_an_incomplete_set_is_left_alone(data_folder, offline):
    path = data_folder / "mnist" / "train-images-idx3-ubyte.gz"
    path.parent.mkdir()
    path.write_bytes(b"mine")
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz: expected the official file, as the set is "
                                        r"incomplete, got another; put train-images"):
        load(DataConfig(dataset="mnist", **SMALL), 0)
    assert offline == []
    assert path.read_bytes() == b"mine"


def test_missing_files_are_downloaded_once_and_told_about(data_folder, monkeypatch):
    packed = {f"{name}.gz": gzip.compress(content) for name, content in zip(FILES, small_set(), strict=True)}
    asked, told = [], []

    def give(self, url, output_file, pooch_, check_only=False):
        name = url.rpartition("/")[2]
        asked.append(name)
        Path(output_file).write_bytes(packed[name])

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", give)
    sums = tuple(hashlib.md5(content).hexdigest() for content in packed.values())
    monkeypatch.setitem(vars(_MNIST), "md5", sums)
    first = load(DataConfig(dataset="mnist", **SMALL), 0, lambda share, what: told.append(what))
    again = load(DataConfig(dataset="mnist", **SMALL), 0)
    assert asked == list(packed)
    assert told[-2:] == ["Reading train-images-idx3-ubyte.gz", "Reading t10k-images-idx3-ubyte.gz"]
    np.testing.assert_array_equal(first.train_inputs, again.train_inputs)


def test_the_real_set(real_mnist, monkeypatch):
    monkeypatch.setenv("LPC_DATA", str(real_mnist))
    data, again = load(default_run("mnist").data, 0), load(default_run("mnist").data, 0)
    assert data.train_inputs.shape == (10_000, 28, 28, 1)
    assert data.test_inputs.shape == (2_000, 28, 28, 1)
    assert 30 < data.train_inputs.mean() < 36  # the whole set's mean is 33.3
    assert np.all(np.abs(np.bincount(data.train_labels) / 10_000 - 0.1) < 0.02)
    np.testing.assert_array_equal(data.train_inputs, again.train_inputs)
