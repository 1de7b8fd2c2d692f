"""safetensors files are read as the official library reads them, and never where it would not."""

import json
import random
import re
import struct

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from lpc_core.checkpoint import Embeddings, FileRefused, Limits
from lpc_core.checkpoint.formats.safetensors_file import parse
from lpc_core.config import flatten, unflatten
from lpc_core.engine.trainer import Trainer
from lpc_core.film import Film, film_bytes
from lpc_core.film.record import record
from lpc_core.presets import default_run
from tests.core.checkpoint._files import LABELS, LATENTS, model, read_here
from tests.core.checkpoint.test_torch_files import DTYPES

STATE = model().state_dict()


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype != torch.complex128], ids=str)
def test_every_type_is_kept(dtype):
    given = {"a": torch.arange(6).reshape(2, 3).to(dtype), "empty": torch.empty(0, 3, dtype=dtype),
             "single": torch.ones((), dtype=dtype)}
    read = read_here(safetensors.torch.save(given)).tensors
    for name, tensor in given.items():
        assert (read[name].dtype, read[name].shape) == (tensor.dtype, tensor.shape)
        assert read[name].reshape(-1).view(torch.uint8).tolist() == tensor.reshape(-1).view(torch.uint8).tolist()


@pytest.mark.parametrize(("prefix", "stripped"), [("", ()), ("module.", ("module.",)), ("model.", ("model.",))])
def test_prefixes_and_metadata(prefix, stripped):
    given = {prefix + name: tensor for name, tensor in STATE.items()}
    checkpoint = read_here(safetensors.torch.save(given, {"epoch": "3", "é\n": "\x1b"}))
    assert set(checkpoint.tensors) == set(STATE)
    assert checkpoint.stripped == stripped
    assert checkpoint.format == "safetensors"
    assert checkpoint.metadata == {"epoch": "3", "é\N{REPLACEMENT CHARACTER}": "\N{REPLACEMENT CHARACTER}"}


def test_embeddings_with_names_in_the_metadata():
    found = read_here(safetensors.torch.save(
        {"latents": torch.tensor(LATENTS), "labels": torch.tensor(LABELS), "W": torch.ones(4, 3), "b": torch.zeros(4)},
        {"class_names": json.dumps(["a", "b", "c", "<script>"]), "texts": json.dumps(["t"] * 30)}))
    assert isinstance(found, Embeddings)
    assert found.class_names == ("a", "b", "c", "<script>")
    assert found.texts == ("t",) * 30
    assert (found.weight.shape, found.bias.shape) == ((4, 3), (4,))


def test_a_tensor_named_weight_makes_no_embeddings():
    assert list(read_here(safetensors.torch.save({"weight": torch.ones(2, 3), "bias": torch.ones(2)})).tensors) == [
        "bias", "weight"]


