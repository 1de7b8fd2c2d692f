"""Parquet tables by pyarrow, inside the reading process: sizes are checked in the file's own table of contents first.

That table can lie, and pyarrow is a large program in C++: what it allocates is bounded by the process's memory limit,
and what a flaw in it could do by the process's other walls.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import FileRefused, Limits, printable, refusal
from lpc_core.checkpoint._embeddings import Arrays
from lpc_core.checkpoint._message import check_samples, check_total

MAX_COLUMNS = 20_000
CELL_BYTES = 8  # a number; texts are at least as dear


def prepare() -> None:
    """Import pyarrow, if it is there: later the reading process cannot."""
    try:
        importlib.import_module("pyarrow.parquet")
        importlib.import_module("pyarrow.compute")
    except ImportError:
        return  # `read_parquet` then says what to do


def read_parquet(raw: memoryview, limits: Limits, _: dict[str, Any]) -> Arrays:
    """The columns by name: numbers, texts (objects), and lists of equal length as (n, m). Others are left out."""
    try:
        import pyarrow
        import pyarrow.parquet
    except (ImportError, PermissionError):  # the latter where the lock refuses to look for it
        raise refusal("pyarrow, which reads parquet", "no such package", "pip install pyarrow, or save as npz or CSV") \
            from None
    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(pyarrow.py_buffer(raw)), pre_buffer=False)
        _check(file.metadata, limits)
        return _columns(file.read(use_threads=False), limits)
    except FileRefused:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise refusal("a parquet file", f"one that pyarrow does not read ({printable(error)})", "save it again") \
            from None


def _check(contents: Any, limits: Limits) -> None:
    """Refuse by what the table of contents says."""
    if not (0 < contents.num_columns <= MAX_COLUMNS and contents.num_rows > 0):
        raise refusal(f"rows in 1 to {MAX_COLUMNS:,} columns", f"{contents.num_rows:,} rows in "
                      f"{contents.num_columns:,} columns", "save one row for each sample")
    check_samples(contents.num_rows, limits)
    groups = (contents.row_group(number) for number in range(contents.num_row_groups))
    check_total(max(sum(group.total_byte_size for group in groups),
                    contents.num_rows * contents.num_columns * CELL_BYTES), limits)


def _columns(table: Any, limits: Limits) -> Arrays:
    names = table.column_names
    if len(set(names)) < len(names) or not all(name.isprintable() and len(name) <= 200 for name in names):
        raise refusal("column names that are printable, at most 200 characters long and each there once", "others",
                      "rename the columns")
    check_total(table.nbytes, limits)
    found = {name: _column(table.column(name)) for name in names}
    return {name: column for name, column in found.items() if column is not None}


def _column(column: Any) -> np.ndarray | None:
    """One column as an array; None for types that are neither numbers, texts nor lists of equally many numbers."""
    import pyarrow.types as kinds

    if kinds.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if kinds.is_integer(kind) or kinds.is_floating(kind) or (kinds.is_boolean(kind) and not column.null_count):
        return column.to_numpy()
    if kinds.is_string(kind) or kinds.is_large_string(kind):
        texts = np.empty(len(column), object)
        texts[:] = column.to_pylist()
        return texts
    if kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind):
        return _lists(column.combine_chunks())
    return None


def _lists(column: Any) -> np.ndarray | None:
    """Lists of equally many numbers as (n, m)."""
    import pyarrow.types as kinds

    kind = column.type.value_type
    if column.null_count or not (kinds.is_floating(kind) or kinds.is_integer(kind)):
        return None
    values, lengths = column.flatten().to_numpy(zero_copy_only=False), column.value_lengths().to_numpy()
    if not len(lengths) or lengths[0] * len(lengths) != len(values) or (lengths != lengths[0]).any():
        return None
    return values.reshape(len(lengths), -1) if lengths[0] else None
