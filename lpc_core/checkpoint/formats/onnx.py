"""ONNX models: initialisers as tensors, the graph as plain data, by a bounded walk over the file's fields.

A protobuf message is a sequence of (field number, kind, value); nothing in it executes. The walk looks only at the
fields named below (onnx.proto3: ModelProto, GraphProto, NodeProto, TensorProto, ValueInfoProto), copies no tensor, and
refuses what reaches beyond its message. Values in other files are refused: they would name files of this machine.
Subgraphs (If, Loop, Scan) are left out and noted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import Limits, refusal
from lpc_core.checkpoint._message import (
    Buffer,
    Message,
    View,
    check_name,
    check_total,
    check_views,
    printable_name,
    row_major,
    size_of,
)
from lpc_core.files.tensors import ITEM_BYTES, MAX_DIMENSIONS, is_size
from lpc_core.files.words import amount, printable

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # kinds of a field's value
MAX_FIELDS = 500_000  # in the whole file
MAX_NODES = 100_000
TYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16",
         11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
         17: "float8_e4m3fn", 19: "float8_e5m2"}  # fmt: skip  # numbers of TensorProto.DataType
AGAIN = "export the model again"

Field = tuple[int, int, Any]  # (number, kind, a number or a piece of the file)


class _Walk:
    """Reads fields of protobuf messages and counts them, so that the work is bounded."""

    def __init__(self) -> None:
        self.left = MAX_FIELDS

    def fields(self, raw: memoryview) -> Iterator[Field]:
        """The fields of the message in ``raw``."""
        position = 0
        while position < len(raw):
            self.left -= 1
            if self.left < 0:
                raise refusal(f"at most {MAX_FIELDS:,} fields in an ONNX model", "more", "simplify the model")
            key, position = varint(raw, position)
            number, kind = key >> 3, key & 7
            if kind == VARINT:
                value, position = varint(raw, position)
                yield number, kind, value
            else:
                length, position = self._length(raw, position, kind)
                yield number, kind, raw[position : position + length]
                position += length

    @staticmethod
    def _length(raw: memoryview, position: int, kind: int) -> tuple[int, int]:
        """How long the value at ``position`` is, and where it begins."""
        if kind == BYTES:
            length, position = varint(raw, position)
        elif kind in (FIXED32, FIXED64):
            length = 4 if kind == FIXED32 else 8
        else:
            raise refusal("an ONNX model", "bytes that are no protobuf message", AGAIN)
        if length > len(raw) - position:
            raise refusal("an ONNX model with whole fields", "one that reaches beyond its end (cut short?)", AGAIN)
        return length, position


def varint(raw: memoryview, position: int) -> tuple[int, int]:
    """The number of up to ten bytes at ``position``, as unsigned, and where it ends."""
    value = 0
    for place in range(10):
        if position >= len(raw):
            raise refusal("an ONNX model with whole fields", "one that ends within a number (cut short?)", AGAIN)
        byte = raw[position]
        position += 1
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value & (2**64 - 1), position
    raise refusal("an ONNX model", "a number of more than ten bytes", AGAIN)


def read_onnx(raw: memoryview, limits: Limits) -> Message:
    """The model's initialisers and constants; metadata: nodes, inputs, outputs, producer, opset."""
    walk, graphs = _Walk(), []
    metadata: dict[str, Any] = {}
    for number, kind, value in walk.fields(raw):
        if number == 7 and kind == BYTES:
            graphs.append(value)
        elif number == 2 and kind == BYTES:
            metadata["producer"] = _text(value, 100)
        elif number == 1 and kind == VARINT:
            metadata["ir_version"] = value
        elif number == 8 and kind == BYTES:
            metadata.setdefault("opset", []).append(_opset(walk, value))
    if len(graphs) != 1:
        raise refusal("an ONNX model with one graph", f"{len(graphs)}", AGAIN)
    return _Graph(walk, graphs[0], limits).message(metadata)


