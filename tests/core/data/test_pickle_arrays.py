"""The pickle reader reads what CIFAR's files hold, and refuses, without running it, whatever else a pickle can say."""

import os
import pickle
import re
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lpc_core.data import DataError
from lpc_core.data._pickle_arrays import read_pickled
from lpc_core.files.pickle_machine import MAX_OPCODES

MB = 2**20
PIXELS = np.random.default_rng(0).integers(0, 256, (3, 3072), np.uint8)
BATCH = {b"batch_label": b"training batch 1 of 5", b"labels": [6, 9, 300], b"data": PIXELS,
         b"filenames": [b"leptodactylus_pentadactylus_s_000004.png", b"camion_s_000148.png", b"x.png"]}


def read(tmp_path, content, max_bytes=64 * MB):
    path = tmp_path / "batch"
    path.write_bytes(content)
    return read_pickled(path, max_bytes)


def refused(tmp_path, content, why):
    """The content is refused with the file's name and a reason that starts with ``why``."""
    start = re.escape(f"{tmp_path / 'batch'}: expected a pickled dictionary of byte arrays and lists, got {why}")
    with pytest.raises(DataError, match=rf"^{start}.*; use the official file, or the binary version$"):
        read(tmp_path, content)


def python2_string(text):
    short = len(text) < 256
    return (b"U" + bytes([len(text)]) if short else b"T" + struct.pack("<i", len(text))) + text


def python2_batch(pixels=PIXELS, shape=None):
    """A batch as Python 2's cPickle and its NumPy wrote it: protocol 2, str everywhere."""
    rows, columns = shape or pixels.shape
    return b"".join([
        b"\x80\x02}q\x01(", python2_string(b"batch_label"), b"q\x02", python2_string(b"training batch 1 of 5"),
        b"q\x03", python2_string(b"labels"), b"q\x04]q\x05(K\x06K\x09M\x2c\x01e", python2_string(b"data"),
        b"q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85", python2_string(b"b"),
        b"\x87Rq\x09(K\x01J", struct.pack("<i", rows), b"M", struct.pack("<H", columns), b"\x86cnumpy\ndtype\nq\x0a",
        python2_string(b"u1"), b"K\x00K\x01\x87Rq\x0b(K\x03", python2_string(b"|"), b"NNN",
        b"J\xff\xff\xff\xff" * 2, b"K\x00tb\x89", python2_string(pixels.tobytes()), b"tb", python2_string(b"filenames"),
        b"r\x0c\x00\x00\x00]q\x0d(",
        python2_string(b"leptodactylus_pentadactylus_s_000004.png"), python2_string(b"camion_s_000148.png"), b"q\x0e",
        python2_string(b"x.png"), b"eu."])  # fmt: skip


def same_as_batch(content):
    assert set(content) == {"batch_label", "labels", "data", "filenames"}
    assert content["labels"] == BATCH[b"labels"]
    assert content["data"].dtype == np.uint8
    np.testing.assert_array_equal(content["data"], PIXELS)


def test_a_python_2_batch_is_read(tmp_path):
    assert pickle.loads(python2_batch(), encoding="bytes")[b"labels"] == BATCH[b"labels"]  # the stream itself is right
    content = read(tmp_path, python2_batch())
    same_as_batch(content)
    assert content["filenames"] == BATCH[b"filenames"]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("batch", [BATCH, {key.decode(): value for key, value in BATCH.items()},
                                   BATCH | {b"data": np.asfortranarray(PIXELS)}])
@pytest.mark.parametrize("module", [b"numpy._core", b"numpy.core"])
def test_a_batch_saved_again_by_python_3_is_read(tmp_path, protocol, batch, module):
    content = pickle.dumps(batch, protocol)
    if protocol < 4:  # later ones write the length of the name before it
        content = content.replace(b"numpy._core", module)
    same_as_batch(read(tmp_path, content))


