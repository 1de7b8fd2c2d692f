"""What the calls in a torch file's pickle would have given: each is (machine, arguments…); none of them is made."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lpc_core.checkpoint.formats.plain import Foreign
from lpc_core.checkpoint.formats.torch_values import DTYPES, Array, DType, Name, Namespace, Storage, Tensor
from lpc_core.files.pickle_machine import Machine, typed
from lpc_core.files.tensors import ITEM_BYTES, MAX_DIMENSIONS, is_size
from lpc_core.files.words import printable

if TYPE_CHECKING:
    from lpc_core.checkpoint.formats.torch_pickle import TorchPickle


def takes(call: Callable[..., Any], count: int) -> bool:
    """Whether ``call`` takes a machine and ``count`` more arguments."""
    code, optional = call.__code__, len(call.__defaults__ or ())
    most = 2**31 if code.co_flags & inspect.CO_VARARGS else code.co_argcount
    return code.co_argcount - optional <= 1 + count <= most


def _tensor(_: Machine, storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any) -> Tensor:
    """torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata)."""
    if len(rest) > 3 or (len(rest) == 3 and rest[2]):
        raise ValueError("a conjugate, negated or annotated tensor")
    return _checked_tensor(typed(storage, Storage), storage.dtype, offset, shape, strides)


def _tensor_of_type(_: Machine, storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any) -> Tensor:
    """torch._utils._rebuild_tensor_v3: the same with the type after requires_grad and hooks."""
    kind = rest[2].removeprefix("torch.") if len(rest) in (3, 4) and isinstance(rest[2], str) else ""
    if kind not in DTYPES or (len(rest) == 4 and rest[3]):
        raise ValueError("a tensor of an unknown type")
    return _checked_tensor(typed(storage, Storage), DTYPES[kind], offset, shape, strides)


def _checked_tensor(storage: Storage, dtype: str, offset: Any, shape: Any, strides: Any) -> Tensor:
    """The tensor, which must lie within its storage."""
    dimensions = len(typed(shape, tuple, list))
    fits = dimensions <= MAX_DIMENSIONS and dimensions == len(typed(strides, tuple, list))
    if not fits or not all(map(is_size, (*shape, *strides, offset))):
        raise ValueError("a tensor with impossible sizes, strides or offset")
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if 0 not in shape and (last + 1) * ITEM_BYTES[dtype] > storage.bytes:
        raise ValueError(f"a tensor that reaches beyond its storage of {storage.bytes} bytes")
    return Tensor(storage, dtype, tuple(shape), tuple(strides), offset)


def _parameter(_: Machine, data: Any, *rest: Any) -> Any:
    """torch._utils._rebuild_parameter(data, requires_grad, hooks) and …_with_state(…, state)."""
    return typed(data, Tensor)


def _subclass(machine: TorchPickle, function: Any, kind: Any, arguments: Any, *rest: Any) -> Any:
    """torch._tensor._rebuild_from_type_v2(function, type, arguments, state): tensors with attributes."""
    named = kind.name if isinstance(kind, Foreign) else typed(kind, Name).text
    if named not in _TENSOR_TYPES:
        raise ValueError(f"a tensor of the kind {named[:80]!r}, which is no plain one: save plain tensors")
    return typed(machine.called(function, typed(arguments, tuple)), Tensor)


def _dictionary(machine: TorchPickle, *arguments: Any) -> dict[Any, Any]:
    """collections.OrderedDict(), or with pairs; collections.defaultdict(factory), collections.Counter(counts)."""
    given = arguments[-1] if arguments else ()
    if not isinstance(given, dict | list | tuple):
        return {}  # a factory alone
    machine.charge(64 * len(given))  # the copy
    pairs = given.items() if isinstance(given, dict) else given
    return {machine.key(pair[0]): pair[1] for pair in pairs if len(typed(pair, list, tuple)) == 2}


def _sequence(_: Machine, items: Any = ()) -> list[Any] | tuple[Any, ...]:
    """torch.Size(sizes), set(items), frozenset(items)."""
    found: list[Any] | tuple[Any, ...] = typed(items, list, tuple)
    return found


def _text(_: Machine, *parts: Any) -> str:
    """torch.device(type, index) as "cuda:0", a path from its parts."""
    if not all(isinstance(part, str) or is_size(part) for part in parts):
        raise ValueError("an unknown device")
    return ":".join(printable(part, 100) for part in parts[:2])


def _path(_: Machine, *parts: Any) -> str:
    """pathlib.PosixPath(parts…): a text, never a file."""
    return "/".join(printable(typed(part, str), 200) for part in parts[:50])


def _encode(machine: TorchPickle, text: Any, encoding: Any = "latin1") -> bytes:
    """Protocol 2's way of writing bytes."""
    if encoding != "latin1":
        raise ValueError("bytes in another encoding than latin1")
    return machine.encoded(typed(text, str))


