"""The stack machine that a pickle is a program for, without its power to act: only data opcodes mean anything here.

A pickle is a program, and `pickle.load` calls whatever that program names. This machine decodes the opcodes with
`pickletools.genops` (which never runs them) and interprets those that build dictionaries, lists, tuples, numbers and
strings. Names and calls go to a subclass, which knows a few of them, answers with values of its own and refuses the
rest: nothing is ever imported or called. Protocols 0 and 1 and out-of-band buffers are left out.

What a hostile pickle could still do is cost memory or time, so the number of opcodes and the bytes that strings unfold
to are bounded, and no value is ever printed. What is refused is refused with `ValueError` (genops raises it too).
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable, Hashable
from typing import IO, Any, ClassVar

MAX_OPCODES = 2_000_000  # a state dict has about 45 for a tensor; CIFAR-100's largest file about 250,000

Action = Callable[[Any, Any], None]  # (machine, the opcode's argument)


class Machine:
    """The stack, the marks and the memo of one pickle, and how many more bytes its strings may unfold to."""

    plain: ClassVar[frozenset[str]] = frozenset({
        "BININT", "BININT1", "BININT2", "INT", "LONG1", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES",
        "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"})  # fmt: skip  # opcodes whose argument is the value
    actions: ClassVar[dict[str, Action]]  # what the other opcodes do

    def __init__(self, max_bytes: int) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.bytes_left = max_bytes

    def run(self, stream: IO[bytes]) -> Any:
        """Interpret one pickle from ``stream``; returns what is on top of the stack at its end."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # genops on odd escapes in old texts
            for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
                if count >= MAX_OPCODES:
                    raise ValueError(f"more than {MAX_OPCODES} opcodes")
                self._obey(opcode.name, argument)
        return self.top()

    def _obey(self, opcode: str, argument: Any) -> None:
        if opcode in self.plain:
            self.stack.append(argument)
        elif opcode in self.actions:
            self.actions[opcode](self, argument)
        elif opcode != "STOP":
            raise ValueError(f"the opcode {opcode}")

    # ---- what a subclass knows ---------------------------------------------------------------------------------

    def named(self, module: str, name: str) -> Any:
        """What stands for the global ``module.name``; ValueError for one that plain data does not need."""
        raise NotImplementedError

    def called(self, known: Any, arguments: tuple[Any, ...]) -> Any:
        """What the call of a known name would have given; nothing is called."""
        raise NotImplementedError

    def built(self, target: Any, state: Any) -> Any:
        """The ``target`` after it was given its ``state``."""
        raise NotImplementedError

    def key(self, key: Any) -> Hashable:
        """The key of a dictionary as it is kept; ValueError for one that could be dear to hash."""
        raise NotImplementedError

    # ---- the stack ---------------------------------------------------------------------------------------------

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
        return typed(self.stack[-1], kind)

    def remember(self, index: int) -> None:
        """Keep the top of the stack under ``index``."""
        self.memo[index] = self.top()

    def recall(self, index: int) -> None:
        """Push what was kept under ``index``."""
        if index not in self.memo:
            raise ValueError(f"nothing remembered under {index}")
        self.stack.append(self.memo[index])

    def encoded(self, text: str) -> bytes:
        """Protocol 2's way of writing bytes: as text, to be encoded."""
        self.bytes_left -= len(text)
        if self.bytes_left < 0:
            raise ValueError("strings that unfold to more than the file may hold")
        return text.encode("latin1")

    def fill(self, values: list[Any]) -> None:
        """SETITEMS: the keys and values in ``values``, in turn, go into the dictionary on top."""
        target = self.top(dict)
        for key, value in zip(values[::2], values[1::2], strict=True):
            target[self.key(key)] = value

    def extend(self, values: list[Any]) -> None:
        """APPENDS: ``values`` go to the end of the list on top."""
        self.top(list).extend(values)

    def push_called(self) -> None:
        """REDUCE and NEWOBJ: a known name and the arguments of its call."""
        known, arguments = self.take(2)
        self.stack.append(self.called(known, typed(arguments, tuple)))


def typed(value: Any, *kinds: type) -> Any:
    """Return ``value``, which must be one of ``kinds``."""
    if not isinstance(value, kinds):
        raise ValueError(f"a {type(value).__name__} where a {' or '.join(kind.__name__ for kind in kinds)} belongs")
    return value


def unknown_name(module: str, name: str) -> ValueError:
    """The refusal of a global name."""
    return ValueError(f"the name {f'{module}.{name}'[:80]!r}, which plain data does not need")


Machine.actions = {
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
    "SETITEM": lambda m, _: m.fill(m.take(2)),
    "SETITEMS": lambda m, _: m.fill(m.since_mark()),
    "APPEND": lambda m, _: m.extend(m.take(1)),
    "APPENDS": lambda m, _: m.extend(m.since_mark()),
    "BINPUT": lambda m, index: m.remember(index),
    "LONG_BINPUT": lambda m, index: m.remember(index),
    "MEMOIZE": lambda m, _: m.remember(len(m.memo)),
    "BINGET": lambda m, index: m.recall(index),
    "LONG_BINGET": lambda m, index: m.recall(index),
    "GLOBAL": lambda m, text: m.stack.append(m.named(*text.partition(" ")[::2])),  # "module name"
    "STACK_GLOBAL": lambda m, _: m.stack.append(m.named(*(typed(text, str) for text in m.take(2)))),
    "REDUCE": lambda m, _: m.push_called(),
    "BUILD": lambda m, _: m.stack.append(m.built(*m.take(2))),
}
