"""safetensors files: headers read with bounds, and whole files written, at once or piece by piece.

8 bytes of header length, a JSON header with a type, a shape and two offsets for each tensor, then the values. What the
format demands is demanded here (tensors follow each other without gaps or overlaps and fill the file), and the header's
size is looked at before it is parsed. Values are read by the library safetensors itself; they are written here,
twice as fast for the small ones of a frame, and as the same bytes every time.
https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from lpc_core.files.plain_json import dumps, loads
from lpc_core.files.words import amount, printable, refused

MAX_HEADER = 16 * 2**20  # bytes; 20,000 tensors need about 3 MB
MAX_TENSORS = 20_000
MAX_DIMENSIONS = 32
PIECE = 32 * 2**20  # bytes that are turned over and written at once
ALIGNMENT = 64  # bytes; where values begin behind a header written here, so that views of them are aligned
TYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn",
         "F8_E5M2": "float8_e5m2", "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U64": "uint64",
         "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool", "C64": "complex64"}  # fmt: skip
CODES = {name: code for code, name in TYPES.items()}
_BEYOND_NUMPY = {"bfloat16": 2, "float8_e4m3fn": 1, "float8_e5m2": 1}
ITEM_BYTES = {name: _BEYOND_NUMPY.get(name) or np.dtype(name).itemsize  # torch's names of the types that are read
              for name in (*TYPES.values(), "complex128")}

Arrays = dict[str, np.ndarray]


class TensorFileError(ValueError):
    """Bytes that are no whole safetensors file; one line says what was expected, what was found and what to do."""


def _refusal(expected: str, got: str, do: str = "save or copy the file again") -> TensorFileError:
    return TensorFileError(refused(expected, got, do))


@dataclass(frozen=True)
class Place:
    """One tensor: its type by torch's name, its shape, and the bytes behind the header that it takes."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def bytes(self) -> int:
        """Of all its values."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


@dataclass(frozen=True)
class Header:
    """What a file says before its values."""

    metadata: dict[str, str]
    tensors: dict[str, Place]  # in the order of their bytes
    size: int  # bytes before the values

    def info(self, what: str) -> dict[str, Any]:
        """The JSON object under "info", as the lab's own files have one; ``what`` it tells is named in errors."""
        found = _loaded(self.metadata.get("info", ""), what)
        if not isinstance(found, dict):
            raise _refusal(f"{what} as a JSON object", f"a {type(found).__name__}")
        return found


# ---- reading -----------------------------------------------------------------------------------------------------


def header(source: bytes | memoryview | Path, most: int = MAX_HEADER, tensors: int = MAX_TENSORS) -> Header:
    """The header of a file or of its bytes, checked against the bytes there are. Values are not looked at.

    Raises `TensorFileError` for whatever the format does not allow, a header of more than ``most`` bytes and more than
    ``tensors`` tensors; `OSError` for a file that cannot be read.
    """
    if not isinstance(source, Path):
        return _parsed(source, len(source), most, tensors)
    with source.open("rb") as file:
        first = file.read(8)
        first += file.read(min(int.from_bytes(first, "little"), most))
        return _parsed(first, os.fstat(file.fileno()).st_size, most, tensors)


def arrays(source: bytes | Path) -> Arrays:
    """All tensors of a file or of its bytes; `TensorFileError` for what is none, or has types that NumPy lacks."""
    try:
        return safetensors.numpy.load(source) if isinstance(source, bytes) else safetensors.numpy.load_file(source)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise _refusal("a whole safetensors file of NumPy's types", f"another ({printable(error)})") from None


def _loaded(text: str, what: str) -> Any:
    try:
        return loads(text, what, len(text))
    except ValueError as error:
        raise TensorFileError(str(error)) from None


def _parsed(raw: bytes | memoryview, size: int, most: int, tensors: int) -> Header:
    """The header at the beginning of ``raw``, of a file of ``size`` bytes."""
    length = int.from_bytes(raw[:8], "little")
    if size < 8 or length > size - 8:
        raise _refusal("a safetensors file with its whole header",
                       f"a header of {amount(length)} in a file of {size:,}")
    if length > most:
        raise _refusal(f"a safetensors header of at most {most:,} bytes", amount(length), "save fewer tensors")
    entries = _entries(bytes(raw[8 : 8 + length]))
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _refusal("texts in the safetensors metadata", "other values")
    if len(entries) > tensors:
        raise _refusal(f"at most {tensors:,} tensors", f"{len(entries):,}", "save fewer of them")
    places = sorted(((name, _place(name, entry)) for name, entry in entries.items()),
                    key=lambda item: (item[1].start, item[1].end))
    _check_places(places, size - 8 - length)
    return Header(metadata, dict(places), 8 + length)


