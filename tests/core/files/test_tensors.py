"""Headers of safetensors files, hostile ones too, by the one reader, and by everything in the lab that uses it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from app.live import frames
from app.training import state_file
from lpc_core.checkpoint import FileRefused, Limits
from lpc_core.checkpoint.formats.safetensors_file import parse
from lpc_core.config import unflatten
from lpc_core.engine.state import StateError, unpack
from lpc_core.engine.trainer import Trainer
from lpc_core.files.tensors import Header, Place, TensorFileError, arrays, begin, head, header, pack, pack_into
from lpc_core.film import FilmError, open_film
from lpc_core.inspection import InspectionError, load
from lpc_core.saved_run import NotARun, open_run
from lpc_core.study import StudyError, open_study

ROOT = Path(__file__).parents[3]
VALUES = {"b": np.arange(6, dtype=np.float32).reshape(2, 3)[:, ::-1], "a": np.ones((), np.uint8), "c": np.zeros((0, 4))}


def file_of(text, data=b"", length=None):
    text = text if isinstance(text, bytes) else json.dumps(text).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(dtype="F32", shape=(1,), start=0, end=4, **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end], **more}


HOSTILE = {
    "nothing": (b"", "with its whole header, got a header of 0 bytes in a file of 0"),
    "seven bytes": (b"1234567", "with its whole header"),
    "a length beyond the file": (file_of({}, length=3), "got a header of 3 bytes in a file of 10"),
    "the largest length": (file_of({}, length=2**64 - 1), "got a header of 18,446,744,073,709,551,615 bytes in a file"),
    "no object": (file_of(b"[1]"), "that begins with {"),
    "a text": (file_of(b'"x"'), "that begins with {"),
    "spaces first": (file_of(b" {}"), "that begins with {"),
    "UTF-16": (file_of("{}".encode("utf-16-le")), "in JSON, got text that is not"),
    "no UTF-8": (file_of(b'{"\xff":1}'), "in JSON, got text that is not UTF-8"),
    "half a character": (file_of(rb'{"__metadata__":{"a":"\ud800"}}'), "in JSON, got text that is not"),
    "cut off": (file_of(b'{"a":'), "in JSON, got text that is not"),
    "deep": (file_of(b'{"a":' + b"[" * 100_000), "nested too deeply"),
    "a name twice": (file_of(b'{"a":1,"a":1}'), "the name 'a' twice"),
    "a name twice inside": (file_of(b'{"__metadata__":{"kind":"x","kind":"y"}}'), "the name 'kind' twice"),
    "NaN": (file_of(b'{"a":NaN}'), "the constant NaN"),
    "metadata of numbers": (file_of({"__metadata__": {"a": 1}}), "texts in the safetensors metadata"),
    "metadata of lists": (file_of({"__metadata__": ["a"]}), "texts in the safetensors metadata"),
    "metadata that is null": (file_of({"__metadata__": None}), "texts in the safetensors metadata"),
    "a number": (file_of({"a": 3}), "dtype, shape and two data_offsets for each tensor, got others for 'a'"),
    "no shape": (file_of({"a": {"dtype": "F32", "data_offsets": [0, 0]}}), "dtype, shape and two data_offsets"),
    "three offsets": (file_of({"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4, 4]}}), "two data_offsets"),
    "more facts": (file_of({"a": entry(x=1)}, b"1234"), "sizes and offsets from 0 to 2^62"),
    "a size below 0": (file_of({"a": entry(shape=[-1])}, b"1234"), "sizes and offsets from 0"),
    "a size of true": (file_of({"a": entry(shape=[True])}, b"1234"), "sizes and offsets from 0"),
    "a size of 1.0": (file_of({"a": entry(shape=[1.0])}, b"1234"), "sizes and offsets from 0"),
    "a shape that is text": (file_of({"a": entry(shape="12")}, b"1234"), "sizes and offsets from 0"),
    "many dimensions": (file_of({"a": entry(shape=[1] * 33)}, b"1234"), "in at most 32 dimensions"),
    "many large dimensions": (file_of({"a": entry(shape=[2**61] * 100_000)}, b"1234"), "in at most 32 dimensions"),
    "backwards": (file_of({"a": entry(start=4, end=0)}, b"1234"), "the start before the end"),
    "another type": (file_of({"a": entry("Q4")}, b"1234"), "one of the types F64"),
    "a type that is a list": (file_of({"a": entry(["F32"])}, b"1234"), "one of the types F64"),
    "larger than its bytes": (file_of({"a": entry(shape=[2])}, b"1234"), "8 bytes for the tensor 'a', got 4"),
    "a huge claim": (file_of({"a": entry(shape=[2**40], end=2**42)}, b"1234"), "that follow each other within the fi"),
    "a product beyond counting": (file_of({"a": entry(shape=[2**61] * 32)}, b"1234"), "bytes or more for the tensor"),
    "beyond the end": (file_of({"a": entry()}, b"12"), "that follow each other within the file"),
    "overlapping": (file_of({"a": entry(), "b": entry(start=2, end=6)}, b"123456"), "that follow each other"),
    "a gap": (file_of({"a": entry(start=4, end=8)}, b"12345678"), "that follow each other"),
    "the same twice": (file_of({"a": entry(), "b": entry()}, b"1234"), "that follow each other"),
    "more behind": (file_of({"a": entry()}, b"12345"), "ends after its tensors, at 4 bytes of data, got 5"),
    "a name that turns around": (file_of({"\u202e\n\x1b[31m" * 999: 3}), "got others for"),
    "markup for a name": (file_of({"<script>alert(1)</script>": 3}), "got others for '<script>"),
    "many tensors": (file_of({f"{i}": entry(shape=[0], end=0) for i in range(20_001)}), "at most 20,000 tensors, got"),
    "a header of 17 MB": (file_of(b"{}" + b" " * (17 * 2**20)), "header of at most 16,777,216 bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("on_disk", [False, True])
def test_what_the_format_does_not_allow_is_refused(name, on_disk, tmp_path):
    raw, words = HOSTILE[name]
    (tmp_path / "a").write_bytes(raw)
    with pytest.raises(TensorFileError, match=re.escape(words)) as refusal:
        header(tmp_path / "a" if on_disk else raw)
    text = str(refusal.value)
    assert text.isprintable()
    assert len(text) < 800
    assert text.startswith("expected ")


def _through_study(raw, folder):
    (folder / "study.safetensors").write_bytes(raw)
    open_study(folder)


TRAINER = Trainer(unflatten({"dataset": "moons", "classes": 2, "samples": 20, "test_samples": 10}), "cpu")


def _through_folder(raw, folder):
    (folder / "a.safetensors").write_bytes(raw)
    open_run(folder)


READERS = {
    "film": (lambda raw, _: open_film(raw), FilmError), "study": (_through_study, StudyError),
    "state": (lambda raw, _: unpack(raw), StateError),
    "trainer": (lambda raw, _: TRAINER.load_state_bytes(raw), StateError),
    "run": (lambda raw, _: open_run(raw), NotARun), "folder": (_through_folder, NotARun),
    "inspection": (lambda raw, _: load(raw), InspectionError),
    "frame": (lambda raw, _: frames.decode(raw), frames.FrameError),
    "checkpoint": (lambda raw, _: parse(memoryview(raw), Limits()), FileRefused),
}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_refuses_each_of_them_in_one_line(reader, tmp_path):
    read, refusal = READERS[reader]
    for name, (raw, _) in HOSTILE.items():
        with pytest.raises(refusal, match="expected") as error:
            read(raw, tmp_path)
        text = str(error.value)
        assert text.isprintable(), name
        assert len(text) < 1_200, name


def test_a_state_file_of_each_kind_is_as_none(tmp_path):
    for raw, _ in HOSTILE.values():
        (tmp_path / "a").write_bytes(raw)
        assert state_file.read(tmp_path / "a") is None


def test_the_library_reads_what_is_written_and_would_say_the_same_of_it(tmp_path):
    rng = np.random.default_rng(0)
    values = {
        **VALUES, "turned": rng.random((3, 4)).T, "big-endian": np.arange(3, dtype=">i4"), "é \"\n": np.array([True]),
        **{f"of {name}": np.arange(6).reshape(3, 2).astype(name)
           for name in ("float64", "float32", "float16", "int64", "int16", "int8", "uint64", "uint16", "complex64")}}
    said = {"ü": "γ \"quoted\" \\ \n", **{f"k{i}": "x" * i for i in range(20)}}
    raw = pack(values, **said)
    places = pack_into(tmp_path / "a", values, **said)
    assert (tmp_path / "a").read_bytes() == raw == pack(values, **dict(reversed(said.items())))
    for name, value in safetensors.numpy.load(raw).items():
        np.testing.assert_array_equal(value, values[name])
    theirs = header(safetensors.numpy.save({name: np.asarray(value, order="C") for name, value in values.items()
                                            if name != "big-endian"}, said))
    own = header(raw)
    assert own.metadata == theirs.metadata
    assert {name: (place.dtype, place.shape) for name, place in own.tensors.items() if name != "big-endian"} == {
        name: (place.dtype, place.shape) for name, place in theirs.tensors.items()}
    assert {name: place.start + own.size for name, place in own.tensors.items()} == places
    assert all(places[name] % value.itemsize == 0 for name, value in values.items())
    assert begin(values, **said) == (raw[:own.size], places)


def test_large_arrays_are_written_piece_by_piece(tmp_path, monkeypatch):
    whole = pack(VALUES | {"turned": np.arange(12.0).reshape(3, 4).T})
    monkeypatch.setattr("lpc_core.files.tensors.PIECE", 5)
    pack_into(tmp_path / "a", VALUES | {"turned": np.arange(12.0).reshape(3, 4).T})
    assert (tmp_path / "a").read_bytes() == whole


def test_a_file_is_read_as_it_was_written(tmp_path):
    raw = pack(VALUES, kind="x", info='{"a": 1}')
    pack_into(tmp_path / "a", VALUES, kind="x", info='{"a": 1}')
    assert header(raw) == header(memoryview(raw)) == header(tmp_path / "a")
    found = header(raw)
    assert found.metadata == {"kind": "x", "info": '{"a": 1}'}
    assert found.info("it") == {"a": 1}
    assert {name: (place.dtype, place.shape, place.bytes) for name, place in found.tensors.items()} == {
        "a": ("uint8", (), 1), "b": ("float32", (2, 3), 24), "c": ("float64", (0, 4), 0)}
    for source in (raw, tmp_path / "a"):
        for name, value in arrays(source).items():
            np.testing.assert_array_equal(value, VALUES[name])


def test_a_header_written_here_is_read_by_the_library():
    begin, places = head([("a", "uint8", (3,)), ("b", "float32", (2,))], kind="x")
    raw = begin + b"abc" + np.array([1, 2], "<f4").tobytes()
    assert len(begin) % 64 == 0
    assert places == {"a": len(begin), "b": len(begin) + 3}
    assert header(raw) == Header({"kind": "x"}, {"a": Place("uint8", (3,), 0, 3), "b": Place("float32", (2,), 3, 11)},
                                 len(begin))
    assert {name: value.tolist() for name, value in safetensors.numpy.load(raw).items()} == {
        "a": [97, 98, 99], "b": [1, 2]}


def test_a_sparse_file_of_a_terabyte_is_looked_at_by_its_header_alone(tmp_path):
    with (tmp_path / "a").open("wb") as file:
        begin, _ = head([("a", "uint8", (2**40,))])
        file.write(begin)
        try:
            file.truncate(len(begin) + 2**40)
        except OSError:
            pytest.skip("this file system has no sparse files of that size")
    assert header(tmp_path / "a").tensors["a"].bytes == 2**40


@pytest.mark.parametrize("info", ["", "{", "[1]", "null", "NaN", "[" * 100_000])
def test_info_that_is_no_object_is_refused(info):
    for raw in (pack({}, info=info), pack({})):
        found = header(raw)
        with pytest.raises(TensorFileError, match=r"^expected the facts (in JSON|as a JSON object), got"):
            found.info("the facts")


def test_only_this_module_knows_the_format():
    """Another hand-made reader would bring other bounds."""
    own = {ROOT / "lpc_core/files/tensors.py", ROOT / "lpc_core/engine/state.py"}  # the latter: torch's tensors
    found = [path for folder in ("lpc_core", "app") for path in (ROOT / folder).rglob("*.py")
             if path not in own and re.search(r"(?m)^\s*(import|from) safetensors\b", path.read_text("utf-8"))]
    assert found == []