@pytest.mark.parametrize(("raw", "message"), [
    (file_of({}) + b"x", "expected a file that ends after its tensors, at 0 bytes of data, got 1; save or copy"),
    (struct.pack("<Q", 2**63) + b"{}", "expected a safetensors file with its whole header, got a header of 9,223,372"),
    (struct.pack("<Q", 100) + b"{}", "expected a safetensors file with its whole header, got a header of 100 bytes in"),
    (file_of(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":1}', b"1234"), r"\(the name 'a' twice\)"),
    (file_of(b"{" * 5000), "expected a safetensors header in JSON, got text that is not"),
    (file_of(b'{"a":' + b"[" * 100_000), "expected a safetensors header in JSON, got text that is not"),
    (file_of(b"[1]"), r"expected a safetensors header that begins with \{"),
    (file_of({"a": 3}), "expected dtype, shape and two data_offsets for each tensor, got others for 'a'"),
    (file_of({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], "x": 1}}, b"1234"), "sizes and offsets from"),
    (file_of({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"1234"), "sizes and offsets from 0"),
    (file_of({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, b"1234"), "sizes and offsets from 0"),
    (file_of({"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}, b"1234"), "sizes and offsets from 0"),
    (file_of({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, b"1234"), "the start before the end"),
    (file_of({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"1234"), "expected 8 bytes for the tenso"),
    (file_of({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"12"), "expected tensors that follow"),
    (file_of({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
              "b": {"dtype": "F32", "shape": [1], "data_offsets": [2, 6]}}, b"123456"), "expected tensors that follow"),
    (file_of({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, b"12345678"), "expected tensors that foll"),
    (file_of({"a": {"dtype": "Q4", "shape": [1], "data_offsets": [0, 4]}}, b"1234"), "expected one of the types F64"),
    (file_of({"a": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}, b"\x00\x07"), "expected truth values of "),
    (file_of({"a\n": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, b"1"), "expected printable tensor names"),
    (file_of({"a": {"dtype": "F32", "shape": [1] * 40, "data_offsets": [0, 4]}}, b"1234"), "in at most 32 dimensions"),
    (file_of({"__metadata__": {"a": 1}}), "expected texts in the safetensors metadata, got other values"),
    (file_of({"__metadata__": 3}), "expected texts in the safetensors metadata, got other values"),
])
def test_what_the_format_does_not_allow_is_refused(raw, message):
    with pytest.raises(FileRefused, match=message):
        read_here(raw, "x.safetensors")


def test_sizes_are_checked_before_anything_is_allocated():
    huge = file_of({"a": {"dtype": "F64", "shape": [2**40, 2**20], "data_offsets": [0, 2**61]}}, b"1234")
    with pytest.raises(FileRefused, match="expected tensors that follow each other within the file"):
        read_here(huge)
    raw = safetensors.torch.save({"a": torch.zeros(1000)})
    with pytest.raises(FileRefused, match=r"^expected arrays of at most 3,999 bytes together, got a claim of 4,000 by"):
        read_here(raw, limits=Limits(tensor_bytes=3999))
    with pytest.raises(FileRefused, match=r"^expected at most 2 tensors, got 3; save fewer of them$"):
        read_here(safetensors.torch.save({name: torch.zeros(1) for name in "abc"}), limits=Limits(tensors=2))


def test_what_is_read_here_the_official_library_reads_too():
    """Mutated headers: this reader may be stricter, but never reads what the other refuses, nor something else."""
    rng = random.Random(0)
    given = {"a": torch.arange(4.0), "b": torch.ones(2, 3, dtype=torch.int16)}
    good = bytearray(safetensors.torch.save(given, {"m": "x"}))
    header = int.from_bytes(good[:8], "little")
    read = 0
    for _ in range(3_000):
        raw = bytearray(good)
        for _ in range(rng.randint(1, 2)):
            raw[rng.randrange(8 + header)] = rng.choice(b'0123456789[]{},:"-. abFIU')
        try:
            _, views, storages = parse(memoryview(raw), Limits())
        except FileRefused:
            continue
        read += 1
        theirs = dict(safetensors.deserialize(bytes(raw)))
        assert {view.name: (list(view.shape), bytes(storages[view.storage])) for view in views} == {
            name: (entry["shape"], bytes(entry["data"])) for name, entry in theirs.items()}
    assert read > 10


@pytest.fixture(scope="module")
def tiny():
    return unflatten({"steps": 20, "hidden": (8,), "samples": 100}, default_run("hypercube"))


def test_a_run_of_the_lab_comes_back_as_a_checkpoint(tiny):
    trainer = Trainer(tiny, "cpu")
    checkpoint = read_here(trainer.state_bytes(), "run.safetensors")
    assert checkpoint.metadata["format"] == "lpc-run-1"
    assert checkpoint.metadata["step"] == 0
    settings = {name: tuple(value) if isinstance(value, list) else value
                for name, value in checkpoint.metadata["run"].items()}
    assert unflatten(settings) == tiny
    for name, tensor in trainer.model.state_dict().items():
        assert torch.equal(checkpoint.tensors[name], tensor)
    assert len(checkpoint.tensors) == len(trainer.model.state_dict())
    assert checkpoint.stripped == ("model.",)
    assert any(re.fullmatch(r"left out: \d+ tensors of the optimiser and of random streams", note)
               for note in checkpoint.notes)


def test_a_film_of_the_lab_comes_back_as_a_film(tiny):
    film = record(tiny, np.array([0.1, 1.0]), 3, 20)
    found = read_here(film_bytes(film))
    assert isinstance(found, Film)
    assert flatten(found.config) == flatten(film.config)
    assert found.info == film.info
    for name, array in film.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], array)
    damaged = bytearray(film_bytes(film))
    damaged[-3] ^= 1
    with pytest.raises(FileRefused, match=r"^expected the checksum \w+, got \w+: this film was changed"):
        read_here(bytes(damaged))


@pytest.mark.parametrize("text", [b"../../blobs/0123456789abcdef", b"this is no such file at all", b"../a.st "])
def test_a_text_in_its_place_is_called_one_not_a_long_header(text):
    with pytest.raises(FileRefused, match=r"^expected safetensors, .*, got a text, beginning '.*'; download or copy"):
        read_here(text, "model.safetensors")
