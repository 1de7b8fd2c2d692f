"""IDX files of unsigned bytes (LeCun's MNIST format), plain or gzipped, checked before anything is allocated."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from lpc_core.data._base import DataError
from lpc_core.data._files import refuse_impostor
from lpc_core.files.impostors import GZIP

MAX_ITEMS = 100_000
UNSIGNED_BYTE = 8  # IDX type code


def read_idx(path: Path, item_shape: tuple[int, ...]) -> np.ndarray:
    """Return the items of an IDX file, (N, *item_shape) uint8, read-only.

    Raises `DataError` naming the file, what was expected and what was found, for a wrong magic number or shape and
    for a file that is cut short, damaged or longer than its header says.
    """
    try:
        refuse_impostor(path)
        with open(path, "rb") as raw:
            zipped = raw.read(2) == GZIP
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) if zipped else raw as stream:
                return _read_items(path, stream, item_shape, None if zipped else path.stat().st_size)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, "a readable IDX file", f"{type(error).__name__}: {error}") from error


def _read_items(path: Path, stream: BufferedIOBase, item_shape: tuple[int, ...], size: int | None) -> np.ndarray:
    shape = _read_shape(path, stream, item_shape)
    header, body = 4 * (len(shape) + 1), math.prod(shape)  # bytes
    if size is not None and size != header + body:
        raise _damaged(path, f"{header + body} bytes for {shape[0]} items", f"{size} bytes")
    data = stream.read(body)
    if len(data) != body or stream.read(1):  # the second read also makes gzip verify its checksum
        raise _damaged(path, f"{body} bytes for {shape[0]} items", "fewer" if len(data) < body else "more")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _read_shape(path: Path, stream: BufferedIOBase, item_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Read and check the header: magic number, then one big-endian length per axis."""
    ndim = 1 + len(item_shape)
    wanted, header = bytes([0, 0, UNSIGNED_BYTE, ndim]), stream.read(4 * (ndim + 1))
    if header[:4] != wanted:
        raise _damaged(path, f"magic number {wanted.hex()}", header[:4].hex() or "an empty file")
    if len(header) != 4 * (ndim + 1):
        raise _damaged(path, f"a header of {4 * (ndim + 1)} bytes", f"{len(header)} bytes")
    shape = struct.unpack(f">{ndim}I", header[4:])
    if shape[1:] != item_shape or not 1 <= shape[0] <= MAX_ITEMS:
        raise _damaged(path, f"1 to {MAX_ITEMS} items of shape {item_shape}", f"shape {shape}")
    return shape


def _damaged(path: Path, expected: str, got: str) -> DataError:
    return DataError(f"{path}: expected {expected}, got {got}; fetch the file again")
