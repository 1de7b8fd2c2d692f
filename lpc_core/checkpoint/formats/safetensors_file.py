"""safetensors files: what `lpc_core.files.tensors` found in a header, as views of the file's own memory."""

from __future__ import annotations

from lpc_core.checkpoint._base import FileRefused, Limits
from lpc_core.checkpoint._message import View, check_total, check_view, row_major
from lpc_core.files.tensors import MAX_HEADER, TensorFileError, header

Parsed = tuple[dict[str, str], list[View], list[memoryview]]


def looks_like(raw: memoryview) -> bool:
    """Whether the file begins as a safetensors file does: a length and a brace."""
    return len(raw) >= 9 and raw[8] == ord("{") and int.from_bytes(raw[:8], "little") < 2**40


def parse(raw: memoryview, limits: Limits, *, max_header: int = MAX_HEADER) -> Parsed:
    """Metadata, views (each of a storage of its own) and those storages, which share the file's memory.

    Raises `FileRefused` for whatever the format does not allow.
    """
    try:
        found = header(raw, max_header, limits.tensors)
    except TensorFileError as error:
        raise FileRefused(str(error)) from None
    places, data = found.tensors.values(), raw[found.size :]
    views = [View(name, place.dtype, place.shape, row_major(place.shape), number)
             for number, (name, place) in enumerate(found.tensors.items())]
    for view, place in zip(views, places, strict=True):
        check_view(view, place.bytes)
    check_total(sum(view.bytes for view in views), limits)
    return found.metadata, views, [data[place.start : place.end] for place in places]
