"""Numeric arrays from MATLAB 5 files, plain or compressed: the few element types they need and nothing else.

A MAT file may hold objects, function handles and nested cells; none of them is looked at here, only skipped by its
length. Every length is checked before anything is read, and what a compressed element unpacks to is bounded.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lpc_core.data._base import DataError
from lpc_core.data._files import refuse_impostor

HEADER = 128  # bytes: a text, and at the end the version and the byte order
MATRIX, COMPRESSED = 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}  # element types of plain numbers
NUMERIC = range(6, 14)  # array classes double to uint32


def read_mat(path: Path, names: Sequence[str], max_bytes: int) -> dict[str, np.ndarray]:
    """The numeric arrays called ``names`` in a MATLAB 5 file, read-only, in MATLAB's shapes.

    Raises `DataError` naming the file, what was expected and what was found, for any other file, a damaged one, one
    without all the names, and one with an element of more than ``max_bytes``.
    """
    refuse_impostor(path)
    found: dict[str, np.ndarray] = {}
    try:
        with path.open("rb") as stream:
            order = _byte_order(stream.read(HEADER))
            for body in _matrices(stream, order, path.stat().st_size, max_bytes):
                parts = _Elements(body, order)
                name, shape, numeric = parts.describe()
                if name in names and numeric:
                    found[name] = parts.numbers(shape)
    except (ValueError, OSError, zlib.error, struct.error) as error:  # ours are ValueErrors, and those of NumPy
        raise DataError(f"{path}: expected a MATLAB 5 file of plain numbers, got {error}; fetch the file again") \
            from None
    if missing := [name for name in names if name not in found]:
        raise DataError(f"{path}: expected arrays {', '.join(names)}, got a file without {', '.join(missing)}; fetch "
                        "the file again")
    return found


def _byte_order(header: bytes) -> str:
    """"<" or ">"; `ValueError` for what is no MATLAB 5 file."""
    order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
    if header[:8] == b"\x89HDF\r\n\x1a\n" or header.startswith(b"MATLAB 7.3"):
        raise ValueError("one of MATLAB 7.3 (HDF5)")
    if len(header) != HEADER or order is None or header[124:126] not in (b"\x00\x01", b"\x01\x00"):
        raise ValueError("another kind of file")
    return order


def _matrices(stream: BinaryIO, order: str, size: int, max_bytes: int) -> Iterator[memoryview]:
    """The bodies of the file's arrays, one after the other, unpacked."""
    while tag := stream.read(8):
        kind, count = struct.unpack(f"{order}II", tag)
        if count > size - stream.tell():
            raise ValueError(f"an element of {count:,} bytes where {size - stream.tell():,} are left")
        if kind not in (MATRIX, COMPRESSED):
            raise ValueError(f"an element of type {kind} outside of an array")
        if count > max_bytes:
            raise ValueError(f"an array of {count:,} bytes, more than {max_bytes:,}")
        data = stream.read(count)
        yield _unpacked(data, order, max_bytes) if kind == COMPRESSED else memoryview(data)


def _unpacked(data: bytes, order: str, max_bytes: int) -> memoryview:
    engine = zlib.decompressobj()
    plain = engine.decompress(data, max_bytes + 8)
    if not engine.eof:
        raise ValueError(f"one that is cut short, or an array that unpacks to more than {max_bytes:,} bytes")
    kind, count = struct.unpack_from(f"{order}II", plain)
    if kind != MATRIX or count != len(plain) - 8:
        raise ValueError(f"a compressed element of type {kind} and {count:,} bytes in {len(plain) - 8:,}")
    return memoryview(plain)[8:]


class _Elements:
    """The elements inside an array, one after the other."""

    def __init__(self, body: memoryview, order: str) -> None:
        self._body, self._order, self._at = body, order, 0

    def next(self) -> tuple[int, memoryview]:
        """Type and bytes of the next one; up to four bytes may lie in the tag itself."""
        first, count = struct.unpack_from(f"{self._order}II", self._body, self._at)
        start, kind = self._at + 8, first
        if first >> 16:
            kind, count, start = first & 0xFFFF, first >> 16, self._at + 4
            if count > 4:
                raise ValueError(f"a small element of {count} bytes")
        if start + count > len(self._body):
            raise ValueError(f"an element of {count:,} bytes that ends after its array")
        self._at = start + 4 if first >> 16 else start + count + -count % 8
        return kind, self._body[start : start + count]

    def describe(self) -> tuple[str, tuple[int, ...], bool]:
        """The array's name and shape, and whether it holds real numbers."""
        flags, dims, name = (self.next()[1] for _ in range(3))
        first, *_ = struct.unpack(f"{self._order}{len(flags) // 4}I", flags)
        shape = struct.unpack(f"{self._order}{len(dims) // 4}i", dims)
        if len(shape) > 8 or any(side < 0 for side in shape):
            raise ValueError(f"an array of shape {shape[:8]}")
        return bytes(name[:64]).decode("ascii"), shape, (first & 0xFF) in NUMERIC and not first & 0x800

    def numbers(self, shape: tuple[int, ...]) -> np.ndarray:
        """The array itself."""
        kind, data = self.next()
        if kind not in NUMBERS:
            raise ValueError(f"numbers of type {kind}")
        values = np.frombuffer(data, np.dtype(self._order + NUMBERS[kind]))
        if len(values) != math.prod(shape):
            raise ValueError(f"{len(values):,} numbers for shape {shape}")
        return values.reshape(shape, order="F")
