"""CIFAR-10 and CIFAR-100: both versions, both places, archives, and what is said when they are missing or damaged."""

import hashlib
import io
import pickle
import re
import tarfile
from pathlib import Path

import numpy as np
import pooch
import pytest

from lpc_core.config import ConfigError, DataConfig
from lpc_core.data import DataError, load
from lpc_core.data.cifar10 import _CIFAR10
from lpc_core.data.cifar100 import _CIFAR100
from lpc_core.presets import default_run

CIFAR10_BINARY = [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]
FOLDERS = {("cifar10", "binary"): "cifar-10-batches-bin", ("cifar10", "python"): "cifar-10-batches-py",
           ("cifar100", "binary"): "cifar-100-binary", ("cifar100", "python"): "cifar-100-python"}
SMALL = {"cifar10": {"samples": 50, "test_samples": 10}, "cifar100": {"samples": 200, "test_samples": 100}}


def batch(count, classes, seed):
    """Images (count, 3072) whose red plane is the label, with random green and blue, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % classes).astype(np.uint8)
    pixels = rng.integers(0, 256, (count, 3072), np.uint8)
    pixels[:, :1024] = labels[:, None]
    return pixels, labels


def files_of(dataset, version):
    """File name → content of a small set."""
    classes = 10 if dataset == "cifar10" else 100
    names = [f"data_batch_{n}" for n in range(1, 6)] + ["test_batch"] if classes == 10 else ["train", "test"]
    files = {}
    for seed, name in enumerate(names):
        pixels, labels = batch(20 if classes == 10 else 300, classes, seed)
        if version == "python":
            key = b"labels" if classes == 10 else b"fine_labels"
            files[name] = pickle.dumps({key: labels.tolist(), b"coarse_labels": [7] * len(labels), b"data": pixels}, 2)
        else:
            coarse = [np.full(len(labels), 7, np.uint8)] if classes == 100 else []
            files[f"{name}.bin"] = np.column_stack([*coarse, labels, pixels]).tobytes()
    return files


@pytest.mark.parametrize("version", ["binary", "python"])
def test_a_pointer_in_the_place_of_a_batch_is_named(data_folder, version):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 30730000\n"
    write(data_folder / FOLDERS["cifar10", version], dict.fromkeys(files_of("cifar10", version), pointer))
    with pytest.raises(DataError, match="expected a data file, got a Git-LFS pointer in place of the file; run"):
        load(DataConfig(dataset="cifar10", **SMALL["cifar10"]), 0)


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def write_archive(path, folder, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def check(dataset):
    """Load the small set and check that images, planes and labels belong together."""
    data = load(DataConfig(dataset=dataset, **SMALL[dataset]), 0)
    counts = SMALL[dataset]["samples"], SMALL[dataset]["test_samples"]
    assert (len(data.train_inputs), len(data.test_inputs)) == counts
    for inputs, labels in ((data.train_inputs, data.train_labels), (data.test_inputs, data.test_labels)):
        assert inputs.shape[1:] == (32, 32, 3)
        assert inputs.dtype == np.uint8
        assert labels.dtype == np.int64
        assert np.all(inputs[..., 0] == labels[:, None, None])
        assert len(set(np.bincount(labels, minlength=data.classes))) == 1
    return data


@pytest.mark.parametrize(("dataset", "version"), FOLDERS)
@pytest.mark.parametrize("inside", ["", "named", "flat"])
def test_local_files_are_found(data_folder, offline, dataset, version, inside):
    folder = {"": FOLDERS[dataset, version], "named": f"{dataset}/{FOLDERS[dataset, version]}", "flat": dataset}[inside]
    write(data_folder / folder, files_of(dataset, version))
    data = check(dataset)
    assert offline == []
    assert data.classes == (10 if dataset == "cifar10" else 100)


@pytest.mark.parametrize(("dataset", "version"), FOLDERS)
@pytest.mark.parametrize("inside", [False, True])
def test_the_official_archive_is_unpacked(data_folder, offline, dataset, version, inside):
    place = data_folder / dataset if inside else data_folder
    name = {"cifar10": "cifar-10", "cifar100": "cifar-100"}[dataset]
    write_archive(place / f"{name}-{version}.tar.gz", FOLDERS[dataset, version], files_of(dataset, version))
    check(dataset)
    (place / f"{name}-{version}.tar.gz").unlink()
    check(dataset)
    assert offline == []


def test_both_versions_give_the_same_samples(data_folder):
    write(data_folder / "cifar-10-batches-py", files_of("cifar10", "python"))
    python = check("cifar10")
    write(data_folder / "cifar-10-batches-bin", files_of("cifar10", "binary"))
    binary = check("cifar10")
    np.testing.assert_array_equal(python.train_inputs, binary.train_inputs)
    np.testing.assert_array_equal(python.test_inputs, binary.test_inputs)


def test_pixels_come_plane_by_plane_and_row_by_row(data_folder):
    write(data_folder / "cifar-10-batches-bin", files_of("cifar10", "binary"))
    data = load(DataConfig(dataset="cifar10", samples=100, test_samples=20), 0)
    flat, _ = batch(20, 10, seed=5)  # the test batch
    loaded = {image.tobytes() for image in data.test_inputs.transpose(0, 3, 1, 2)}
    assert loaded == {image.tobytes() for image in flat}


def test_class_names():
    assert _CIFAR10.class_names[0] == "airplane"
    assert _CIFAR10.class_names[9] == "truck"
    assert len(set(_CIFAR100.class_names)) == 100
    assert list(_CIFAR100.class_names) == sorted(_CIFAR100.class_names)
    assert (_CIFAR100.class_names[1], _CIFAR100.class_names[99]) == ("aquarium fish", "worm")


def test_more_samples_than_there_are(data_folder):
    write(data_folder / "cifar-10-batches-bin", files_of("cifar10", "binary"))
    with pytest.raises(ConfigError, match=r"^test_samples: expected at most 20, all there are, got 21$"):
        load(DataConfig(dataset="cifar10", samples=100, test_samples=21), 0)


@pytest.mark.parametrize(("dataset", "stem", "files"), [("cifar10", "cifar-10", ", ".join(CIFAR10_BINARY)),
                                                        ("cifar100", "cifar-100", "train.bin, test.bin")])
def test_without_a_network_the_message_names_folder_and_files(data_folder, offline, dataset, stem, files):
    with pytest.raises(DataError) as error:
        load(DataConfig(dataset=dataset), 0)
    address = f"https://www.cs.toronto.edu/~kriz/{stem}-binary.tar.gz"
    assert offline == [address]
    assert str(error.value) == (
        f"expected to download {stem}-binary.tar.gz, got no connection to www.cs.toronto.edu; put {files} in "
        f"{data_folder}/{FOLDERS[dataset, 'binary']}, or {stem}-binary.tar.gz in {data_folder}")


def test_a_missing_set_is_downloaded_and_unpacked(data_folder, monkeypatch):
    packed, told = data_folder / "elsewhere" / "x.tar.gz", []
    write_archive(packed, "cifar-10-batches-bin", files_of("cifar10", "binary"))
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__",
                        lambda self, url, output_file, pooch_: Path(output_file).write_bytes(packed.read_bytes()))
    monkeypatch.setitem(vars(_CIFAR10), "md5", hashlib.md5(packed.read_bytes()).hexdigest())
    load(DataConfig(dataset="cifar10", **SMALL["cifar10"]), 0, lambda *news: told.append(news))
    assert [what for _, what in told] == ["Unpacking cifar-10-binary.tar.gz",
                                          *(f"Reading {name}" for name in CIFAR10_BINARY)]
    assert [share for share, _ in told][1:] == [0, 0.2, 0.4, 0.6, 0.8, 0]
    check("cifar10")


@pytest.mark.parametrize("content", [bytes(3072), bytes(3073 * 10_001)])
def test_a_binary_batch_of_a_wrong_size_is_named(data_folder, content):
    folder = data_folder / "cifar-10-batches-bin"
    write(folder, files_of("cifar10", "binary") | {"data_batch_3.bin": content})
    message = (f"{folder}/data_batch_3.bin: expected 1 to 10000 records of 3073 bytes, got {len(content)} bytes; fetch "
               "the file again")
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load(DataConfig(dataset="cifar10", **SMALL["cifar10"]), 0)


def test_labels_must_be_those_of_the_classes(data_folder):
    pixels, labels = batch(20, 11, 0)
    files = files_of("cifar10", "binary") | {"data_batch_2.bin": np.column_stack([labels, pixels]).tobytes()}
    write(data_folder / "cifar-10-batches-bin", files)
    with pytest.raises(DataError, match=r"batches-bin: expected labels 0 to 9, each at least once, got \[0, .*, 10\];"):
        load(DataConfig(dataset="cifar10", **SMALL["cifar10"]), 0)


PIXELS, LABELS = batch(20, 10, 0)


@pytest.mark.parametrize(("content", "problem"), [
    ({b"labels": [1]}, "expected 'data', unsigned bytes of shape (N, 3072), got NoneType"),
    ({b"data": PIXELS[:, 1:]}, "expected 'data', unsigned bytes of shape (N, 3072), got (20, 3071)"),
    ({b"data": PIXELS.ravel()}, "expected 'data', unsigned bytes of shape (N, 3072), got (61440,)"),
    ({b"data": PIXELS}, "expected 'labels', a list of 20 small whole numbers, got something else"),
    ({b"data": PIXELS, b"labels": [1]}, "expected 'labels', a list of 20 small whole numbers, got something else"),
    ({b"data": PIXELS, b"labels": [-1] * 20}, "expected 'labels', a list of 20 small whole numbers, got something"),
    ({b"data": PIXELS, b"labels": [True] * 20}, "expected 'labels', a list of 20 small whole numbers, got something"),
    ({b"data": PIXELS, b"labels": LABELS}, "expected 'labels', a list of 20 small whole numbers, got something else"),
])
def test_a_python_batch_of_another_form_is_named(data_folder, content, problem):
    files = files_of("cifar10", "python") | {"data_batch_1": pickle.dumps(content, 3)}
    write(data_folder / "cifar-10-batches-py", files)
    with pytest.raises(DataError, match=re.escape(f"data_batch_1: {problem}")):
        load(DataConfig(dataset="cifar10", **SMALL["cifar10"]), 0)


def test_the_real_set(real_cifar10, monkeypatch):
    monkeypatch.setenv("LPC_DATA", str(real_cifar10))
    data, again = load(default_run("cifar10").data, 0), load(default_run("cifar10").data, 0)
    assert data.train_inputs.shape == (2_000, 32, 32, 3)
    assert data.test_inputs.shape == (1_000, 32, 32, 3)
    assert np.bincount(data.train_labels).tolist() == [200] * 10
    np.testing.assert_allclose(data.train_inputs.mean((0, 1, 2)), [125.3, 123.0, 113.9], atol=3)  # the whole set's
    np.testing.assert_array_equal(data.train_inputs, again.train_inputs)
