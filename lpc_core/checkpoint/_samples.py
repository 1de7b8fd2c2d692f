"""An npz of samples to run a network on: inputs and labels. It runs in the reading process (`checkpoint.sandbox`).

Like the reader of checkpoints it needs NumPy and the standard library alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lpc_core.checkpoint import _read
from lpc_core.checkpoint._base import Limits, refusal
from lpc_core.checkpoint._embeddings import channels_last, embeddings, inventory, role_of
from lpc_core.checkpoint._kinds import kind_of, zip_kind
from lpc_core.checkpoint._labels import MAX_CLASSES, WHOLE
from lpc_core.checkpoint._message import Message, check_samples, some
from lpc_core.checkpoint.formats.archive import Archive
from lpc_core.checkpoint.formats.npy import read_npz, refuse_objects
from lpc_core.files.words import printable

INPUTS = ("inputs", "images", "input", "image", "x", "data", "pixels", "samples")  # names, the first that is there
LABELS = ("labels", "class_names")  # roles that are read beside the inputs


def prepare(head: bytes) -> None:
    """As for checkpoints: what must be imported before the lock."""
    _read.prepare(b"")


def read(raw: memoryview, job: dict[str, Any], limits: Limits) -> Message:
    """``inputs`` (n, H, W, C) or (n, D) and ``labels`` (n,) of the npz in ``raw``; class names and notes as facts."""
    kind = kind_of(raw, job["name"])
    archive = Archive(raw, limits) if kind == "zip" else None
    if archive is None or zip_kind(archive) != "npz":
        raise refusal("an npz file with inputs and labels", f"a {kind} file", "save them with numpy.savez(file, "
                      "inputs=…, labels=…)")
    arrays, objects = read_npz(archive, limits)
    key = next((given for wanted in INPUTS for given in (*arrays, *objects) if given.lower() == wanted), None)
    for needed in objects:
        if needed == key or role_of(needed) in LABELS:
            raise refuse_objects(needed)
    if key is None:
        raise refusal(f"samples in an array named {', '.join(INPUTS)}", inventory(arrays),
                      "save them with numpy.savez(file, inputs=…, labels=…)")
    if not any(role_of(given) == "labels" for given in arrays):
        raise refusal(f"labels (n,) beside {printable(repr(key), 40)}", inventory(arrays),
                      "save them with numpy.savez(file, inputs=…, labels=…)")
    notes = [f"inputs: {printable(repr(key), 40)}"] if key != "inputs" else []
    inputs = _checked(arrays.pop(key), notes)
    check_samples(len(inputs), limits)
    others = {given: value for given, value in arrays.items()
              if role_of(given) in LABELS and given.lower() not in INPUTS}
    if left := [printable(given, 40) for given in (*arrays, *objects) if given not in others]:
        notes.append(f"left out: {some(left, 20)}")
    found = embeddings({"latents": np.arange(float(len(inputs)))[:, None], **others}, {}, notes)
    rows = found.arrays()["latents"][:, 0].astype(np.int64)  # those that name a class
    labels, names = _as_rows(found.arrays()["labels"], found.facts["class_names"])
    return Message.of_arrays("embeddings", {**found.facts, "class_names": names},
                             {"inputs": inputs if len(rows) == len(inputs) else inputs[rows], "labels": labels})


def _as_rows(labels: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """Labels that are whole numbers as they are, since they mean rows of the head: one that is absent leaves a gap."""
    if not all(WHOLE.fullmatch(name) for name in names):
        return labels, names
    numbers = np.array([int(name) for name in names], np.int64)
    if numbers.min() < 0 or numbers.max() >= MAX_CLASSES:
        raise refusal(f"labels from 0 to {MAX_CLASSES - 1:,}, rows of the network's head",
                      f"{numbers.min():,} to {numbers.max():,}", "number the classes from 0")
    return numbers[labels], [str(number) for number in range(int(numbers.max()) + 1)]


def _checked(inputs: np.ndarray, notes: list[str]) -> np.ndarray:
    """Pictures (n, H, W, C) or vectors (n, D), bytes or floats."""
    inputs = channels_last(inputs, "inputs", notes)
    if inputs.ndim not in (2, 4) or 0 in inputs.shape or not (inputs.dtype == np.uint8 or inputs.dtype.kind == "f"):
        raise refusal("inputs (n, H, W, C) or (n, D), bytes or floats", f"{inputs.shape} {inputs.dtype.name}",
                      "save them in this shape as uint8 or float32")
    if inputs.dtype.kind == "f" and not np.isfinite(inputs).all():
        raise refusal("finite inputs", "NaN or infinity among them", "leave those samples out")
    return inputs
