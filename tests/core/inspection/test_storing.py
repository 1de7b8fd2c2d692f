"""An inspection's file keeps all of it, is written whole, and refuses everything else."""

import dataclasses
import json
import os

import numpy as np
import pytest
import safetensors.numpy

from lpc_core.checkpoint import Embeddings
from lpc_core.inspection import InspectionError, inspect, load, save

RNG = np.random.default_rng(0)
LABELS = np.arange(40) % 3
FULL = Embeddings(
    RNG.normal(size=(40, 4)).astype(np.float32), LABELS, ("<b>one</b>", "=1+1", "drei"),
    predictions=LABELS[::-1].copy(), logits=RNG.normal(size=(40, 3)),
    weight=RNG.normal(size=(3, 4)).astype(np.float16), bias=np.zeros(3, np.float32),
    images=RNG.integers(0, 256, (40, 5, 6, 3), np.uint8), texts=tuple(f"caption {i} \u202e" for i in range(40)),
    notes=("read with care",))
BARE = Embeddings(RNG.normal(size=(40, 1)), LABELS * 0, ("only",))


@pytest.fixture(scope="module")
def full():
    source = {"file": "a.npz", "nested": {"numbers": [1, 2.5, 1e300]}}
    found = inspect(FULL, source=source, layout={"name": "MLP"})
    return dataclasses.replace(found, coordinates={**found.coordinates, "tsne": np.full((40, 2), np.nan, np.float32)})


def same(first, second):
    """Whether two inspections are equal, field by field, arrays by their bytes and types."""
    for field in dataclasses.fields(first):
        a, b = getattr(first, field.name), getattr(second, field.name)
        if dataclasses.is_dataclass(a):
            same(a, b)
        elif isinstance(a, np.ndarray):
            assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), field.name
        elif isinstance(a, dict) and any(isinstance(value, np.ndarray) for value in a.values()):
            assert a.keys() == b.keys()
            assert all(a[key].tobytes() == b[key].tobytes() for key in a), field.name
        else:
            assert repr(a) == repr(b), field.name  # NaN readings are equal as texts


@pytest.mark.parametrize("kind", ["full", "bare"])
def test_nothing_is_lost(kind, full, tmp_path):
    found = full if kind == "full" else inspect(BARE)
    path = tmp_path / "a.inspection.safetensors"
    save(found, path)
    same(found, load(path))
    same(found, load(path.read_bytes()))
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(full, tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    save(full, path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save(inspect(BARE), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def changed(raw, *, arrays=None, metadata=None, drop=()):
    """The file's bytes with arrays or words of its metadata exchanged."""
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    tensors = {name: value for name, value in safetensors.numpy.load(raw).items() if name not in drop}
    words = {**header["__metadata__"], **(metadata or {})}
    return safetensors.numpy.save({**tensors, **(arrays or {})}, words)


def info(raw, **words):
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    return {"info": json.dumps({**json.loads(header["__metadata__"]["info"]), **words})}


WHOLE = "expected a whole inspection in format 1, got one with "
NOT_JSON = "which is not one .expected what an inspection says in JSON, got text that is not"
ROWS = "expected one row per sample in coordinates, pictures and captions"


def arrays(**values):
    return lambda raw: changed(raw, arrays={name.replace("__", "."): value for name, value in values.items()})


def words(**values):
    return lambda raw: changed(raw, metadata=info(raw, **values))


HOSTILE = {
    "nothing": (lambda raw: b"", "expected a whole inspection, got "),
    "cut short": (lambda raw: raw[:-5], "expected a whole inspection, got "),
    "another kind of file": (lambda raw: b"PK\x03\x04" + bytes(100), "header of 67,324,752 bytes in a file of 104"),
    "a header that lies": (lambda raw: (2**60).to_bytes(8, "little") + raw[8:], "header of 1,152,921,504,606,846"),
    "another safetensors": (lambda raw: safetensors.numpy.save({"a": np.ones(3)}), "expected an inspection, got 'some"),
    "a film": (lambda raw: changed(raw, metadata={"kind": "film"}), "expected an inspection, got 'film'; choose a"),
    "no words": (lambda raw: changed(raw, metadata={"info": "{"}), NOT_JSON),
    "deep words": (lambda raw: changed(raw, metadata={"info": "[" * 100_000}), NOT_JSON + ".*nested"),
    "words of another type": (lambda raw: changed(raw, metadata={"info": "[1]"}), "as a JSON object, got a list"),
    "a later format": (words(format=2), "expected an inspection in format 1, got 2;"),
    "readings that are texts": (words(readings={"a": ["x", None, ""]}), WHOLE + "ValueError"),
    "a NaN without a reason": (words(readings={"a": [{"number": "nan"}, None, ""]}), WHOLE + "ValueError"),
    "no latents": (lambda raw: changed(raw, drop=("latents",)), WHOLE + "KeyError"),
    "too few latents": (arrays(latents=np.ones((3, 4))), "expected latents of shape"),
    "labels of no class": (arrays(labels=np.full(40, 3)), "expected labels from 0 to 2, got others"),
    "labels below 0": (arrays(labels=np.full(40, -1)), "expected labels from 0 to 2, got others"),
    "labels that are floats": (arrays(labels=np.zeros(40)), "expected labels from 0 to 2, got others"),
    "rows that are not there": (arrays(ambiguous=np.array([40])), "expected ambiguous from 0 to 39, got others"),
    "a view of other samples": (arrays(coordinates__pca=np.ones((3, 2))), ROWS),
    "a plane of other nodes": (arrays(pca_axes=np.ones((3, 3))), r"expected pca_axes of shape \(4, .\), got \(3, 3\)"),
    "a plane's middle elsewhere": (arrays(pca_mean=np.ones(3)), r"expected pca_mean of shape \(4,\), got \(3,\)"),
    "more axes than coordinates": (arrays(pca_axes=np.ones((4, 4))), r"of shape \(4, 3\), got \(4, 4\)"),
    "a head of other classes": (arrays(weight=np.ones((2, 4))), r"expected weight of shape \(3, 4\), got \(2, 4\)"),
    "pictures as floats": (arrays(images=np.ones((40, 2, 2, 3))), ROWS),
    "captions for others": (words(texts=["a"]), ROWS),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_refused(name, full, tmp_path):
    make, message = HOSTILE[name]
    path = tmp_path / "a.safetensors"
    save(full, path)
    path.write_bytes(make(path.read_bytes()))
    with pytest.raises(InspectionError, match=message) as refusal:
        load(path)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InspectionError, match=r"expected a whole inspection, got none.safetensors, which is not"):
        load(tmp_path / "none.safetensors")


def test_numbers_as_they_were_once_written_are_read(full, tmp_path):
    save(full, tmp_path / "a.safetensors")
    readings = {"a": [{"number": "inf"}, None, ""], "b": [{"number": "nan"}, 1.0, "why"]}
    raw = words(readings=readings)((tmp_path / "a.safetensors").read_bytes())
    found = load(raw).readings
    assert (found["a"].value, found["b"].floor, str(found["b"].value)) == (float("inf"), 1.0, "nan")
