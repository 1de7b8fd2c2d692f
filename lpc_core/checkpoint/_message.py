"""What the reading process finds in a file, as plain data, and the checks that everything passes on its way in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import FileRefused, Limits, refusal
from lpc_core.files.plain_json import loads, repeated
from lpc_core.files.tensors import ITEM_BYTES, MAX_DIMENSIONS, is_size
from lpc_core.files.words import amount, printable

NO_NUMPY: dict[str, np.dtype] = {
    "bfloat16": np.dtype("<u2"), "float8_e4m3fn": np.dtype("u1"), "float8_e5m2": np.dtype("u1")}
MAX_NAME = 500  # characters
GRAPHS = ("onnx", "torch.export")  # formats whose graphs call the tensors by the names they have

Buffer = memoryview | bytes | bytearray | np.ndarray


@dataclass(frozen=True)
class View:
    """One tensor: which values of which storage it shows. Offset and strides count elements."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    storage: int
    offset: int = 0

    @property
    def bytes(self) -> int:
        """Of all its values, written out."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


@dataclass(frozen=True, eq=False)
class Message:
    """What a file is: ``kind`` "checkpoint", "embeddings", "film" or "tree", its facts as JSON values, its tensors."""

    kind: str
    facts: dict[str, Any]
    views: list[View] = field(default_factory=list)
    storages: list[Buffer] = field(default_factory=list)

    @classmethod
    def of_arrays(cls, kind: str, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> Message:
        """A message whose tensors are ``arrays``, each a storage of its own."""
        little = {name: little_endian(array) for name, array in arrays.items()}
        views = [View(name, array.dtype.name, array.shape, row_major(array.shape), number)
                 for number, (name, array) in enumerate(little.items())]
        return cls(kind, facts, views, [array.reshape(-1).view(np.uint8) for array in little.values()])

    def arrays(self) -> dict[str, np.ndarray]:
        """The tensors as NumPy arrays that share the storages' memory; bfloat16 and the like as raw integers."""
        return {view.name: array_of(self.storages[view.storage], view) for view in self.views}


def size_of(storage: Buffer) -> int:
    """Its bytes."""
    return len(storage) if isinstance(storage, bytes | bytearray) else storage.nbytes


def little_endian(array: np.ndarray) -> np.ndarray:
    """``array`` contiguous and little-endian; copied only if it is not."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))


def row_major(shape: Iterable[int]) -> tuple[int, ...]:
    """Strides of a contiguous tensor, in elements."""
    strides, step = [], 1
    for size in reversed(tuple(shape)):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def numpy_type(dtype: str) -> np.dtype:
    """The NumPy type of the same bytes; raw integers for the types NumPy doesn't have."""
    return NO_NUMPY[dtype] if dtype in NO_NUMPY else np.dtype(dtype).newbyteorder("<")


def array_of(storage: Buffer, view: View) -> np.ndarray:
    """The values of ``view`` without a copy. The view must have been checked."""
    kind = numpy_type(view.dtype)
    if 0 in view.shape:
        return np.empty(view.shape, kind)
    whole = np.frombuffer(storage, np.uint8)
    if view.strides == row_major(view.shape):
        start = view.offset * kind.itemsize
        return whole[start : start + view.bytes].view(kind).reshape(view.shape)
    last = view.offset + sum((size - 1) * step for size, step in zip(view.shape, view.strides, strict=True))
    used = whole[view.offset * kind.itemsize : (last + 1) * kind.itemsize].view(kind)
    strides = tuple(step * kind.itemsize for step in view.strides)
    return np.lib.stride_tricks.as_strided(used, view.shape, strides)


def check_views(views: list[View], storages: Sequence[Buffer], limits: Limits) -> None:
    """Refuse views that show more than their storage holds, and too many or too large ones."""
    if len(views) > limits.tensors:
        raise refusal(f"at most {limits.tensors:,} tensors", f"{len(views):,}", "save fewer of them")
    if again := repeated([view.name for view in views]):
        raise refusal("each tensor name once", f"{printable_name(again[0])} twice", "save the file again")
    total = 0
    for view in views:
        if view.storage >= len(storages):
            raise refusal("tensors in storages that the file has", f"a missing one for {printable_name(view.name)}",
                          "save the file again")
        check_view(view, size_of(storages[view.storage]))
        total += view.bytes
    check_total(total, limits)


def check_total(total: int, limits: Limits) -> None:
    """Refuse a file whose arrays take ``total`` bytes, if that is more than they may."""
    if total > limits.tensor_bytes:
        raise refusal(f"arrays of at most {limits.tensor_bytes:,} bytes together", f"a claim of {amount(total)}",
                      "save fewer or smaller arrays, or raise the limit tensor_bytes")


def check_samples(count: int, limits: Limits) -> None:
    """Refuse a file with ``count`` samples, if those are more than there may be."""
    if count > limits.samples:
        raise refusal(f"at most {limits.samples:,} samples", f"{count:,}", "save fewer of them, or raise the limit "
                      "samples")


def check_view(view: View, size: int) -> None:
    """Refuse a view that is not well formed or leaves its storage of ``size`` bytes."""
    named = f"in the tensor {printable_name(view.name)}"
    check_name(view.name)
    if view.dtype not in ITEM_BYTES:
        raise refusal(f"one of the types {', '.join(ITEM_BYTES)}", f"{printable(repr(view.dtype))} {named}",
                      "convert it before saving")
    numbers = (*view.shape, *view.strides, view.offset, view.storage)
    if len(view.shape) > MAX_DIMENSIONS or len(view.strides) != len(view.shape) or not all(map(is_size, numbers)):
        raise refusal(f"sizes, strides and an offset from 0 to 2^62 in at most {MAX_DIMENSIONS} dimensions",
                      f"others {named}", "save the file again")
    if 0 in view.shape:
        return
    last = view.offset + sum((size - 1) * step for size, step in zip(view.shape, view.strides, strict=True))
    needed = (last + 1) * ITEM_BYTES[view.dtype]
    if needed > size:
        raise refusal("tensors no larger than their bytes in the file", f"{amount(needed)} in {size:,} {named}",
                      "save or copy the file again")


def check_name(name: str) -> None:
    """Refuse a name that could not be shown as it is."""
    if not isinstance(name, str) or len(name) > MAX_NAME or not name.isprintable():
        raise refusal(f"printable tensor names of at most {MAX_NAME} characters", repr(name)[:100],
                      "rename the tensors and save the file again")


def printable_name(name: object) -> str:
    """A tensor's name as a refusal quotes it."""
    return repr(str(name)[:60])


def some(texts: Sequence[str], most: int) -> str:
    """The first ``most`` of ``texts`` in a line, and how many more there are."""
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def check_json(text: bytes | str, most: int, what: str) -> Any:
    """The JSON value in ``text``; refuses more than ``most`` bytes, names given twice, deep nesting and the like."""
    try:
        return loads(text, what, most)
    except ValueError as error:
        raise FileRefused(str(error)) from None
