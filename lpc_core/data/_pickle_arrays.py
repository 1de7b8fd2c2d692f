"""Dictionaries of byte arrays and lists from a pickle, without running it: only data opcodes mean anything here.

A pickle is a program for a small stack machine, and `pickle.load` calls whatever that program names. This reader
decodes the opcodes with `pickletools.genops` (which never runs them) and interprets just those that build
dictionaries, lists, tuples, numbers, strings and NumPy arrays of unsigned bytes; the six NumPy and codec names that
such arrays need stand for themselves and are never imported. Any other opcode or name is refused.

What a hostile file could still do is cost memory or time, so the file's size, the number of opcodes and the bytes
that strings unfold to are bounded; keys are strings only (hashing nested tuples can take for ever) and no value is
ever printed. Arrays of other types, protocols 0 and 1 and out-of-band buffers are left out.
"""

from __future__ import annotations

import enum
import io
import math
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lpc_core.data._base import DataError

MAX_OPCODES = 2_000_000  # CIFAR-100's largest file has about 250,000, saved again by Python 3 up to 750,000
MAX_KEY = 100  # characters; decoding a key copies it, which a long one in many dictionaries would make expensive


def read_pickled(path: Path, max_bytes: int) -> dict[str, Any]:
    """Return the dictionary in a pickle file: byte arrays as uint8 (read-only), lists, strings and bytes as they are.

    Raises `DataError` for a file larger than ``max_bytes``, and for anything but plain data in it.
    """
    if (size := path.stat().st_size) > max_bytes:
        raise DataError(f"{path}: expected at most {max_bytes} bytes, got {size}; fetch the file again")
    try:
        return _interpret(path.read_bytes(), max_bytes)
    except ValueError as error:  # ours, and those of genops
        raise DataError(f"{path}: expected a pickled dictionary of byte arrays and lists, got {str(error)[:200]}; "
                        "use the official file, or the binary version") from error


class _Known(enum.Enum):
    """The global names that an array of bytes is pickled with. None of them is ever looked up."""

    NDARRAY = enum.auto()
    DTYPE = enum.auto()
    RECONSTRUCT = enum.auto()
    FROM_BUFFER = enum.auto()
    ENCODE = enum.auto()


_NAMES = {
    "numpy ndarray": _Known.NDARRAY,
    "numpy dtype": _Known.DTYPE,
    "numpy.core.multiarray _reconstruct": _Known.RECONSTRUCT,
    "numpy._core.multiarray _reconstruct": _Known.RECONSTRUCT,
    "numpy.core.numeric _frombuffer": _Known.FROM_BUFFER,
    "numpy._core.numeric _frombuffer": _Known.FROM_BUFFER,
    "_codecs encode": _Known.ENCODE,
}


class _ByteType:
    """Stands for ``numpy.dtype('u1')``."""


class _Array:
    """Stands for an array; ``values`` is None until the pickle has said what is in it."""

    def __init__(self, values: np.ndarray | None = None) -> None:
        self.values = values


class _Machine:
    """The stack, the marks and the memo of one pickle, and how many more bytes its strings may unfold to."""

    def __init__(self, max_bytes: int) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.bytes_left = max_bytes

    def since_mark(self) -> list[Any]:
        """Take everything above the last mark off the stack."""
        if not self.marks:
            raise ValueError("no mark")
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def take(self, count: int) -> list[Any]:
        """Take the ``count`` topmost values off the stack."""
        if len(self.stack) < count:
            raise ValueError("an empty stack")
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def top(self, kind: type = object) -> Any:
        """Return the top of the stack, which must be a ``kind``."""
        if not self.stack:
            raise ValueError("an empty stack")
        return _typed(self.stack[-1], kind)

    def remember(self, index: int) -> None:
        """Keep the top of the stack under ``index``."""
        self.memo[index] = self.top()

    def recall(self, index: int) -> None:
        """Push what was kept under ``index``."""
        if index not in self.memo:
            raise ValueError(f"nothing remembered under {index}")
        self.stack.append(self.memo[index])


def _interpret(data: bytes, max_bytes: int) -> dict[str, Any]:
    machine = _Machine(max_bytes)
    for count, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(data))):
        if count >= MAX_OPCODES:
            raise ValueError(f"more than {MAX_OPCODES} opcodes")
        if opcode.name in _PLAIN:
            machine.stack.append(argument)
        elif opcode.name in _ACTIONS:
            _ACTIONS[opcode.name](machine, argument)
        elif opcode.name != "STOP":
            raise ValueError(f"the opcode {opcode.name}")
    return {key: _finished(value) for key, value in machine.top(dict).items()}


def _finished(value: Any) -> Any:
    if not isinstance(value, _Array):
        return value
    if value.values is None:
        raise ValueError("an array without values")
    return value.values


def _typed(value: Any, *kinds: type) -> Any:
    if not isinstance(value, kinds):
        raise ValueError(f"a {type(value).__name__} where a {' or '.join(kind.__name__ for kind in kinds)} belongs")
    return value


