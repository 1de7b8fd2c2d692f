"""The pickle inside a torch file, without running it: tensors, dictionaries of them and plain values.

`Machine` interprets the opcodes that build plain data. The names that tensors, NumPy numbers and a few harmless
containers are pickled with stand for themselves (`CALLS`, `CONSTANTS`); nothing is imported and nothing is called.
Other names stand for objects that nobody builds (`Foreign`): who reads the result leaves them out or refuses them. What
no plain object needs, names that act (`ACTING`) and kinds of tensors that are not read (`KINDS`), is refused at once.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

from lpc_core.checkpoint.formats.plain import Foreign
from lpc_core.checkpoint.formats.torch_calls import CALLS, CONSTANTS, array_of_state, takes
from lpc_core.checkpoint.formats.torch_names import check_foreign, modern
from lpc_core.checkpoint.formats.torch_values import DTYPES, STORAGES, Array, DType, Name, Namespace, Storage
from lpc_core.files.pickle_machine import Action, Machine, typed, unknown_name
from lpc_core.files.tensors import ITEM_BYTES, is_size

MAX_PICKLE = 32 * 2**20  # bytes beside the tensors; 20,000 tensors need about 4 MB
MAX_KEY = 1_000  # characters
MAX_GLOBAL = 300  # characters of a global name
MAX_CLASSES = 1_000  # that a pickle names and nobody knows


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
        """A name stands for itself if tensors or plain values need it; else for an object that nobody builds."""
        if len(module) + len(name) > MAX_GLOBAL:
            raise unknown_name(module[:MAX_GLOBAL], name[:MAX_GLOBAL])
        text = modern(f"{module}.{name}")
        if text in CALLS or text in CONSTANTS:
            return Name(text)
        if module in ("torch", "torch.cuda", "torch.storage") and name in STORAGES:
            return Name(f"torch.{name}")
        if module == "torch" and name in DTYPES:
            return f"torch.{name}"
        check_foreign(text)
        if len(self._objects) >= MAX_CLASSES:
            raise ValueError(f"objects of more than {MAX_CLASSES} classes")
        return self._objects.setdefault(text, Foreign(text))

    def called(self, known: Any, arguments: tuple[Any, ...]) -> Any:
        """What the call of a known name would have given; an object stays what it is."""
        if isinstance(known, Foreign):
            return known
        call = CALLS.get(typed(known, Name).text)
        if call is None or not takes(call, len(arguments)):
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
            target.values = array_of_state(typed(state, tuple))
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

    def pop(self) -> None:
        """POP: a mark or a value, whichever is on top."""
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.take(1)


_MORE: dict[str, Action] = {
    "BINPERSID": lambda m, _: m.stack.append(m.persistent(m.take(1)[0])),
    "NEWOBJ": lambda m, _: m.push_called(),
    "EMPTY_SET": lambda m, _: m.stack.append([]),  # kept as a list
    "ADDITEMS": Machine.actions["APPENDS"],
    "FROZENSET": lambda m, _: m.stack.append(m.since_mark()),
    "POP": lambda m, _: m.pop(),
    "POP_MARK": lambda m, _: m.since_mark(),
}
TorchPickle.actions = Machine.actions | _MORE
