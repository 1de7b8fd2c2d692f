"""The pickle inside a torch file, without running it: tensors, dictionaries of them and plain values.

`Machine` interprets the opcodes that build plain data. The names that tensors, NumPy numbers and a few harmless
containers are pickled with stand for themselves (`_CALLS`, `_CONSTANTS`); nothing is imported and nothing is called.
Other names stand for objects that nobody builds (`Foreign`): who reads the result leaves them out or refuses them. What
no plain object needs, names that act (`ACTING`) and kinds of tensors that are not read (`KINDS`), is refused at once.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lpc_core.checkpoint._plain import Foreign
from lpc_core.files.pickle_machine import Action, Machine, typed, unknown_name
from lpc_core.files.tensors import ITEM_BYTES, MAX_DIMENSIONS, is_size
from lpc_core.files.words import printable

MAX_PICKLE = 32 * 2**20  # bytes beside the tensors; 20,000 tensors need about 4 MB
MAX_KEY = 1_000  # characters
MAX_GLOBAL = 300  # characters of a global name
MAX_CLASSES = 1_000  # that a pickle names and nobody knows
STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "UntypedStorage": "uint8",
}  # fmt: skip
DTYPES = {**{name: name for name in ITEM_BYTES}, "float": "float32", "double": "float64", "half": "float16",
          "long": "int64", "int": "int32", "short": "int16"}  # fmt: skip

ACTING = {  # first parts of names that reach files, processes, code or attributes; no object of a training loop is one
    "os", "posix", "nt", "posixpath", "subprocess", "_posixsubprocess", "sys", "importlib", "imp", "runpy",
    "operator", "_operator", "types", "webbrowser", "antigravity", "pip", "setuptools", "socket", "ssl", "shutil",
    "ctypes", "_ctypes", "pty", "code", "codeop", "pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib",
    "marshal", "shelve", "multiprocessing", "threading", "_thread", "asyncio", "signal", "io", "_io", "tempfile",
    "glob", "platform", "builtins", "__builtin__", "commands", "popen2", "timeit", "trace", "pdb", "bdb",
    "cProfile", "profile", "doctest", "inspect", "gc", "atexit", "site", "venv", "ensurepip", "zipimport",
    "pkgutil", "urllib", "urllib2", "requests", "http", "ftplib", "smtplib", "telnetlib", "xmlrpc", "sqlite3",
    "_sqlite3", "idlelib", "lib2to3", "tkinter", "readline", "faulthandler", "mmap", "resource", "linecache",
    "distutils", "torch.hub", "torch.jit", "torch.utils.cpp_extension", "torch.utils.model_zoo",
    "torch.utils.data.datapipes", "torch.distributed", "torch._inductor", "torch._dynamo", "torch.package",
    "torch.load", "torch.save", "torch.storage", "torch.ops", "torch.classes", "torch.fx", "torch.export",
    "numpy.load", "numpy.fromfile", "numpy.save", "numpy.loadtxt", "numpy.genfromtxt", "numpy.memmap",
    "numpy.testing", "numpy.distutils", "numpy.f2py", "numpy.lib"}  # fmt: skip
INERT = {  # names under those that plain objects are pickled with
    "_io.BytesIO", "io.BytesIO", "types.GenericAlias", "types.NoneType", "builtins.object",
    "builtins.type", "builtins.tuple", "builtins.bool",
    "builtins.complex", "builtins.slice", "builtins.range", "builtins.set", "__builtin__.object", "__builtin__.tuple"}
KINDS = {  # what makes a tensor of another kind: (beginning of the name, the kind, what to do)
    "torch._utils._rebuild_sparse": ("a sparse tensor", "save it dense, tensor.to_dense()"),
    "torch.serialization._get_layout": ("a sparse tensor", "save it dense, tensor.to_dense()"),
    "torch._utils._rebuild_q": ("a quantised tensor", "save the model before it is quantised, or tensor.dequantize()"),
    "torch.per_": ("a quantised tensor", "save the model before it is quantised, or tensor.dequantize()"),
    "torch.Q": ("a quantised tensor", "save the model before it is quantised, or tensor.dequantize()"),
    "torch.q": ("a quantised tensor", "save the model before it is quantised, or tensor.dequantize()"),
    "torch._utils._rebuild_meta": ("a tensor without values (meta)", "load the weights into the model before saving"),
    "torch._utils._rebuild_nested": ("a nested tensor", "save its parts"),
    "torch._utils._rebuild": ("a tensor of a kind of its own", "save plain tensors, tensor.detach().cpu().clone()"),
    "torch._utils": ("something that plain tensors do not need", "save plain tensors")}


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


class TorchPickle(Machine):
    """A machine that knows tensors, NumPy arrays and numbers, and some containers."""

    plain: ClassVar[frozenset[str]] = Machine.plain | {"BINFLOAT", "LONG4"}

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self.storages: dict[str, Storage] = {}  # by key
        self._objects: dict[str, Foreign] = {}  # by name, in the order of the pickle

    @property
    def objects(self) -> list[Foreign]:
        """One for each class or function that the pickle asks for and nobody knows."""
        return list(self._objects.values())

    def named(self, module: str, name: str) -> Any:
        """A name stands for itself if tensors or plain values need it."""
        if len(module) + len(name) > MAX_GLOBAL:
            raise unknown_name(module[:MAX_GLOBAL], name[:MAX_GLOBAL])
        text = f"{module}.{name}"
        if text in _CALLS or text in _CONSTANTS:
            return Name(text)
        if module in ("torch", "torch.cuda", "torch.storage") and name in STORAGES:
            return Name(f"torch.{name}")
        if module == "torch" and name in DTYPES:
            return f"torch.{name}"
        return self._foreign(module, name)

    def _foreign(self, module: str, name: str) -> Foreign:
        """What stands for an object of a class that nobody knows; refuses what acts, and kinds of tensors."""
        text = f"{module}.{name}"
        for start, (what, do) in KINDS.items():
            if text.startswith(start):
                raise ValueError(f"the name {text[:80]!r}, which makes {what}: {do}")
        parts = text.split(".")
        acts = any(".".join(parts[:count]) in ACTING for count in range(1, len(parts) + 1))
        if (acts and text not in INERT) or not all(map(str.isidentifier, parts)):
            raise unknown_name(module, name)
        if len(self._objects) >= MAX_CLASSES:
            raise ValueError(f"objects of more than {MAX_CLASSES} classes")
        return self._objects.setdefault(text, Foreign(text))

    def called(self, known: Any, arguments: tuple[Any, ...]) -> Any:
        """What the call of a known name would have given; an object stays what it is."""
        if isinstance(known, Foreign):
            return known
        call = _CALLS.get(typed(known, Name).text)
        if call is None or not _takes(call, len(arguments)):
            raise ValueError(f"a call of {known.text!r} with {len(arguments)} values")
        return call(self, *arguments)

    def fill(self, values: list[Any]) -> None:
        """SETITEMS: into a dictionary; what an object would hold is dropped."""
        if not isinstance(self.top(), Foreign):
            super().fill(values)

    def extend(self, values: list[Any]) -> None:
        """APPENDS: to a list; what an object would hold is dropped."""
        if not isinstance(self.top(), Foreign):
            super().extend(values)

    def built(self, target: Any, state: Any) -> Any:
        """The state of an array or of a NumPy type; attributes of dictionaries (``_metadata``) say nothing we need."""
        if isinstance(target, Array):
            target.values = _array_of_state(typed(state, tuple))
        elif isinstance(target, DType):
            order = state[1] if isinstance(state, tuple) and len(state) > 1 else "<"
            target.order = order if order in ("<", ">") else "<"
        elif isinstance(target, Namespace):
            target.update((str(key)[:MAX_KEY], value) for key, value in typed(state, dict).items())
        elif not isinstance(target, dict | Foreign):
            raise ValueError(f"a state for a {type(target).__name__}")
        return target

    def key(self, key: Any) -> Hashable:
        """Texts and numbers as they are; other keys, which could be dear to hash, by what they are."""
        if isinstance(key, str | bytes) and len(key) > MAX_KEY:
            raise ValueError(f"a key of more than {MAX_KEY} characters")
        if isinstance(key, bytes):
            return key.decode("latin1")
        small = isinstance(key, str | float | None) or (isinstance(key, int) and abs(key) < 2**63)
        return key if small else f"<{type(key).__name__}>"

    def charge(self, count: int) -> None:
        """Take ``count`` bytes, which are copied, from what the pickle may unfold to."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise ValueError("values that unfold to more than the file may hold")

    def persistent(self, identity: Any) -> Storage | Foreign:
        """The storage that a persistent id names: ("storage", type, key, device, elements), and None in old files."""
        parts = typed(identity, tuple)
        if len(parts) == 4 and parts[0] == "module" and isinstance(parts[1], Foreign):
            return parts[1]  # a class, with its program's text in old files
        if len(parts) not in (5, 6) or parts[0] not in ("storage", b"storage"):
            raise ValueError("a persistent id other than a storage")
        kind, key, count = typed(parts[1], Name).text.removeprefix("torch."), parts[2], parts[4]
        if kind not in STORAGES or not isinstance(key, str | bytes) or len(key) > 100 or not is_size(count):
            raise ValueError("a storage of an unknown kind")
        if len(parts) == 6 and parts[5] is not None:
            raise ValueError("a view of a storage as torch 0.3 wrote them")
        text = key if isinstance(key, str) else key.decode("latin1")
        storage = Storage(text, STORAGES[kind], count * ITEM_BYTES[STORAGES[kind]])
        if self.storages.setdefault(text, storage) != storage:
            raise ValueError("one storage with two types or sizes")
        return storage

    def add_items(self, items: list[Any]) -> None:
        """ADDITEMS: the items of a set, which is kept as a list."""
        self.extend(items)

    def pop(self) -> None:
        """POP: a mark or a value, whichever is on top."""
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.take(1)


