"""Parquet tables by pyarrow, inside the reading process: sizes are checked in the file's own table of contents first.

That table can lie, and pyarrow is a large program in C++: what it allocates is bounded by the process's memory limit,
and what a flaw in it could do by the process's other walls.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import FileRefused, Limits, refusal
from lpc_core.checkpoint._embeddings import role_of
from lpc_core.checkpoint._labels import Arrays
from lpc_core.checkpoint._message import check_samples, check_total
from lpc_core.checkpoint.formats.cell_text import Unreadable, holds_vectors
from lpc_core.checkpoint.formats.cell_text import vectors as vectors_of
from lpc_core.checkpoint.formats.table import MAX_COLUMNS, Table, check_names
from lpc_core.files.words import printable

CELL_BYTES = 8  # a number; texts are at least as dear


def prepare() -> None:
    """Import pyarrow, if it is there: later the reading process cannot."""
    try:
        importlib.import_module("pyarrow.parquet")
        importlib.import_module("pyarrow.compute")
    except ImportError:
        return  # `read_parquet` then says what to do


def read_parquet(raw: memoryview, limits: Limits, _: dict[str, Any]) -> Table:
    """The columns by name: numbers, texts (objects), and vectors (lists, tensors) as (n, m). Others cannot be read."""
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


def _columns(table: Any, limits: Limits) -> Table:
    import pyarrow.types as kinds

    names = table.column_names
    check_names(names)
    check_total(table.nbytes, limits)
    columns: Arrays = {}
    unreadable, vectors = {}, set()
    for name in names:
        column = _plain(table.column(name))
        try:
            if any(is_kind(column.type) for is_kind in (kinds.is_list, kinds.is_large_list, kinds.is_fixed_size_list)):
                vectors.add(name)
                columns[name] = _vectors(column, name)
                continue
            columns[name] = _single(column, name)
            if _written(columns[name], name):
                vectors.add(name)
                columns[name] = vectors_of([str(cell) for cell in columns[name]], name, 0)
        except Unreadable as why:
            columns.pop(name, None)
            unreadable[name] = why.words
    return Table(columns, unreadable, frozenset(vectors))


def _plain(column: Any) -> Any:
    """The column without what only names or packs its values: dictionaries, extension types, the new kinds of lists."""
    import pyarrow
    import pyarrow.types as kinds

    if isinstance(column.type, pyarrow.BaseExtensionType):
        column = pyarrow.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    if kinds.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if kinds.is_list_view(column.type) or kinds.is_large_list_view(column.type):
        column = column.cast(pyarrow.large_list(column.type.value_type))
    return column


def _written(column: np.ndarray, name: str) -> bool:
    """Whether the column holds vectors written as text."""
    role = role_of(name)
    return (column.dtype.kind == "O" and role in ("", "latents", "logits") and isinstance(column[0], str)
            and holds_vectors(column[0], named=role == "latents"))


def _single(column: Any, name: str) -> np.ndarray:
    """Numbers or texts (n,)."""
    import pyarrow.types as kinds

    kind = column.type
    if kinds.is_decimal(kind):
        column = column.cast("float64")
    elif kinds.is_boolean(kind) and column.null_count:
        column = column.cast("float32")  # where none is there NaN can be
    elif kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind):
        texts = np.empty(len(column), object)
        texts[:] = column.to_pylist()
        return texts
    elif not (kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind)):
        raise Unreadable(f"numbers or texts in the column {_named(name)}", f"the type {printable(kind, 60)}",
                          "convert the column, or leave it out")
    values: np.ndarray = column.to_numpy()
    return values


def _vectors(column: Any, name: str) -> np.ndarray:
    """Lists of equally many numbers as (n, m)."""
    import pyarrow.types as kinds
    from pyarrow import compute

    column = column.combine_chunks()
    kind, where = column.type.value_type, f"the column {_named(name)}"
    if not (kinds.is_floating(kind) or kinds.is_integer(kind)):
        raise Unreadable(f"vectors of numbers in {where}", f"lists of {printable(kind, 60)}",
                          "flatten each to numbers")
    if column.null_count:
        raise Unreadable(f"a vector in every row of {where}", f"none in row {_first(column.is_null()):,}",
                          "leave those rows out")
    lengths = compute.list_value_length(column).to_numpy(zero_copy_only=False)
    width = int(lengths[0]) if len(lengths) else 0
    if not width or (lengths != width).any():
        row = int((lengths != width).argmax()) if len(lengths) else 0
        got = f"{width:,} numbers in row 0 and {lengths[row]:,} in row {row:,}" if width else "empty ones"
        raise Unreadable(f"vectors of one length in {where}", got, "leave those rows out")
    values = column.flatten()
    if values.null_count:
        raise Unreadable(f"a number in every place of the vectors in {where}", "none in row "
                          f"{_first(values.is_null()) // width:,}", "fill it in, or leave the row out")
    vectors: np.ndarray = values.to_numpy(zero_copy_only=False).reshape(-1, width)
    return vectors


def _first(mask: Any) -> int:
    """The place of the first that is true."""
    return int(mask.to_numpy(zero_copy_only=False).argmax())


def _named(name: str) -> str:
    return printable(repr(name), 40)
