"""What stands for the values in a torch file's pickle: names, storages, tensors, arrays and their types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lpc_core.files.tensors import ITEM_BYTES

STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "UntypedStorage": "uint8",
}  # fmt: skip
DTYPES = {**{name: name for name in ITEM_BYTES}, "float": "float32", "double": "float64", "half": "float16",
          "long": "int64", "int": "int32", "short": "int16"}  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A global name that a pickle may ask for; it stands for itself."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Storage:
    """Where a tensor's values lie in the file."""

    key: str
    dtype: str
    bytes: int

    def __str__(self) -> str:
        return f"a storage of {self.bytes:,} bytes"


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor as the pickle describes it. Offset and strides count elements."""

    storage: Storage
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    def __str__(self) -> str:
        return f"a tensor {self.dtype} {self.shape}"


@dataclass(eq=False)
class Array:
    """A NumPy array; ``values`` is None until the pickle has said what is in it."""

    values: np.ndarray | None = None

    def __str__(self) -> str:
        return "an array" if self.values is None else f"an array {self.values.dtype} {self.values.shape}"


@dataclass(eq=False)
class DType:
    """Stands for a NumPy type; ``order`` is "<" or ">" once its state is known."""

    code: str
    order: str = "<"

    def numpy(self) -> np.dtype:
        """The type of the same bytes."""
        return np.dtype(self.order + self.code)

    def __str__(self) -> str:
        return self.code


class Namespace(dict[Any, Any]):
    """Stands for an ``argparse.Namespace``: its attributes by name."""