class _Graph:
    """Tensors, nodes, inputs and outputs of one GraphProto."""

    def __init__(self, walk: _Walk, raw: memoryview, limits: Limits) -> None:
        self._walk, self._limits, self._bytes = walk, limits, 0
        self.views: list[View] = []
        self.storages: list[Buffer] = []
        self.nodes: list[list[Any]] = []
        self.attributes: list[dict[str, Any]] = []  # one for each node: numbers, lists of them, texts
        self.inputs: dict[str, list[Any]] = {}
        self.outputs: list[str] = []
        self.subgraphs = 0
        for number, kind, value in walk.fields(raw):
            if kind == BYTES and number in _PARTS:
                _PARTS[number](self, value)

    def message(self, metadata: dict[str, Any]) -> Message:
        """The graph as a checkpoint."""
        if not self.views:
            raise refusal("an ONNX model with weights", "none", "export it with its parameters inside")
        check_views(self.views, self.storages, self._limits)
        own = {view.name for view in self.views}
        inputs = {name: shape for name, shape in self.inputs.items() if name not in own}
        notes = [f"left out: {self.subgraphs} subgraphs"] if self.subgraphs else []
        metadata |= {"nodes": self.nodes, "attributes": self.attributes, "inputs": inputs, "outputs": self.outputs}
        facts = {"format": "onnx", "stripped": [], "metadata": metadata, "notes": notes}
        return Message("checkpoint", facts, self.views, self.storages)

    def add_node(self, raw: memoryview) -> None:
        """NodeProto: operation, inputs, outputs; the tensor of a Constant is kept under its output's name."""
        if len(self.nodes) >= MAX_NODES:
            raise refusal(f"at most {MAX_NODES:,} nodes in an ONNX graph", "more", "simplify the model")
        operation, domain, attributes = "", "", []
        inputs: list[str] = []
        outputs: list[str] = []
        for number, kind, value in self._walk.fields(raw):
            if kind == BYTES and number == 4:
                operation = _text(value, 100)
            elif kind == BYTES and number == 7:
                domain = _text(value, 100)
            elif kind == BYTES and number in (1, 2):
                (inputs if number == 1 else outputs).append(_text(value, 500))
            elif kind == BYTES and number == 5:
                attributes.append(value)
        if domain not in ("", "ai.onnx"):  # of another library, which may mean something else by the same name
            operation = f"{domain}.{operation}"
        self.nodes.append([operation, inputs, outputs])
        self.attributes.append({})
        for attribute in attributes:
            self._add_attribute(attribute, outputs[0] if operation == "Constant" and outputs else None)
        if operation == "Constant" and outputs and self.attributes[-1].keys() & NUMBERS.keys():
            self._add_numbers(outputs[0], *next(iter(self.attributes[-1].items())))

    def _add_numbers(self, name: str, kind: str, values: Any) -> None:
        """The number or numbers that a Constant gives without a tensor."""
        array = np.array(values, NUMBERS[kind])
        self._keep(name, 1 if kind.startswith("value_float") else 7, list(array.shape), outside=False)
        self.views.append(View(name, array.dtype.name, array.shape, row_major(array.shape), len(self.storages)))
        self.storages.append(array.reshape(-1).view(np.uint8))

    def _add_attribute(self, raw: memoryview, constant: str | None) -> None:
        """AttributeProto: a number, numbers or a text go to the node's attributes; tensors and graphs do not."""
        name, listed = "", False
        values: list[str | float] = []
        for number, kind, value in self._walk.fields(raw):
            if kind == BYTES and number == 5 and constant:
                self.add_tensor(value, constant)
            elif kind == BYTES and number in (6, 11):
                self.subgraphs += 1
            elif kind == BYTES and number == 1:
                name = _text(value, 100)
            elif kind == BYTES and number == 4:
                values.append(_text(value, 200))
            elif number in (2, 3, 7, 8):  # f, i, floats, ints
                listed |= number > 3
                values.extend(_floats(value) if number in (2, 7) else self._signed(kind, value))
        if values:
            self.attributes[-1][name] = values if listed else values[0]

    def _signed(self, kind: int, value: Any) -> list[int]:
        """Whole numbers, negative ones among them, alone or packed."""
        numbers = [value] if kind == VARINT else self._varints(value)
        return [number - 2**64 if number >= 2**63 else number for number in numbers]

    def add_tensor(self, raw: memoryview, name: str = "") -> None:
        """TensorProto: sizes, type, and values as raw bytes or as a list of numbers."""
        shape: list[int] = []
        numbers: list[Field] = []
        dtype, content, outside = 0, None, False
        for number, kind, value in self._walk.fields(raw):
            if number == 1:
                shape.extend([value] if kind == VARINT else self._varints(value))
            elif number == 2 and kind == VARINT:
                dtype = value
            elif number == 8 and kind == BYTES:
                name = name or _text(value, 1_000)
            elif number == 9 and kind == BYTES:
                content = value
            elif number in NUMBER_LISTS:
                numbers.append((number, kind, value))
            outside |= number == 13 or (number == 14 and value == 1)
        self._keep(name, dtype, shape, outside)
        kind_name = TYPES[dtype]
        data = content if content is not None else self._listed(numbers, kind_name)
        view = View(name, kind_name, tuple(shape), row_major(shape), len(self.storages))
        if size_of(data) != view.bytes:
            raise refusal(f"{amount(view.bytes)} for the tensor {printable_name(name)}",
                          f"{size_of(data):,}", AGAIN)
        self.views.append(view)
        self.storages.append(data)

    def _keep(self, name: str, dtype: int, shape: list[int], outside: bool) -> None:
        """Refuse a tensor that cannot be one, or whose values are elsewhere; count its bytes."""
        check_name(name)
        if outside:
            raise refusal("an ONNX model with its weights inside", f"{printable_name(name)} in another file",
                          "save it as one file, onnx.save(model, path, save_as_external_data=False)")
        if dtype not in TYPES:
            raise refusal(f"one of the types {', '.join(TYPES.values())}", f"number {dtype} for {printable_name(name)}",
                          "convert it before exporting")
        if len(shape) > MAX_DIMENSIONS or not all(map(is_size, shape)):
            raise refusal(f"at most {MAX_DIMENSIONS} sizes from 0 to 2^62", f"others for {printable_name(name)}", AGAIN)
        self._bytes += math.prod(shape) * ITEM_BYTES[TYPES[dtype]]
        check_total(self._bytes, self._limits)
        if len(self.views) >= self._limits.tensors:
            raise refusal(f"at most {self._limits.tensors:,} tensors", "more", "simplify the model")

    def _varints(self, raw: memoryview) -> Iterator[int]:
        position = 0
        while position < len(raw):
            self._walk.left -= 1
            if self._walk.left < 0:
                raise refusal(f"at most {MAX_FIELDS:,} numbers written one by one in an ONNX model", "more",
                              "export it with raw_data")
            value, position = varint(raw, position)
            yield value

    def add_input(self, raw: memoryview) -> None:
        """ValueInfoProto: name and sizes; sizes that are free are texts, unknown ones None."""
        if len(self.inputs) >= self._limits.tensors:
            raise refusal(f"at most {self._limits.tensors:,} inputs", "more", "simplify the model")
        name, sizes = "", []
        for number, kind, value in self._walk.fields(raw):
            if number == 1 and kind == BYTES:
                name = _text(value, 500)
            elif number == 2 and kind == BYTES:
                shapes = [shape for tensor in self._inner(value, 1) for shape in self._inner(tensor, 2)]
                sizes = [self._size(size) for shape in shapes for size in self._inner(shape, 1)]
        self.inputs[name] = sizes[:MAX_DIMENSIONS]

    def add_output(self, raw: memoryview) -> None:
        """ValueInfoProto: the name."""
        self.outputs.extend(_text(value, 500) for value in self._inner(raw, 1))

    def add_sparse(self, _: memoryview) -> None:
        """SparseTensorProto."""
        raise refusal("an ONNX model with dense weights", "sparse ones", "convert them before exporting")

    def _inner(self, raw: memoryview, wanted: int) -> list[memoryview]:
        """The messages or texts in the fields of that number."""
        return [value for number, kind, value in self._walk.fields(raw) if number == wanted and kind == BYTES]

    def _size(self, raw: memoryview) -> int | str | None:
        """TensorShapeProto.Dimension: a number or a name."""
        for number, kind, value in self._walk.fields(raw):
            if number == 1 and kind == VARINT:
                return value if is_size(value) else None
            if number == 2 and kind == BYTES:
                return _text(value, 100)
        return None

    def _listed(self, numbers: list[Field], dtype: str) -> Buffer:
        """The bytes of values written as lists: float_data and double_data as they are, others number by number."""
        floats = b"".join(bytes(value) for number, kind, value in numbers if number in FLOAT_LISTS and kind != VARINT)
        if floats:
            return floats if dtype in ("float32", "float64", "complex64", "complex128") else b""
        whole: list[int] = []
        for number, kind, value in numbers:
            if number not in FLOAT_LISTS and kind in (VARINT, BYTES):
                whole.extend([value] if kind == VARINT else self._varints(value))
        # negative numbers are written as 64 bits; float16 and the like as the bits they consist of
        width = min(ITEM_BYTES[dtype], 8)
        return np.array(whole, np.uint64).astype(f"<u{width}").view(np.uint8)


