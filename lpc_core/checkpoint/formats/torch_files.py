"""torch.save's files, zip (since 1.6) and legacy, read without torch: a pickle that says where tensors lie, and bytes.

The pickle is interpreted by `TorchPickle`, which can't execute anything; the bytes of the storages are handed on
without a copy. Little-endian files only.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import Limits, refusal
from lpc_core.checkpoint._message import (
    Buffer,
    Message,
    View,
    check_name,
    check_views,
    little_endian,
    printable_name,
    row_major,
    size_of,
)
from lpc_core.checkpoint._wrappers import CONVERT, Unwrapped, not_plain
from lpc_core.checkpoint.formats.archive import Archive
from lpc_core.checkpoint.formats.torch_pickle import MAX_PICKLE, TorchPickle
from lpc_core.checkpoint.formats.torch_values import Array, Storage, Tensor
from lpc_core.files.tensors import ITEM_BYTES
from lpc_core.files.words import amount, printable

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_START = b"\x80\x02\x8a\x0a" + LEGACY_MAGIC.to_bytes(10, "little") + b"."
LEGACY_PROTOCOL = 1001
SAVE_LITTLE = "save it again on a little-endian machine"
Find = Callable[[Storage], Buffer]  # the bytes of a storage


def read_torch_zip(archive: Archive, limits: Limits, wanted: str | None = None) -> Message:
    """The tensors in a zip file of torch.save; ``wanted`` names the weights where it holds several."""
    [pickle_name] = [name for name in archive.members if name == "data.pkl" or name.endswith("/data.pkl")][:1]
    folder = pickle_name.removesuffix("data.pkl")
    note = f"{folder}byteorder"  # that torch writes since 2.1
    order = bytes(archive.read(note, strict=False)) if note in archive.members else b"little"
    if order.strip() != b"little":
        raise refusal("a little-endian torch file", printable(repr(order[:10])), SAVE_LITTLE)
    if archive.members[pickle_name].size > MAX_PICKLE:
        raise refusal(f"at most {MAX_PICKLE:,} bytes beside the tensors of a torch file",
                      amount(archive.members[pickle_name].size), CONVERT)
    root, machine = interpret(io.BytesIO(archive.read(pickle_name, strict=False)))

    def find(storage: Storage) -> Buffer:
        name = f"{folder}data/{storage.key}"
        if name not in archive.members:
            raise refusal(f"the storage {printable(repr(storage.key))} in the file", "none", "save or copy it again")
        return archive.read(name, strict=False)

    message = contents(root, machine, "torch", find, limits, wanted)
    if archive.damaged:  # torch can be told to save without checksums, so this alone is no reason to refuse
        message.facts["notes"].append(f"{len(archive.damaged)} of the file's checksums are wrong: saved without them, "
                                      "or damaged")
    return message


def read_torch_legacy(raw: memoryview, limits: Limits, wanted: str | None = None) -> Message:
    """The tensors in a file that torch.save wrote before 1.6: five pickles, then the storages."""
    stream = io.BytesIO(raw[:MAX_PICKLE])
    magic, protocol, system = (_plain(stream) for _ in range(3))
    root, machine = interpret(stream)
    keys = _plain(stream)
    if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL or not isinstance(system, dict):
        raise refusal("a legacy torch file in protocol 1001", "another", CONVERT)
    if system.get("little_endian") is not True:
        raise refusal("a little-endian torch file", "a big-endian one", SAVE_LITTLE)
    places = _legacy_places(raw, stream.tell(), keys, machine.storages)
    return contents(root, machine, "torch (legacy)", lambda storage: places[storage.key], limits, wanted)


def _legacy_places(raw: memoryview, position: int, keys: Any, storages: dict[str, Storage]) -> dict[str, memoryview]:
    """The bytes of every storage: each is its number of elements and then those, in the order of ``keys``."""
    if not isinstance(keys, list) or sorted(map(repr, keys)) != sorted(map(repr, storages)):
        raise refusal("the tensors' storages listed in a legacy torch file", "another list", "save or copy it again")
    places = {}
    for key in keys:
        storage, start = storages[key], position + 8
        position = start + storage.bytes
        count = int.from_bytes(raw[start - 8 : start], "little")
        if count * ITEM_BYTES[storage.dtype] != storage.bytes or position > len(raw):
            raise refusal(f"a storage of {amount(storage.bytes)}",
                          f"{amount(max(len(raw) - start, 0))} left in the file", "save or copy it again")
        places[key] = raw[start:position]
    return places


def interpret(stream: io.BytesIO) -> tuple[Any, TorchPickle]:
    """What the pickle at the stream's position describes, and the machine, which knows storages and objects in it."""
    machine = TorchPickle(MAX_PICKLE)
    try:
        return machine.run(stream), machine
    except ValueError as error:  # the machine's, and those of genops
        raise refusal("a torch file of tensors and plain values", f"a pickle with {printable(error, 200)}", CONVERT) \
            from None


def _plain(stream: io.BytesIO) -> Any:
    """The same for a pickle in which no object belongs."""
    found, machine = interpret(stream)
    if machine.objects:
        raise not_plain(machine.objects[0])
    return found


def contents(root: Any, machine: TorchPickle, kind: str, find: Find, limits: Limits,  # noqa: PLR0917
             wanted: str | None) -> Message:
    """The checkpoint whose pickle describes ``root``."""
    unwrapped = Unwrapped(root, _is_tensor, machine.objects, wanted)
    storages: list[Buffer] = []
    numbers: dict[str, int] = {}  # of the storages by key: shared ones stay shared
    views = [_view(name, leaf, find, numbers, storages) for name, leaf in unwrapped.leaves.items()]
    check_views(views, storages, limits)
    facts = {"format": kind, "stripped": unwrapped.stripped, "metadata": unwrapped.metadata, "notes": unwrapped.notes,
             "weights": unwrapped.weights}
    return Message("checkpoint", facts, views, storages)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, Array) and value.values is not None)


def _view(name: str, leaf: Tensor | Array, find: Find, numbers: dict[str, int], storages: list[Buffer]) -> View:
    """The leaf as a view of a storage, which is found and added if it is not there yet."""
    check_name(name)
    if isinstance(leaf, Array):
        assert leaf.values is not None, "leaves have values"
        array = little_endian(leaf.values)
        storages.append(array.reshape(-1).view(np.uint8))
        return View(name, array.dtype.name, array.shape, row_major(array.shape), len(storages) - 1)
    key = leaf.storage.key
    if key not in numbers:
        numbers[key] = len(storages)
        found = find(leaf.storage)
        if size_of(found) != leaf.storage.bytes:
            raise refusal(f"{amount(leaf.storage.bytes)} in the storage of {printable_name(name)}",
                          f"{size_of(found):,}", "save or copy the file again")
        storages.append(found)
    return View(name, leaf.dtype, leaf.shape, leaf.strides, numbers[key], leaf.offset)
