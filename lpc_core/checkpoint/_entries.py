"""Each tensor in numbers: norm, range, histogram, share of zeros, NaN. In blocks, so that memory stays small."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lpc_core.checkpoint._message import Message, View, array_of

BLOCK = 2**16  # values at a time: they stay in the processor's cache
BINS = 32


def entries(message: Message) -> list[dict[str, Any]]:
    """One dictionary for each tensor, with the fields of `TensorEntry`; non-finite numbers as None."""
    return [_entry(view, array_of(message.storages[view.storage], view)) for view in message.views]


def _entry(view: View, array: np.ndarray) -> dict[str, Any]:
    squares, zeros, nans, infinities, low, high = 0.0, 0, 0, 0, math.inf, -math.inf
    with np.errstate(all="ignore"):
        for block in blocks(array, view.dtype):
            finite = np.isfinite(block)
            if not finite.all():
                nans += int(np.isnan(block).sum())
                infinities += int(np.isinf(block).sum())
                block = block[finite]  # noqa: PLW2901
            zeros += block.size - int(np.count_nonzero(block))
            if block.size:
                low, high = min(low, float(block.min())), max(high, float(block.max()))
                wide = block.astype(np.float64, copy=False)
                squares += float(np.dot(wide, wide))
        histogram = _histogram(array, view.dtype, low, high) if low <= high else []
    numbers = {"norm": math.sqrt(squares), "minimum": low, "maximum": high,
               "zeros": zeros / array.size if array.size else math.nan}
    return {"name": view.name, "shape": view.shape, "dtype": view.dtype, "bytes": view.bytes, "histogram": histogram,
            "nans": nans, "infinities": infinities,
            **{name: number if math.isfinite(number) else None for name, number in numbers.items()}}


def _histogram(array: np.ndarray, dtype: str, low: float, high: float) -> list[int]:
    """How many finite values lie in each of 32 equal parts of low…high; all in the middle if these are equal."""
    counts = np.zeros(BINS, np.int64)
    scale = 1.0 if math.isfinite(high - low) else 0.25  # so that the width is finite too
    width = high * scale - low * scale
    for block in blocks(array, dtype):
        wide = block.astype(np.float64)
        places = (wide * scale - low * scale) * (BINS / width) if width else np.full(block.shape, BINS / 2)
        inside = places[np.isfinite(wide)]
        counts += np.bincount(np.clip(inside, 0, BINS - 1).astype(np.uint8), minlength=BINS)
    return counts.tolist()


def blocks(array: np.ndarray, dtype: str) -> Iterator[np.ndarray]:
    """The values in pieces, as numbers NumPy can reckon with; magnitudes of complex ones."""
    flat = array.reshape(-1)  # a copy only where the view is not contiguous
    for start in range(0, flat.size, BLOCK):
        yield as_numbers(flat[start : start + BLOCK], dtype)


def as_numbers(values: np.ndarray, dtype: str) -> np.ndarray:
    """The values of a tensor of torch's type ``dtype``, read as `Message.arrays` gives them, as real numbers."""
    if dtype == "bfloat16":  # the upper half of a float32
        return (values.astype(np.uint32) << 16).view(np.float32)
    if dtype in _FLOAT8:
        return _FLOAT8[dtype].take(values)
    if dtype.startswith("complex"):
        return np.asarray(np.abs(values))
    return values.astype(np.uint8) if dtype == "bool" else values


def _float8(exponent_bits: int, mantissa_bits: int, bias: int) -> np.ndarray:
    """The 256 values of an 8-bit float, (256,) float32 (Micikevicius 2022, FP8 Formats for Deep Learning)."""
    codes = np.arange(256)
    exponent = (codes >> mantissa_bits) & (2**exponent_bits - 1)
    mantissa = (codes & (2**mantissa_bits - 1)) / 2**mantissa_bits
    values = np.where(exponent == 0, mantissa * 2.0 ** (1 - bias), (1 + mantissa) * 2.0 ** (exponent - bias))
    signed: np.ndarray = np.where(codes & 128, -1, 1) * values
    return signed.astype(np.float32)


_E4M3FN, _E5M2 = _float8(4, 3, 7), _float8(5, 2, 15)
_E4M3FN[[0x7F, 0xFF]] = np.nan  # no infinities
_E5M2[[0x7C, 0xFC]] = np.inf, -np.inf
_E5M2[[0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF]] = np.nan
_FLOAT8 = {"float8_e4m3fn": _E4M3FN, "float8_e5m2": _E5M2}