NUMBERS = {"value_float": "<f4", "value_floats": "<f4", "value_int": "<i8", "value_ints": "<i8"}
FLOAT_LISTS = (4, 10)  # float_data, double_data
NUMBER_LISTS = (*FLOAT_LISTS, 5, 7, 11)  # and int32_data, int64_data, uint64_data
_PARTS = {1: _Graph.add_node, 5: _Graph.add_tensor, 11: _Graph.add_input, 12: _Graph.add_output,
          15: _Graph.add_sparse}  # fmt: skip  # fields of GraphProto


def _floats(raw: Any) -> list[float]:
    """Finite numbers of four bytes each, one after the other; others become 0."""
    whole = bytes(raw) if isinstance(raw, memoryview) and len(raw) % 4 == 0 else b""
    found: list[float] = np.nan_to_num(np.frombuffer(whole, "<f4"), posinf=0, neginf=0).tolist()
    return found


def _text(raw: memoryview, most: int) -> str:
    return printable(bytes(raw[: 4 * most]).decode("utf-8", "replace"), most)


def _opset(walk: _Walk, raw: memoryview) -> str:
    """OperatorSetIdProto as "domain version"."""
    domain, version = "", 0
    for number, kind, value in walk.fields(raw):
        if number == 1 and kind == BYTES:
            domain = _text(value, 60)
        elif number == 2 and kind == VARINT:
            version = value
    return f"{domain or 'ai.onnx'} {version}"