def _fill(machine: _Machine, values: list[Any]) -> None:
    """SETITEMS: the keys and values in ``values``, in turn, go into the dictionary on top."""
    target = machine.top(dict)
    for key, value in zip(values[::2], values[1::2], strict=True):
        if len(_typed(key, str, bytes)) > MAX_KEY:
            raise ValueError(f"a key of more than {MAX_KEY} characters")
        target[key if isinstance(key, str) else key.decode("latin1")] = value


def _extend(machine: _Machine, values: list[Any]) -> None:
    """APPENDS: ``values`` go to the end of the list on top."""
    machine.top(list).extend(values)


def _push_name(machine: _Machine, name: str) -> None:
    """GLOBAL: a name stands for itself, if it is one of those that arrays of bytes need."""
    if name not in _NAMES:
        raise ValueError(f"the name {name.replace(' ', '.')[:80]!r}, which plain data does not need")
    machine.stack.append(_NAMES[name])


def _push_stacked_name(machine: _Machine) -> None:
    module, name = machine.take(2)
    _push_name(machine, f"{_typed(module, str)} {_typed(name, str)}")


def _reduce(machine: _Machine) -> None:
    """REDUCE: what the call would have given, for the calls we know; nothing is called."""
    known, arguments = machine.take(2)
    _typed(arguments, tuple)
    if known is _Known.RECONSTRUCT and arguments and arguments[0] is _Known.NDARRAY:
        machine.stack.append(_Array())
    elif known is _Known.DTYPE and arguments and arguments[0] in ("u1", b"u1"):
        machine.stack.append(_ByteType())
    elif known is _Known.FROM_BUFFER and len(arguments) == 4:
        buffer, kind, shape, order = arguments
        machine.stack.append(_Array(_array(buffer, kind, shape, order == "F")))
    elif known is _Known.ENCODE and len(arguments) == 2 and arguments[1] == "latin1":
        machine.stack.append(_encode(machine, _typed(arguments[0], str)))
    else:
        raise ValueError("a call, or an array of another type than unsigned bytes")


def _encode(machine: _Machine, text: str) -> bytes:
    """Protocol 2's way of writing bytes: as text, to be encoded."""
    machine.bytes_left -= len(text)
    if machine.bytes_left < 0:
        raise ValueError("strings that unfold to more than the file may hold")
    return text.encode("latin1")


def _build(machine: _Machine) -> None:
    """BUILD: the state of an array; that of a byte type says nothing we need (bytes have no byte order)."""
    target, state = machine.take(2)
    _typed(state, tuple)
    if isinstance(target, _Array) and len(state) == 5:
        _, shape, kind, fortran, data = state
        target.values = _array(data, kind, shape, fortran in (True, 1))
    elif not isinstance(target, _ByteType):
        raise ValueError(f"a state for a {type(target).__name__}")
    machine.stack.append(target)


def _array(data: Any, kind: Any, shape: Any, fortran: bool) -> np.ndarray:
    """View ``data`` as an array of bytes; the shape is checked against it, so nothing is allocated."""
    _typed(data, bytes, bytearray)
    _typed(kind, _ByteType)
    if len(_typed(shape, tuple)) > 4 or not all(isinstance(n, int) and 0 <= n <= len(data) for n in shape):
        raise ValueError("an array whose shape does not fit its data")
    if math.prod(shape) != len(data):
        raise ValueError(f"an array of {math.prod(shape)} values in {len(data)} bytes")
    return np.frombuffer(data, np.uint8).reshape(shape, order="F" if fortran else "C")


_PLAIN = {"BININT", "BININT1", "BININT2", "INT", "LONG1", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES",
          "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}  # fmt: skip

_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda m, _: None,
    "FRAME": lambda m, _: None,
    "NONE": lambda m, _: m.stack.append(None),
    "NEWTRUE": lambda m, _: m.stack.append(True),
    "NEWFALSE": lambda m, _: m.stack.append(False),
    "BINSTRING": lambda m, text: m.stack.append(text.encode("latin1")),  # Python 2's str
    "SHORT_BINSTRING": lambda m, text: m.stack.append(text.encode("latin1")),
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "EMPTY_TUPLE": lambda m, _: m.stack.append(()),
    "MARK": lambda m, _: m.marks.append(len(m.stack)),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.since_mark())),
    "TUPLE1": lambda m, _: m.stack.append(tuple(m.take(1))),
    "TUPLE2": lambda m, _: m.stack.append(tuple(m.take(2))),
    "TUPLE3": lambda m, _: m.stack.append(tuple(m.take(3))),
    "SETITEM": lambda m, _: _fill(m, m.take(2)),
    "SETITEMS": lambda m, _: _fill(m, m.since_mark()),
    "APPEND": lambda m, _: _extend(m, m.take(1)),
    "APPENDS": lambda m, _: _extend(m, m.since_mark()),
    "BINPUT": _Machine.remember,
    "LONG_BINPUT": _Machine.remember,
    "MEMOIZE": lambda m, _: m.remember(len(m.memo)),
    "BINGET": _Machine.recall,
    "LONG_BINGET": _Machine.recall,
    "GLOBAL": _push_name,
    "STACK_GLOBAL": lambda m, _: _push_stacked_name(m),
    "REDUCE": lambda m, _: _reduce(m),
    "BUILD": lambda m, _: _build(m),
}
