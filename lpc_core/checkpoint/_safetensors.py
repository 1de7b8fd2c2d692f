"""safetensors files: the header is checked against the bytes there are, and nothing is copied.

8 bytes of header length, a JSON header with a type, a shape and two offsets for each tensor, then the values. What the
format demands is demanded here (tensors follow each other without gaps or overlaps and fill the file), with bounds on
the header's size before it is parsed. https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

from typing import Any

from lpc_core.checkpoint._base import Limits, printable, refusal
from lpc_core.checkpoint._message import (
    View,
    amount,
    check_json,
    check_total,
    check_view,
    is_size,
    printable_name,
    row_major,
)

MAX_HEADER = 16 * 2**20  # bytes; 20,000 tensors need about 3 MB
AGAIN = "save or copy the file again"
TYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn",
         "F8_E5M2": "float8_e5m2", "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U64": "uint64",
         "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool", "C64": "complex64"}  # fmt: skip

Parsed = tuple[dict[str, str], list[View], list[memoryview]]


def looks_like(raw: memoryview) -> bool:
    """Whether the file begins as a safetensors file does: a length and a brace."""
    return len(raw) >= 9 and raw[8] == ord("{") and int.from_bytes(raw[:8], "little") < 2**40


def parse(raw: memoryview, limits: Limits, *, max_header: int = MAX_HEADER) -> Parsed:
    """Metadata, views (each of a storage of its own) and those storages, which share the file's memory.

    Raises `FileRefused` for whatever the format does not allow.
    """
    length = int.from_bytes(raw[:8], "little")
    if len(raw) < 8 or length > len(raw) - 8:
        raise refusal("a safetensors file with its whole header", f"a header of {amount(length)} in a file of "
                      f"{len(raw):,}", AGAIN)
    if length > max_header:
        raise refusal(f"a safetensors header of at most {max_header:,} bytes", amount(length), "save fewer tensors")
    header = check_json(_header_text(raw, length), max_header, "a safetensors header")
    if not isinstance(header, dict):
        raise refusal("a safetensors header that is an object", f"a {type(header).__name__}", AGAIN)
    metadata = _checked_metadata(header.pop("__metadata__", {}))
    if len(header) > limits.tensors:
        raise refusal(f"at most {limits.tensors:,} tensors", f"{len(header):,}", "save fewer of them")
    views, storages = _views(header, raw[8 + length :])
    check_total(sum(view.bytes for view in views), limits)
    return metadata, views, storages


def _header_text(raw: memoryview, length: int) -> bytes:
    text = bytes(raw[8 : 8 + length])
    if not text.startswith(b"{"):
        raise refusal("a safetensors header that begins with {", printable(repr(text[:8])), AGAIN)
    return text


def _checked_metadata(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise refusal("texts in the safetensors metadata", "other values", AGAIN)
    return given


def _views(header: dict[str, Any], data: memoryview) -> tuple[list[View], list[memoryview]]:
    """Every tensor, after its place was checked: in order of offsets they must fill the data without a gap."""
    places = {name: _place(name, entry) for name, entry in header.items()}
    views, storages, position = [], [], 0
    for name, (dtype, shape, start, end) in sorted(places.items(), key=lambda item: item[1][2:]):
        if start != position or end > len(data):
            raise refusal("tensors that follow each other within the file", f"bytes {start:,} to {end:,} after "
                          f"{position:,} of {len(data):,} for {printable_name(name)}", AGAIN)
        view = View(name, dtype, shape, row_major(shape), len(views))
        if end - start != view.bytes:
            raise refusal(f"{amount(view.bytes)} for the tensor {printable_name(name)}", f"{end - start:,}", AGAIN)
        check_view(view, end - start)
        views.append(view)
        storages.append(data[start:end])
        position = end
    if position != len(data):
        raise refusal(f"a file that ends after its tensors, at {position:,} bytes of data", f"{len(data):,}", AGAIN)
    return views, storages


def _place(name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    """Type, shape and offsets of one tensor, well formed."""
    try:
        kind, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    except (KeyError, TypeError, ValueError):
        raise refusal("dtype, shape and two data_offsets for each tensor", f"others for {printable_name(name)}",
                      AGAIN) from None
    if len(entry) != 3 or not all(map(is_size, (*shape, start, end))) or start > end:
        raise refusal("sizes and offsets from 0 to 2^62, the start before the end",
                      f"others for {printable_name(name)}", AGAIN)
    if kind not in TYPES:
        raise refusal(f"one of the types {', '.join(TYPES)}", f"{printable(repr(kind))} for {printable_name(name)}",
                      "convert the tensor before saving")
    return TYPES[kind], shape, start, end