class _Calls:
    """Pickles as a call of ``function`` with ``arguments``."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class _Persistent(pickle.Pickler):
    def persistent_id(self, thing):
        return "mine" if isinstance(thing, np.ndarray) else None


def persistent(path):
    with open(path, "wb") as file:
        _Persistent(file, 2).dump(BATCH)
    return path.read_bytes()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(("function", "arguments", "name"), [
    (os.system, ("touch {canary}",), "posix.system"),
    (eval, ("open('{canary}', 'w')",), "eval"),
    (exec, ("open('{canary}', 'w')",), "exec"),
    (getattr, (os, "system"), "getattr"),
    (open, ("{canary}", "w"), "open"),
    (np.load, ("{canary}",), "numpy.load"),
])
def test_a_call_is_refused_by_name_and_not_made(tmp_path, protocol, function, arguments, name):
    canary = tmp_path / "canary"
    arguments = tuple(a.format(canary=canary) if isinstance(a, str) else "os" for a in arguments)
    content = pickle.dumps(BATCH | {b"labels": _Calls(function, *arguments)}, protocol)
    with pytest.raises(DataError, match=rf"got the name '(\w+\.)*{name}', which plain data does not need;"):
        read(tmp_path, content)
    assert not canary.exists()


def test_the_calls_above_are_real(tmp_path):
    """Without this reader, the same pickles do make the canary."""
    canary = tmp_path / "canary"
    pickle.loads(pickle.dumps(_Calls(os.system, f"touch {canary}")))
    assert canary.exists()


HEAD = b"\x80\x02"
RECONSTRUCT = b"cnumpy._core.multiarray\n_reconstruct\n"
BYTE_TYPE = b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x85R"


@pytest.mark.parametrize(("content", "why"), [
    (b"", "pickle exhausted before seeing STOP"),
    (b"\xff\xd8\xff\xe0", "at position 0, opcode b'\\xff' unknown"),
    (b"Pmine\n.", "the opcode PERSID"),
    (python2_batch()[:5000], "expected 9216 bytes in a string4, but only"),
    (HEAD + b"]).", "a tuple where a dict belongs"),
    (HEAD + b".", "an empty stack"),
    (HEAD + b"a.", "an empty stack"),
    (HEAD + b"t.", "no mark"),
    (HEAD + b"h\x05.", "nothing remembered under 5"),
    (HEAD + b"q\x05.", "an empty stack"),
    (HEAD + b"}K\x01K\x02s.", "a int where a str or bytes belongs"),
    (HEAD + b"})K\x02s.", "a tuple where a str or bytes belongs"),
    (HEAD + b"}(U\x01au.", "zip() argument 2 is shorter than argument 1"),
    (HEAD + b"}" + python2_string(b"k" * 101) + b"Ns.", "a key of more than 100 characters"),
    (HEAD + b"cnumpy\nndarray\n(tR.", "a call, or an array of another type"),
    (HEAD + RECONSTRUCT + b")R.", "a call, or an array of another type"),
    (HEAD + RECONSTRUCT + b"cnumpy\nndarray\n\x85R}b.", "a dict where a tuple belongs"),
    (HEAD + b"}U\x01d" + RECONSTRUCT + b"cnumpy\nndarray\n\x85Rs.", "an array without values"),
    (HEAD + b"](tb.", "a state for a list"),
    (HEAD + b"c__main__\nThing\n)\x81.", "the name '__main__.Thing', which"),
    (HEAD + b"}(tb.", "a state for a dict"),
    (HEAD + b"}" + b"cnumpy\ndtype\n)\x81.", "the opcode NEWOBJ"),
    (HEAD + b"(cnumpy\ndtype\no.", "the opcode OBJ"),
    (HEAD + b"(ios\nsystem\n.", "the opcode INST"),
    (HEAD + b"U\x01xQ.", "the opcode BINPERSID"),
    (HEAD + b"\x82\x01.", "the opcode EXT1"),
    (HEAD + b"\x97.", "the opcode NEXT_BUFFER"),
    (HEAD + b"I" + b"9" * 5000 + b"\n.", "Exceeds the limit"),
    (HEAD + b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.", "a call, or an array"),
    (python2_batch(shape=(2**31 - 1, 3072)), "an array whose shape does not fit its data"),
    (python2_batch(shape=(-1, 3072)), "an array whose shape does not fit its data"),
    (python2_batch(shape=(2, 3072)), "an array of 6144 values in 9216 bytes"),
    (pickle.dumps({"data": np.array([None, {}], object)}, 2), "a call, or an array of another type"),
    (pickle.dumps({"data": np.arange(3.0)}, 5), "a call, or an array of another type"),
    (pickle.dumps({"labels": np.int64(3)}, 2), "the name 'numpy._core.multiarray.scalar', which"),
    (pickle.dumps({"a": {1, 2}}, 4), "the opcode EMPTY_SET"),
    (pickle.dumps(BATCH, 0), "the opcode DICT"),
    (b"S'\\d'\n.", "the opcode STRING"),  # an escape that Python itself warns of
], ids=range(38))
def test_what_is_not_plain_data_is_refused(tmp_path, content, why):
    refused(tmp_path, content, why)


def test_persistent_ids_are_refused(tmp_path):
    refused(tmp_path, persistent(tmp_path / "persistent"), "the opcode BINPERSID")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with pytest.raises(DataError, match=r"batch: expected at most 1000 bytes, got 9\d{3}; fetch the file again$"):
        read(tmp_path, python2_batch(), max_bytes=1000)


def bomb_of_copies():
    """A long string, encoded again and again from the memo."""
    text = b"X" + struct.pack("<I", MB) + b"a" * MB + b"q\x02"
    names = b"c_codecs\nencode\nq\x01" + text + b"X\x06\x00\x00\x00latin1q\x03"
    return HEAD + names + b"(" + b"h\x01h\x02h\x03\x86R" * 10_000 + b"t."


def bomb_of_nested_tuples():
    """Two to the power of a thousand leaves, when walked: hashing or printing it would never end."""
    return HEAD + b"}" + b")" + b"q\x01h\x01\x86" * 1000 + b"Ns."


@pytest.mark.parametrize(("content", "why"), [
    (bomb_of_copies(), "strings that unfold to more than the file may hold"),
    (bomb_of_nested_tuples(), "a tuple where a str or bytes belongs"),
    (HEAD + b"]" + b"\x85" * 100_000 + b".", "a tuple where a dict belongs"),
    (HEAD + b"B" + struct.pack("<I", 2**32 - 1), "expected 4294967295 bytes in a bytes4, but only 0 remain"),
    (HEAD + b"\x8e" + struct.pack("<Q", 2**62), "expected 4611686018427387904 bytes in a bytes8, but only 0 remain"),
    (HEAD + b"\x8b" + struct.pack("<i", 2**30) + b"\1", "not enough data in stream to read long4"),
], ids=["copies", "tuples", "depth", "4 GB", "4 EB", "long"])
def test_bombs_cost_little(tmp_path, content, why):
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=re.escape(why)):
            read(tmp_path, content)
        assert tracemalloc.get_traced_memory()[1] < 100 * MB
    finally:
        tracemalloc.stop()


def test_a_file_of_endless_opcodes_is_given_up(tmp_path):
    refused(tmp_path, HEAD + b"]" * (MAX_OPCODES + 10) + b".", f"more than {MAX_OPCODES} opcodes")


@given(st.sampled_from([python2_batch(PIXELS[:, :4]), *(pickle.dumps(BATCH | {b"data": PIXELS[:, :4]}, p)
                                                        for p in (2, 3, 4, 5))]), st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_gives_a_dictionary_or_an_error(tmp_path, content, data):
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del damaged[data.draw(st.integers(1, len(content))):]
    try:
        content = read(tmp_path, bytes(damaged))
    except DataError:
        return
    assert isinstance(content, dict)
