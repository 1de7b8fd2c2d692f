"""One file into a message: the only function that looks inside a file. It runs in the reading process (`sandbox`).

It needs NumPy, safetensors and the standard library (parquet: pyarrow; films: `lpc_core.film`), so that the process
starts fast and there is little in it that could be attacked. Tests call it directly.
"""

from __future__ import annotations

import codecs
import dataclasses
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import FileRefused, Limits, refusal
from lpc_core.checkpoint._embeddings import are_embeddings, embeddings, role_of
from lpc_core.checkpoint._entries import as_numbers, blocks, entries
from lpc_core.checkpoint._kinds import kind_of, zip_kind
from lpc_core.checkpoint._labels import Arrays
from lpc_core.checkpoint._message import (
    GRAPHS,
    NO_NUMPY,
    Buffer,
    Message,
    View,
    array_of,
    check_json,
    check_name,
    check_samples,
    printable_name,
)
from lpc_core.checkpoint._wrappers import unprefixed
from lpc_core.checkpoint.formats import csv_text, npy, parquet, safetensors_file
from lpc_core.checkpoint.formats.archive import Archive
from lpc_core.checkpoint.formats.onnx import read_onnx
from lpc_core.checkpoint.formats.plain import Plain
from lpc_core.checkpoint.formats.table import Table, table_arrays
from lpc_core.checkpoint.formats.torch_export import read_torch_export
from lpc_core.checkpoint.formats.torch_files import read_torch_legacy, read_torch_zip
from lpc_core.config import flatten
from lpc_core.files.plain_json import dumps
from lpc_core.files.words import printable

RUN_FORMAT = "lpc-run-1"  # as in lpc_core.engine.state, which needs torch
ENCODINGS = ("utf-8-sig", "cp437", "latin1", "ascii", "raw-unicode-escape", "unicode-escape",  # the last two: pickles
             *(f"utf-{bits}{order}" for bits in (16, 32) for order in ("", "-le", "-be")))  # JSON may be in these
MAX_JSON = 4 * 2**20  # bytes of a JSON text in metadata


def prepare(head: bytes) -> None:
    """Import what a file that begins so may need; afterwards the reading process can't import any more."""
    for encoding in ENCODINGS:
        codecs.lookup(encoding)
    importlib.import_module("unicodedata")  # which Python's parser asks for where a name is not ASCII
    if head.startswith(b"PAR1"):
        parquet.prepare()
    elif head[8:9] == b"{":
        importlib.import_module("lpc_core.film")
        importlib.import_module("numpy.ma")  # which numpy.unique asks for


def read(raw: memoryview, job: dict[str, Any], limits: Limits) -> Message:
    """What the file in ``raw`` is.

    ``job``: name (of the file), picked ({role: array}), tree (for `entries` alone); and, where given, weights (which of
    several state dicts is read), part (whether it is one file of several: names stay as they are) and keep_unlabelled
    (see `_labels`). Raises `FileRefused`.
    """
    message = _found(raw, job, limits)
    if message.kind == "embeddings":
        check_samples(len(message.arrays()["labels"]), limits)
    return message


def _found(raw: memoryview, job: dict[str, Any], limits: Limits) -> Message:
    name, roles, tree = job["name"], job["picked"], job["tree"]
    if len(raw) > limits.file_bytes:
        raise refusal(f"a file of at most {limits.file_bytes:,} bytes", f"{len(raw):,}", "raise the limit file_bytes")
    source: Any = raw
    if (kind := kind_of(raw, name)) == "zip":
        source = Archive(raw, limits)
        kind = zip_kind(source)
    if kind in _TENSORS:
        message = _TENSORS[kind](source, limits, job.get("weights"))
        if job.get("part"):
            return _tree(message) if tree else _finished(message)
        own = kind in GRAPHS or (kind == "safetensors" and not job.get("weights"))  # names stay as in the file
        if tree:
            return _tree(message if own else stripped(message, job.get("weights")))
        return _recognised(message, raw, job)
    notes: list[str] = []
    warnings: list[str] = []
    keep = bool(job.get("keep_unlabelled"))
    if kind in _TABLES:
        table = _TABLES[kind](source, limits, roles)
        arrays = table.columns if tree else table_arrays(table, roles, notes, warnings)
        roles = {}
    else:
        arrays = _ARRAYS[kind](source, limits, roles, notes)
    if tree:
        return _tree(Message.of_arrays("tree", {}, {name: array for name, array in arrays.items()
                                                    if array.dtype.kind not in "SUO"}))
    return embeddings(arrays, roles, notes, warnings=warnings, keep_unlabelled=keep)


