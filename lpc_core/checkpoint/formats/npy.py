"""npy arrays, alone or as members of an npz: the header is read as data, and no object is ever made from it.

NumPy's own reader would do (``allow_pickle=False``), but it makes a dtype of whatever the header says and then
allocates; here the header must have one of a few forms, and its shape must fit the bytes that follow.
https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import FileRefused, Limits, refusal
from lpc_core.checkpoint._message import check_total
from lpc_core.checkpoint.formats.archive import Archive
from lpc_core.files.tensors import MAX_DIMENSIONS, is_size
from lpc_core.files.words import amount, printable

MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000  # bytes, as in NumPy
MAX_NESTING = 8  # brackets within brackets
MAX_FIELDS = 10_000
PLAIN = re.compile(r"[<>|=]?(?:b1|\?|[iu][1248]|f[248]|c(?:8|16)|S\d{1,9}|U\d{1,8})")
AGAIN = "save or copy the file again"
OBJECTS = "save numbers with a numeric dtype and texts with astype('U'), not as objects"


def read_npz(archive: Archive, limits: Limits) -> tuple[dict[str, np.ndarray], list[str]]:
    """Every array of an npz by name, and the names of those that hold objects; arrays with fields are refused."""
    arrays, objects = {}, []
    if {"data.npy", "shape.npy", "format.npy"} <= archive.members.keys():
        raise refusal("arrays in full", "a sparse matrix of SciPy", "save latents=matrix.toarray() and labels with "
                      "numpy.savez")
    for name in archive.members:
        if not name.endswith(".npy"):
            raise refusal("npy arrays alone in an npz", printable(repr(name)), "save the arrays with numpy.savez")
        label = name.removesuffix(".npy")
        raw, what = archive.read(name), f"the array {printable(repr(label))}"
        if _header(raw, what)[0]["descr"] == "|O":
            objects.append(label)
            continue
        arrays[label] = read_npy(raw, limits, what)
        if arrays[label].dtype.names:
            raise refusal("arrays without fields in an npz", f"{printable(repr(label))} with fields",
                          "save each field as an array of its own")
    return arrays, objects


def refuse_objects(label: str) -> FileRefused:
    """The refusal of an array of objects that is needed."""
    return refusal(f"numbers, truth values or texts in the array {printable(repr(label))}", "objects", OBJECTS)


def read_npy(raw: memoryview, limits: Limits, what: str = "the array") -> np.ndarray:
    """The array in ``raw``, whose memory it shares; raises `FileRefused` for objects and for what does not fit."""
    header, start = _header(raw, what)
    dtype, shape = _dtype(header["descr"], what), header["shape"]
    if not isinstance(shape, tuple) or len(shape) > MAX_DIMENSIONS or not all(map(is_size, shape)):
        raise refusal(f"at most {MAX_DIMENSIONS} sizes from 0 to 2^62 for {what}", "others", AGAIN)
    needed, there = math.prod(shape) * dtype.itemsize, len(raw) - start
    check_total(needed, limits)
    if needed != there or dtype.itemsize == 0:
        raise refusal(f"{amount(needed)} for {what} of shape {shape}", f"{there:,}", AGAIN)
    if needed == 0:
        return np.empty(shape, dtype)
    values = np.frombuffer(raw, dtype, offset=start)
    return values.reshape(shape, order="F" if header["fortran_order"] else "C")


def _header(raw: memoryview, what: str) -> tuple[dict[str, Any], int]:
    """The header's three values, and where the array's bytes begin."""
    wide = 2 if len(raw) > 8 and raw[6] == 1 else 4
    if len(raw) < 8 + wide or bytes(raw[:6]) != MAGIC or raw[6] not in (1, 2, 3):
        raise refusal(f"{what} as npy in version 1, 2 or 3", "something else", "save it with numpy.save")
    length = int.from_bytes(raw[8 : 8 + wide], "little")
    if length > min(MAX_HEADER, len(raw) - 8 - wide):
        raise refusal(f"a header of at most {MAX_HEADER:,} bytes in {what}", f"{length:,}", AGAIN)
    try:
        text = bytes(raw[8 + wide : 8 + wide + length]).decode("utf-8" if raw[6] == 3 else "latin1")
        header = ast.literal_eval(text.strip()) if _nesting(text) <= MAX_NESTING else None
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        header = None
    if (not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}
            or type(header["fortran_order"]) is not bool):
        raise refusal(f"descr, fortran_order and shape in the header of {what}", "something else", AGAIN)
    return header, 8 + wide + length


def _nesting(text: str) -> int:
    """How deep brackets lie within brackets (or would, if none in a text were one)."""
    deepest = depth = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _dtype(descr: Any, what: str) -> np.dtype:
    """The type that ``descr`` names: one of `PLAIN`, or fields of those."""
    if isinstance(descr, str):
        return _plain(descr, what)
    fields = []
    for entry in descr if isinstance(descr, list) and 0 < len(descr) <= MAX_FIELDS else [None]:
        if not (isinstance(entry, tuple) and len(entry) in (2, 3) and all(isinstance(text, str) for text in entry[:2])
                and entry[0]):
            raise refusal(f"a plain type or named fields for {what}", "another type", OBJECTS)
        inner = entry[2] if len(entry) == 3 else ()
        inner = (inner,) if is_size(inner) else inner
        if not isinstance(inner, tuple) or len(inner) > 4 or not all(is_size(n) and n < 2**31 for n in inner):
            raise refusal(f"fields with up to four sizes in {what}", "others", AGAIN)
        fields.append((entry[0], _plain(entry[1], what), inner))
    try:
        return np.dtype(fields)
    except (ValueError, TypeError) as error:
        raise refusal(f"fields that NumPy knows in {what}", printable(error), AGAIN) from None


def _plain(code: str, what: str) -> np.dtype:
    if not PLAIN.fullmatch(code):
        raise refusal(f"numbers, truth values or texts in {what}", f"the type {printable(repr(code))}", OBJECTS)
    try:
        return np.dtype(code)
    except (ValueError, TypeError) as error:  # a text type too long
        raise refusal(f"a type that NumPy knows in {what}", printable(error), AGAIN) from None
