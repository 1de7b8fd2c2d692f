"""Dictionaries of byte arrays and lists from a pickle, without running it.

`Machine` interprets the opcodes that build plain data; here are the six NumPy and codec names that arrays of unsigned
bytes need, which stand for themselves and are never imported. Any other name is refused, as are arrays of other
types. The file's size is bounded, and keys are strings only (hashing nested tuples can take for ever).
"""

from __future__ import annotations

import enum
import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from lpc_core.data._base import DataError
from lpc_core.files.pickle_machine import Machine, typed, unknown_name

MAX_KEY = 100  # characters; decoding a key copies it, which a long one in many dictionaries would make expensive


def read_pickled(path: Path, max_bytes: int) -> dict[str, Any]:
    """Return the dictionary in a pickle file: byte arrays as uint8 (read-only), lists, strings and bytes as they are.

    Raises `DataError` for a file larger than ``max_bytes``, and for anything but plain data in it.
    """
    if (size := path.stat().st_size) > max_bytes:
        raise DataError(f"{path}: expected at most {max_bytes} bytes, got {size}; fetch the file again")
    try:
        content = typed(_ByteArrays(max_bytes).run(io.BytesIO(path.read_bytes())), dict)
        return {key: _finished(value) for key, value in content.items()}
    except ValueError as error:  # ours, and those of genops
        raise DataError(f"{path}: expected a pickled dictionary of byte arrays and lists, got {str(error)[:200]}; "
                        "use the official file, or the binary version") from error


# The global names that an array of bytes is pickled with. None of them is ever looked up.
_Known = enum.Enum("_Known", "NDARRAY DTYPE RECONSTRUCT FROM_BUFFER ENCODE BYTE")  # the last: numpy.dtype('u1')
_NAMES = {
    ("numpy", "ndarray"): _Known.NDARRAY,
    ("numpy", "dtype"): _Known.DTYPE,
    ("numpy.core.multiarray", "_reconstruct"): _Known.RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _Known.RECONSTRUCT,
    ("numpy.core.numeric", "_frombuffer"): _Known.FROM_BUFFER,
    ("numpy._core.numeric", "_frombuffer"): _Known.FROM_BUFFER,
    ("_codecs", "encode"): _Known.ENCODE,
}


class _Array:
    """Stands for an array; ``values`` is None until the pickle has said what is in it."""

    def __init__(self, values: np.ndarray | None = None) -> None:
        self.values = values


class _ByteArrays(Machine):
    """A machine that knows arrays of unsigned bytes."""

    def named(self, module: str, name: str) -> _Known:
        """A name stands for itself, if it is one of those that arrays of bytes need."""
        if (module, name) not in _NAMES:
            raise unknown_name(module, name)
        return _NAMES[module, name]

    def called(self, known: Any, arguments: tuple[Any, ...]) -> Any:
        """An array, its type, or bytes: what the calls we know would have given."""
        if known is _Known.RECONSTRUCT and arguments and arguments[0] is _Known.NDARRAY:
            return _Array()
        if known is _Known.DTYPE and arguments and arguments[0] in ("u1", b"u1"):
            return _Known.BYTE
        if known is _Known.FROM_BUFFER and len(arguments) == 4:
            buffer, kind, shape, order = arguments
            return _Array(_array(buffer, kind, shape, order == "F"))
        if known is _Known.ENCODE and len(arguments) == 2 and arguments[1] == "latin1":
            return self.encoded(typed(arguments[0], str))
        raise ValueError("a call, or an array of another type than unsigned bytes")

    def built(self, target: Any, state: Any) -> Any:
        """The state of an array; that of a byte type says nothing we need (bytes have no byte order)."""
        typed(state, tuple)
        if isinstance(target, _Array) and len(state) == 5:
            _, shape, kind, fortran, data = state
            target.values = _array(data, kind, shape, fortran in (True, 1))
        elif target is not _Known.BYTE:
            raise ValueError(f"a state for a {type(target).__name__}")
        return target

    def key(self, key: Any) -> str:
        """A short string; that of Python 2 is decoded."""
        if len(typed(key, str, bytes)) > MAX_KEY:
            raise ValueError(f"a key of more than {MAX_KEY} characters")
        return key if isinstance(key, str) else key.decode("latin1")


def _finished(value: Any) -> Any:
    if not isinstance(value, _Array):
        return value
    if value.values is None:
        raise ValueError("an array without values")
    return value.values


def _array(data: Any, kind: Any, shape: Any, fortran: bool) -> np.ndarray:
    """View ``data`` as an array of bytes; the shape is checked against it, so nothing is allocated."""
    typed(data, bytes, bytearray)
    if kind is not _Known.BYTE:
        raise ValueError("an array of another type than unsigned bytes")
    if len(typed(shape, tuple)) > 4 or not all(isinstance(n, int) and 0 <= n <= len(data) for n in shape):
        raise ValueError("an array whose shape does not fit its data")
    if math.prod(shape) != len(data):
        raise ValueError(f"an array of {math.prod(shape)} values in {len(data)} bytes")
    return np.frombuffer(data, np.uint8).reshape(shape, order="F" if fortran else "C")