def _tree(message: Message) -> Message:
    return Message("tree", {"entries": entries(message)})


# ---- files of named tensors ------------------------------------------------------------------------------------


def _read_safetensors(raw: memoryview, limits: Limits, _: str | None) -> Message:
    """All tensors; the metadata as texts."""
    metadata, views, storages = safetensors_file.parse(raw, limits)
    return Message("checkpoint", {"format": "safetensors", "stripped": [], "metadata": metadata, "notes": []},
                   views, list(storages))


def _recognised(message: Message, raw: memoryview, job: dict[str, Any]) -> Message:
    """A film, one of the lab's own runs, embeddings, or a checkpoint with prefixes taken off its names."""
    metadata, kind = message.facts["metadata"], message.facts["format"]
    roles, weights = job["picked"], job.get("weights")
    if kind == "safetensors" and metadata.get("kind") == "film":
        return _film(raw)
    if kind == "safetensors" and metadata.get("format") == RUN_FORMAT:
        return _finished(_run(message))
    beside = _labels_beside(message)
    there: dict[str, np.ndarray | View] = {**{view.name: view for view in message.views}, **beside}
    if not are_embeddings(there, roles):
        return _with_doubts(_finished(message if kind in GRAPHS else stripped(message, weights)))
    arrays = message.arrays() | beside
    notes = list(message.facts["notes"])
    for view in message.views:
        if view.dtype in NO_NUMPY:
            arrays[view.name] = as_numbers(arrays[view.name], view.dtype)
            notes.append(f"{view.name!r} was {view.dtype}; read as float32")
    texts = {key: metadata[key] if isinstance(metadata[key], str) else dumps(metadata[key])
             for key in ("class_names", "texts") if key in metadata}
    return embeddings(arrays, roles, notes, texts, keep_unlabelled=bool(job.get("keep_unlabelled")))


def _labels_beside(message: Message) -> Arrays:
    """Labels that are a list of numbers or texts beside latents (n, d), n of them; all different ones are names."""
    counts = {view.shape[0] for view in message.views if role_of(view.name) == "latents" and len(view.shape) == 2}
    found: Arrays = {}
    for name, values in message.facts["metadata"].items():
        if role_of(name) in ("labels", "predictions") and isinstance(values, list) and len(values) in counts:
            kinds = {type(value) for value in values}
            if kinds <= {int, float, bool, str, type(None)} and len(set(values)) < len(values):
                found[name] = np.array(values, object if kinds & {str, type(None)} else None)
    return found


def _with_doubts(message: Message) -> Message:
    """The checkpoint, with a note where its tensors are called like embeddings that are not read as such."""
    last = {role_of(view.name.rpartition(".")[2]): view.name for view in reversed(message.views) if len(view.shape) < 3}
    if {"latents", "labels"} <= last.keys() and "" not in last:
        latents, labels = (printable(last[role], 60) for role in ("latents", "labels"))
        message.facts["notes"].append(f"{latents} and {labels} are called like embeddings: to have them read as such, "
                                      f"--pick latents={latents} --pick labels={labels}, in Python picked={{…}}")
    roles = {role_of(view.name): view for view in message.views}
    if "latents" in roles and "labels" not in roles and len(roles["latents"].shape) == 2 and "" not in roles:
        message.facts["notes"].append(f"{roles['latents'].name!r} is called like latents, but there are no labels (n,) "
                                      "among the tensors: with these the file would be read as embeddings")
    return message


def stripped(message: Message, wanted: str | None) -> Message:
    """The tensors without prefixes that all names share; metadata as bounded values. See `_wrappers.unprefixed`."""
    facts = message.facts
    leaves, off, weights, notes = unprefixed({view.name: view for view in message.views}, facts["metadata"],
                                             facts.get("weights", []), wanted, facts["stripped"])
    facts = {**facts, "stripped": [*facts["stripped"], *off], "metadata": Plain().value(facts["metadata"]),
             "notes": [*facts["notes"], *notes], "weights": weights}
    return Message("checkpoint", facts, [dataclasses.replace(view, name=name) for name, view in leaves.items()],
                   message.storages)


