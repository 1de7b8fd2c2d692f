"""A message between the reading process and the one that asked: one safetensors file of a single form.

Every storage is a tensor of bytes named by its number; in the metadata one JSON text says what the file is and which
views of the storages its tensors are. The process that asked parses nothing else, and checks this as if a stranger had
written it: the reading process may have been taken over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lpc_core.checkpoint._base import Ask, FileRefused, Limits, refusal
from lpc_core.checkpoint._message import Buffer, Message, View, check_json, check_views, size_of
from lpc_core.checkpoint.formats.safetensors_file import parse
from lpc_core.files.plain_json import dumps
from lpc_core.files.tensors import ALIGNMENT, head, is_size
from lpc_core.files.words import printable

MAX_TEXT = 48 * 2**20  # bytes of the JSON text
MAX_CHOICES = 100  # of a question
KINDS = ("checkpoint", "embeddings", "film", "tree", "refused")


def pack(message: Message, write: Callable[[Buffer], object]) -> None:
    """Hand the message's bytes to ``write``, piece by piece."""
    views = [[view.name, view.dtype, view.shape, view.strides, view.storage, view.offset] for view in message.views]
    text = dumps({"kind": message.kind, "facts": message.facts, "views": views}, ensure_ascii=False)
    sizes = ((str(number), "uint8", (_padded(storage),)) for number, storage in enumerate(message.storages))
    write(head(sizes, message=text)[0])
    for storage in message.storages:
        write(storage)
        write(bytes(_padded(storage) - size_of(storage)))


def unpack(raw: memoryview, limits: Limits) -> Message:
    """The message in ``raw``, whose memory it shares; raises `FileRefused` for a refusal and for what is no message."""
    room = Limits(tensor_bytes=limits.tensor_bytes + limits.tensors * ALIGNMENT + 2**20, tensors=limits.tensors + 64)
    metadata, parts, storages = parse(raw, room, max_header=2 * MAX_TEXT)
    by_number = dict(zip((view.name for view in parts), storages, strict=True))
    given = check_json(metadata.get("message", ""), MAX_TEXT, "the reading process's message")
    try:
        kind, facts, views = given["kind"], given["facts"], [_view(entry) for entry in given["views"]]
        ordered = [by_number[str(number)] for number in range(len(storages))]
    except (KeyError, TypeError, ValueError, IndexError):
        kind, facts, views, ordered = None, {}, [], []
    if kind not in KINDS or not isinstance(facts, dict):
        raise refusal("a message of the reading process", "something else", "report this file: it may be an attack")
    if kind == "refused":
        raise _refused(facts)
    check_views(views, ordered, room)
    return Message(kind, facts, views, list(ordered))


def _refused(facts: dict[str, Any]) -> FileRefused:
    """The refusal, with its question if it has one."""
    refused = FileRefused(printable(facts.get("why", ""), 1300))
    match facts.get("ask"):
        case [str(role), [*choices]] if 0 < len(choices) <= MAX_CHOICES and all(isinstance(c, str) for c in choices):
            refused.ask = Ask(role, tuple(choices))
    return refused


def _view(entry: list[Any]) -> View:
    name, dtype, shape, strides, storage, offset = entry
    if not (isinstance(name, str) and isinstance(dtype, str) and is_size(storage)):
        raise TypeError("no view")
    return View(name, dtype, tuple(shape), tuple(strides), storage, offset)


def _padded(storage: Buffer) -> int:
    return size_of(storage) + -size_of(storage) % ALIGNMENT