def _entries(text: bytes) -> dict[str, Any]:
    if not text.startswith(b"{"):
        raise _refusal("a safetensors header that begins with {", printable(repr(text[:8])))
    try:
        found: dict[str, Any] = _loaded(text.decode("utf-8"), "a safetensors header")
    except UnicodeDecodeError:
        raise _refusal("a safetensors header in JSON", "text that is not UTF-8") from None
    return found


def _place(name: str, entry: Any) -> Place:
    """Type, shape and offsets of one tensor, well formed."""
    named = f"for {name[:60]!r}"
    try:
        code, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    except (KeyError, TypeError, ValueError):
        raise _refusal("dtype, shape and two data_offsets for each tensor", f"others {named}") from None
    sizes = (*shape[:MAX_DIMENSIONS], start, end)
    if len(entry) != 3 or len(shape) > MAX_DIMENSIONS or not all(map(is_size, sizes)) or start > end:
        raise _refusal(f"sizes and offsets from 0 to 2^62 in at most {MAX_DIMENSIONS} dimensions, the start before the "
                       "end", f"others {named}")
    if not isinstance(code, str) or code not in TYPES:
        raise _refusal(f"one of the types {', '.join(TYPES)}", f"{printable(repr(code))} {named}",
                       "convert the tensor before saving")
    return Place(TYPES[code], shape, start, end)


def _check_places(places: Iterable[tuple[str, Place]], size: int) -> None:
    """Refuse tensors that do not fill the ``size`` bytes of the data one after the other."""
    position = 0
    for name, place in places:
        named, found = f"{name[:60]!r}", place.end - place.start
        if place.start != position or place.end > size:
            raise _refusal("tensors that follow each other within the file", f"bytes {place.start:,} to {place.end:,} "
                           f"after {position:,} of {size:,} for {named}")
        if found != place.bytes:
            raise _refusal(f"{amount(place.bytes)} for the tensor {named}", f"{found:,}")
        position = place.end
    if position != size:
        raise _refusal(f"a file that ends after its tensors, at {position:,} bytes of data", f"{size:,}")


def is_size(number: object) -> bool:
    """Whether this is a whole number that a size or an offset can be."""
    return type(number) is int and 0 <= number < 2**62


# ---- writing -----------------------------------------------------------------------------------------------------


def pack(values: Mapping[str, np.ndarray], **metadata: str) -> bytes:
    """``values`` and ``metadata`` as the bytes of a file: equal ones of equal contents."""
    start, places = begin(values, **metadata)
    return b"".join([start, *(_little(values[name]).data for name in places)])


def pack_into(path: Path, values: Mapping[str, np.ndarray], **metadata: str) -> dict[str, int]:
    """The same into the file ``path``, piece by piece: no second copy of large arrays, whatever their order in memory.

    Returns the byte at which each of them begins.
    """
    start, places = begin(values, **metadata)
    with path.open("wb") as file:
        file.write(start)
        for name in places:
            for piece in _pieces(values[name]):
                file.write(_little(piece).data)
    return places


def begin(values: Mapping[str, np.ndarray], **metadata: str) -> tuple[bytes, dict[str, int]]:
    """The header of the file that `pack` makes, and the byte of the file at which each of ``values`` will begin.

    Those of large items come first, as in the library's own files: views of all of them are aligned.
    """
    order = sorted(values, key=lambda name: (-values[name].itemsize, name))
    return head(((name, _name_of(values[name].dtype), values[name].shape) for name in order),
                **dict(sorted(metadata.items())))


@functools.cache
def _name_of(dtype: np.dtype[Any]) -> str:
    """NumPy works this out anew each time, and that took half of the time of a small file."""
    return dtype.name


def _pieces(array: np.ndarray) -> Iterator[np.ndarray]:
    rows = array.reshape(1) if array.ndim == 0 else array
    size = max(1, PIECE // max(1, rows[:1].nbytes))
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _little(array: np.ndarray) -> np.ndarray:
    """The same values, little-endian, in C order."""
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def head(tensors: Iterable[tuple[str, str, Sequence[int]]], **metadata: str) -> tuple[bytes, dict[str, int]]:
    """What a file begins with whose values follow: the header of ``tensors`` (name, dtype, shape), in this order.

    Also the byte of the file at which each of them begins.
    """
    entries: dict[str, Any] = {"__metadata__": metadata}
    starts: dict[str, int] = {}
    end = 0
    for name, dtype, shape in tensors:
        starts[name], end = end, end + math.prod(shape) * ITEM_BYTES[dtype]
        entries[name] = {"dtype": CODES[dtype], "shape": shape, "data_offsets": (starts[name], end)}
    text = dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text, {name: 8 + len(text) + start for name, start in starts.items()}
