"""What the process that asked makes of a message, sharing its memory: checkpoint, embeddings, film or tree entries."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from lpc_core.checkpoint._base import Checkpoint, Embeddings, FileRefused, Limits, TensorEntry
from lpc_core.checkpoint._message import GRAPHS, Message, View, check_total
from lpc_core.checkpoint._weights import whole
from lpc_core.checkpoint._wrappers import unprefixed
from lpc_core.config import restored
from lpc_core.files.words import printable
from lpc_core.film import Film


def result(message: Message, *, part: bool = False) -> Checkpoint | Embeddings | Film:
    """The object that the message describes; of a ``part`` of a checkpoint the tensors as they are."""
    makers: dict[str, Callable[[Message], Checkpoint | Embeddings | Film]] = {
        "checkpoint": _checkpoint if not part else _tensors, "embeddings": _embeddings, "film": _film}
    try:
        return makers[message.kind](message)
    except FileRefused:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:  # not what our own reading process writes
        raise FileRefused(f"expected a whole message of the reading process, got one with {printable(repr(error))}; "
                          "report this file: it may be an attack") from None


def tree(message: Message) -> list[TensorEntry]:
    """The entries of a message of the kind "tree"."""
    return [TensorEntry(**{**entry, "shape": tuple(entry["shape"]), "histogram": tuple(entry["histogram"]),
                           **{name: math.nan if entry[name] is None else entry[name]
                              for name in ("norm", "minimum", "maximum", "zeros")}})
            for entry in message.facts["entries"]]


def _checkpoint(message: Message) -> Checkpoint:
    found = _tensors(message)
    if found.format in GRAPHS:  # a graph computes what it needs
        return found
    tensors, told = whole(found.tensors)
    return replace(found, tensors=tensors, notes=(*found.notes, *told))


def _tensors(message: Message) -> Checkpoint:
    facts = message.facts
    storages = [torch.frombuffer(storage, dtype=torch.uint8) if len(storage) else torch.empty(0, dtype=torch.uint8)
                for storage in message.storages]
    return Checkpoint(facts["format"], {view.name: _tensor(storages[view.storage], view) for view in message.views},
                      tuple(facts["stripped"]), facts["metadata"], tuple(facts["notes"]),
                      tuple(facts.get("weights", ())))


def joined(parts: Sequence[Checkpoint], wanted: str | None, limits: Limits) -> Checkpoint:
    """The checkpoint whose tensors lie in ``parts``, which share no name; prefixes off and weights whole."""
    check_total(sum(tensor.nbytes for part in parts for tensor in part.tensors.values()), limits)
    formats = {part.format for part in parts}
    if len(formats) > 1 or formats & {*GRAPHS}:
        raise FileRefused(f"expected parts in one format, got {' and '.join(sorted(formats))}; choose those of one "
                          "checkpoint")
    leaves = {name: tensor for part in parts for name, tensor in part.tensors.items()}
    metadata = {name: value for part in parts for name, value in part.metadata.items()}
    tensors, stripped, weights, notes = unprefixed(leaves, metadata, [], wanted)
    tensors, told = whole(tensors)
    own = [note for part in parts for note in part.notes]
    return Checkpoint(parts[0].format, tensors, tuple(stripped), metadata,
                      (f"read from {len(parts)} files", *own, *notes, *told), tuple(weights))


def _tensor(storage: torch.Tensor, view: View) -> torch.Tensor:
    """The view of its storage, which other tensors may share."""
    dtype = getattr(torch, view.dtype)
    if 0 in view.shape:
        return torch.empty(view.shape, dtype=dtype)
    whole = storage[: len(storage) - len(storage) % dtype.itemsize].view(dtype)
    return whole.as_strided(view.shape, view.strides, view.offset)


def _embeddings(message: Message) -> Embeddings:
    arrays, facts = message.arrays(), message.facts
    texts = None
    if "texts.ends" in arrays:
        content, ends = arrays.pop("texts.bytes").tobytes(), arrays.pop("texts.ends").tolist()
        texts = tuple(content[start:end].decode("utf-8", "replace")
                      for start, end in zip([0, *ends], ends, strict=False))
    names = tuple(facts["class_names"])
    if not all(isinstance(name, str) for name in names):
        raise TypeError("class names that are no texts")
    return Embeddings(class_names=names, notes=tuple(facts["notes"]), texts=texts,
                      warnings=tuple(map(str, facts["warnings"])), unlabelled=int(facts["unlabelled"]), **arrays)


def _film(message: Message) -> Film:
    arrays = message.arrays()
    own: dict[str, np.ndarray] = {name: arrays.pop(name) for name in ("gammas", "steps", "labels")}
    return Film(restored(json.loads(message.facts["config"])), json.loads(message.facts["info"]), **own, tensors=arrays)