def _bytes(machine: TorchPickle, given: Any = b"") -> bytes:
    """bytes() and bytearray(content), as protocol 2 writes them."""
    machine.charge(len(typed(given, bytes, bytearray)))
    return bytes(given)


def _object(_: Machine, kind: Any, *rest: Any) -> Foreign:
    """copyreg._reconstructor(class, base, state) and copyreg.__newobj__(class, …)."""
    return kind if isinstance(kind, Foreign) else Foreign(typed(kind, Name).text)


def _numpy_type(_: Machine, code: Any, *rest: Any) -> DType:
    """numpy.dtype("f4", False, True): only numbers and truth values."""
    text = code.decode("latin1") if isinstance(code, bytes) else typed(code, str)
    if text not in ("f2", "f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "c8", "c16"):
        raise ValueError(f"a NumPy array of the type {text[:20]!r}")
    return DType(text)


def _numpy_buffer(_: Machine, data: Any, kind: Any, shape: Any, order: Any) -> Array:
    """numpy._core.numeric._frombuffer(data, type, shape, order)."""
    return Array(_array(data, kind, shape, fortran=order == "F"))


def _numpy_number(_: Machine, kind: Any, data: Any = b"") -> Any:
    """numpy._core.multiarray.scalar(type, bytes): a plain number."""
    dtype, content = typed(kind, DType).numpy(), typed(data, bytes)
    if len(content) != dtype.itemsize:
        raise ValueError("a NumPy number of another size than its type")
    value = np.frombuffer(content, dtype)[0].item()
    return str(value) if isinstance(value, complex) else value


def array_of_state(state: tuple[Any, ...]) -> np.ndarray:
    """(version, shape, type, Fortran order, bytes)."""
    if len(state) != 5:
        raise ValueError("an unknown state for a NumPy array")
    return _array(state[4], state[2], state[1], fortran=state[3] in (True, 1))


def _array(data: Any, kind: Any, shape: Any, *, fortran: bool) -> np.ndarray:
    """View ``data``; the shape is checked against it, so nothing is allocated."""
    content, dtype = typed(data, bytes, bytearray), typed(kind, DType).numpy()
    if len(typed(shape, tuple)) > MAX_DIMENSIONS or not all(map(is_size, shape)):
        raise ValueError("a NumPy array with impossible sizes")
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"a NumPy array whose shape does not fit its {len(content)} bytes")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


_TENSOR_TYPES = ("torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer")
# by their names as `modern` writes them
CONSTANTS = {*_TENSOR_TYPES, "numpy.ndarray", "builtins.dict", "builtins.list", "builtins.int", "builtins.float",
              "builtins.str"}  # fmt: skip
CALLS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_of_type,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _subclass,
    "torch.Size": _sequence,
    "torch.device": _text,
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": _dictionary,
    "collections.Counter": _dictionary,
    "copyreg._reconstructor": _object,
    "copyreg.__newobj__": _object,
    "argparse.Namespace": lambda _: Namespace(),
    "types.SimpleNamespace": lambda _: Namespace(),
    "pathlib.PosixPath": _path,
    "pathlib.PurePosixPath": _path,
    "pathlib.WindowsPath": _path,
    "builtins.set": _sequence,
    "builtins.frozenset": _sequence,
    "builtins.bytearray": _bytes,
    "builtins.bytes": _bytes,
    "_codecs.encode": _encode,
    "numpy.dtype": _numpy_type,
    "numpy._core.multiarray._reconstruct": lambda _, *given: Array(),  # to be given its state
    "numpy._core.multiarray.scalar": _numpy_number,
    "numpy._core.numeric._frombuffer": _numpy_buffer,
}