def _run(message: Message) -> Message:
    """The model of a run that ``lpc train --out`` wrote; its settings become metadata["run"]."""
    info = check_json(message.facts["metadata"].get("info", ""), MAX_JSON, "the run's info")
    if not isinstance(info, dict) or not isinstance(info.get("config"), dict):
        raise refusal("the settings of a run in its info", "none", "train and save the run again")
    model = [view for view in message.views if view.name.startswith("model.")]
    if not model:
        raise refusal("the tensors of a run's model", "none named model.…", "train and save the run again")
    left = len(message.views) - len(model)
    rest = {key: value for key, value in info.items() if key != "config"}
    facts = {"format": message.facts["format"], "stripped": ["model."],
             "metadata": Plain().value({"format": RUN_FORMAT, "run": info["config"], **rest}),
             "notes": [f"left out: {left} tensors of the optimiser and of random streams"] if left else []}
    return Message("checkpoint", facts, [dataclasses.replace(view, name=view.name.removeprefix("model."))
                                         for view in model], message.storages)


def _film(raw: memoryview) -> Message:
    """A film that the lab recorded, checked by its own reader."""
    film_module = importlib.import_module("lpc_core.film")
    try:
        film = film_module.open_film(bytes(raw[: film_module.MAX_BYTES + 1]))
        facts = {"config": dumps(flatten(film.config)),
                 "info": dumps(film.info)}
    except ValueError as error:  # FilmError is one
        raise FileRefused(printable(error, 1300)) from None
    own = {"gammas": film.gammas, "steps": film.steps, "labels": film.labels}
    return Message.of_arrays("film", facts, {**film.tensors, **own})


def _finished(message: Message) -> Message:
    """The checkpoint with storages that nothing shows left out, and a note for each tensor with NaN or infinity."""
    if not message.views:
        raise refusal("a file with tensors", "one that holds no tensors", "save the model's state dict into it")
    kept = sorted({view.storage for view in message.views})
    places = {number: place for place, number in enumerate(kept)}
    views = [dataclasses.replace(view, storage=places[view.storage]) for view in message.views]
    for view in views:
        check_name(view.name)
    storages = [message.storages[number] for number in kept]
    bad = [(view.name, count) for view in views if (count := _not_finite(storages[view.storage], view))]
    notes = [f"{name}: {count:,} values are NaN or infinite" for name, count in bad[:5]]
    if len(bad) > 5:
        notes.append(f"{len(bad) - 5:,} more tensors hold NaN or infinite values")
    return Message("checkpoint", {**message.facts, "notes": [*message.facts["notes"], *notes]}, views, storages)


def _not_finite(storage: Buffer, view: View) -> int:
    if view.dtype == "bool":
        bits = array_of(storage, dataclasses.replace(view, dtype="uint8"))  # as many bytes
        if any((block > 1).any() for block in blocks(bits, "uint8")):
            raise refusal("truth values of 0 or 1", f"other bytes in {printable_name(view.name)}", "save it again")
    if not view.dtype.startswith(("float", "bfloat", "complex")):
        return 0
    return sum(block.size - int(np.count_nonzero(np.isfinite(block)))
               for block in blocks(array_of(storage, view), view.dtype))


_TENSORS: dict[str, Callable[[Any, Limits, str | None], Message]] = {
    "safetensors": _read_safetensors,
    "torch": read_torch_zip,
    "torch (legacy)": read_torch_legacy,
    "torch.export": lambda archive, limits, _: read_torch_export(archive, limits),
    "onnx": lambda raw, limits, _: read_onnx(raw, limits),
}


# ---- files of arrays -------------------------------------------------------------------------------------------


def _read_npz(archive: Archive, limits: Limits, picked: dict[str, Any], notes: list[str]) -> Arrays:
    """All arrays but those of objects, which are refused only where they have a role."""
    arrays, objects = npy.read_npz(archive, limits)
    for name in objects:
        if name in picked.values() or (role_of(name) and role_of(name) not in picked):
            raise npy.refuse_objects(name)
        notes.append(f"left out, as it holds objects: {printable(name, 40)}")
    return arrays


def _read_npy(raw: memoryview, limits: Limits, _: dict[str, Any], __: list[str]) -> Arrays:
    array = npy.read_npy(raw, limits)
    if array.dtype.names:
        return {name: np.ascontiguousarray(array[name]) for name in array.dtype.names}
    raise refusal("latents and labels in an npy file, as fields of a structured array",
                  f"one array {array.shape} {array.dtype.name}",
                  "save both in one file, numpy.savez(file, latents=…, labels=…)")


_ARRAYS: dict[str, Callable[[Any, Limits, dict[str, Any], list[str]], Arrays]] = {"npz": _read_npz, "npy": _read_npy}
_TABLES: dict[str, Callable[[Any, Limits, dict[str, Any]], Table]] = {
    "csv": csv_text.read_csv, "parquet": parquet.read_parquet}