class Namespace(dict):
    """Stands for an ``argparse.Namespace``: its attributes by name."""


_MORE: dict[str, Action] = {
    "BINPERSID": lambda m, _: m.stack.append(m.persistent(m.take(1)[0])),
    "NEWOBJ": lambda m, _: m.push_called(),
    "EMPTY_SET": lambda m, _: m.stack.append([]),
    "ADDITEMS": lambda m, _: m.add_items(m.since_mark()),
    "FROZENSET": lambda m, _: m.stack.append(m.since_mark()),
    "POP": lambda m, _: m.pop(),
    "POP_MARK": lambda m, _: m.since_mark(),
}
TorchPickle.actions = Machine.actions | _MORE


# ---- what the known calls would give: (machine, arguments…) ------------------------------------------------------


def _takes(call: Callable[..., Any], count: int) -> bool:
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
    return typed(items, list, tuple)


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


def _namespace(_: Machine) -> Namespace:
    return Namespace()


def _numpy_type(_: Machine, code: Any, *rest: Any) -> DType:
    """numpy.dtype("f4", False, True): only numbers and truth values."""
    text = code.decode("latin1") if isinstance(code, bytes) else typed(code, str)
    if text not in ("f2", "f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "c8", "c16"):
        raise ValueError(f"a NumPy array of the type {text[:20]!r}")
    return DType(text)


def _numpy_array(_: Machine, *given: Any) -> Array:
    """numpy._core.multiarray._reconstruct(ndarray, (0,), b"b"), to be given its state."""
    return Array()


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


def _array_of_state(state: tuple[Any, ...]) -> np.ndarray:
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
_CONSTANTS = {*_TENSOR_TYPES, "numpy.ndarray", "builtins.dict", "builtins.list", "builtins.int", "builtins.float",
              "builtins.str", "__builtin__.dict", "__builtin__.list", "__builtin__.int"}  # fmt: skip
_CALLS: dict[str, Callable[..., Any]] = {
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
    "copy_reg._reconstructor": _object,
    "copyreg.__newobj__": _object,
    "argparse.Namespace": _namespace,
    "types.SimpleNamespace": _namespace,
    "pathlib.PosixPath": _path,
    "pathlib.PurePosixPath": _path,
    "pathlib.WindowsPath": _path,
    "pathlib._local.PosixPath": _path,
    "pathlib._local.WindowsPath": _path,
    "builtins.set": _sequence,
    "builtins.frozenset": _sequence,
    "__builtin__.set": _sequence,
    "builtins.bytearray": _bytes,
    "__builtin__.bytearray": _bytes,
    "builtins.bytes": _bytes,
    "__builtin__.bytes": _bytes,
    "_codecs.encode": _encode,
    "numpy.dtype": _numpy_type,
    "numpy._core.multiarray._reconstruct": _numpy_array,
    "numpy.core.multiarray._reconstruct": _numpy_array,
    "numpy._core.multiarray.scalar": _numpy_number,
    "numpy.core.multiarray.scalar": _numpy_number,
    "numpy._core.numeric._frombuffer": _numpy_buffer,
    "numpy.core.numeric._frombuffer": _numpy_buffer,
}
