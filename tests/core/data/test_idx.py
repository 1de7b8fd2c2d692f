"""The IDX reader takes what is whole and names what is not."""

import gzip
import re
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lpc_core.data import DataError
from lpc_core.data._idx import read_idx

ITEMS = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


def idx(array, magic=None, shape=None):
    shape = array.shape if shape is None else shape
    return (magic or bytes([0, 0, 8, len(shape)])) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_was_written_is_read(tmp_path, pack):
    path = tmp_path / "items"
    path.write_bytes(pack(idx(ITEMS)))
    items = read_idx(path, (4, 5))
    assert items.dtype == np.uint8
    np.testing.assert_array_equal(items, ITEMS)


GOOD, HUGE = idx(ITEMS), (2**32 - 1, 4, 5)
PACKED = gzip.compress(GOOD, mtime=0)


@pytest.mark.parametrize(("content", "found"), [
    (b"", "an empty file; copy or download it again"),
    (b"<!DOCTYPE html><html>403</html>", "a web page; fetch the file"),
    (gzip.compress(b"<!DOCTYPE html>", mtime=0), "a web page, gzipped; fetch the file"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a Git-LFS pointer in place of the file"),
])
def test_what_lies_in_the_file_s_place_is_named(tmp_path, content, found):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"^{re.escape(f'{path}: expected a data file, got {found}')}"):
        read_idx(path, (4, 5))


@pytest.mark.parametrize(("content", "problem"), [
    (b"\x80\x02}q", "expected magic number 00000803, got 80027d71"),
    (idx(ITEMS, magic=b"\0\0\x0d\x03"), "expected magic number 00000803, got 00000d03"),
    (idx(ITEMS[:, 0, 0]), "expected magic number 00000803, got 00000801"),
    (GOOD[:9], "expected a header of 16 bytes, got 9 bytes"),
    (idx(ITEMS.reshape(3, 5, 4)), "expected 1 to 100000 items of shape (4, 5), got shape (3, 5, 4)"),
    (idx(ITEMS[:0]), "expected 1 to 100000 items of shape (4, 5), got shape (0, 4, 5)"),
    (idx(ITEMS, shape=HUGE), "expected 1 to 100000 items of shape (4, 5), got shape (4294967295, 4, 5)"),
    (GOOD[:-1], "expected 76 bytes for 3 items, got 75 bytes"),
    (GOOD + b"!", "expected 76 bytes for 3 items, got 77 bytes"),
    (gzip.compress(GOOD[:-1], mtime=0), "expected 60 bytes for 3 items, got fewer"),
    (gzip.compress(GOOD + b"!", mtime=0), "expected 60 bytes for 3 items, got more"),
    (PACKED[:-9], "expected a readable IDX file, got EOFError: Compressed file ended before"),
    (PACKED[:-8] + bytes(8), "expected a readable IDX file, got BadGzipFile: CRC check failed"),
    (PACKED[:10] + b"\xff" * 40, "expected a readable IDX file, got error: Error -3 while decompressing"),
])
def test_errors_name_the_file_what_was_expected_and_what_was_found(tmp_path, content, problem):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"^{re.escape(f'{path}: {problem}')}.*; fetch the file again$"):
        read_idx(path, (4, 5))


def test_a_gzip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(GOOD + bytes(50_000_000), mtime=0))
    with pytest.raises(DataError, match="expected 60 bytes for 3 items, got more"):
        read_idx(path, (4, 5))


@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_gives_the_items_or_an_error(tmp_path, where, change):
    content = bytearray(PACKED)
    content[where] ^= change
    path = tmp_path / "items.gz"
    path.write_bytes(content)
    problem = None
    try:
        np.testing.assert_array_equal(read_idx(path, (4, 5)), ITEMS)  # a change in gzip's own header may do no harm
    except DataError as error:
        problem = str(error)
    assert problem is None or problem.startswith(f"{path}: expected ")
