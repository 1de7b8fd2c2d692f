"""Labels of every kind as 0…K−1 with class names; and which samples name no class at all.

Clusterings write −1 for noise, torch ignores −100, tables leave a cell empty or write NaN or None. Such a sample
belongs to no class: it is left out and counted, unless whoever opens the file wants them as a class of their own.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter

import numpy as np

from lpc_core.checkpoint._base import refusal
from lpc_core.files.plain_json import repeated
from lpc_core.files.tensors import is_size
from lpc_core.files.words import printable

MAX_CLASSES = 10_000
MAX_CLASS_NAME = 200  # characters
NO_CLASS = frozenset(("", "nan", "<na>", "n/a", "null", "nat"))  # as texts, in small letters
EXACTLY = frozenset(("None", "NA"))  # as they stand here: "none" may be a class
LEFT_OUT = (-1, -100, -2**31, -2**63)  # stand for none, if all others are 0 or more; the last two are cast NaN
PERHAPS = frozenset((  # names of classes that may stand for none, in small letters; numbers, where they stand apart
    "noise", "outlier", "unknown", "unlabelled", "unlabeled", "undefined", "unassigned", "missing", "?", "-",
    "-2", "-9", "-99", "-999", "-9999", "255", "65535"))
WHOLE = re.compile(r"-?\d{1,18}")
KEPT = "(no class)"  # the class of those that are kept
Arrays = dict[str, np.ndarray]


def nameless(labels: np.ndarray, names: list[str] | None) -> np.ndarray:
    """Which of ``labels`` (n,) name no class, (n,) bool; never one of the ``names`` that the file gives its classes.

    −1 (or −100, or the smallest number there is) is none where all other numbers are 0 or more; the pair −1 and 1 are
    two classes.
    """
    if labels.dtype.kind in "SUO":
        return _nameless_texts(as_texts(labels), names or [])
    none = np.isnan(labels) if labels.dtype.kind == "f" else np.zeros(labels.shape, bool)
    return none | _stands_for_none(labels, ~none) if labels.dtype.kind in "if" else none


def _nameless_texts(texts: np.ndarray, names: list[str]) -> np.ndarray:
    none = np.array([text not in names and (text.strip().lower() in NO_CLASS or text.strip() in EXACTLY)
                     for text in texts.tolist()], bool)
    whole = np.array([bool(WHOLE.fullmatch(text)) and text not in names for text in texts.tolist()], bool)
    if whole.any():
        numbers = np.array([int(text) if there else 0 for text, there in zip(texts.tolist(), whole, strict=True)])
        none |= whole & _stands_for_none(numbers, ~none)
    return none


def _stands_for_none(numbers: np.ndarray, known: np.ndarray) -> np.ndarray:
    marks = np.logical_or.reduce([numbers == mark for mark in LEFT_OUT]) & known
    others = numbers[known & ~marks]
    classes = not others.size or others.min() < 0 or ((others == 1).all() and (numbers[marks] == -1).all())
    return np.zeros_like(marks) if classes else marks


def kept(labels: np.ndarray, none: np.ndarray) -> np.ndarray:
    """``labels`` (n,) with those that name ``none`` (n,) as one class more; whole numbers stay what they are."""
    if labels.dtype.kind in "SUO":
        return np.where(none, KEPT, as_texts(labels))
    if labels.dtype.kind != "f" or not np.isnan(labels).any():
        return labels
    return np.where(np.isnan(labels), min(np.nanmin(labels, initial=0.0), 0.0) - 1, labels)


def in_words(labels: np.ndarray, none: np.ndarray) -> str:
    """The labels that name ``none``, as a reader sees them: −1, NaN, an empty text."""
    different = sorted({str(value) for value in as_texts(labels[none]).tolist()})[:4]
    return ", ".join("an empty text" if not text.strip() else f"{text}" for text in different)


def doubtful(names: list[str]) -> list[str]:
    """Classes among ``names``, of which the file says nothing more, that may stand for none."""
    whole = {int(name) for name in names if WHOLE.fullmatch(name)}
    return [name for name in names if name.lower() in PERHAPS
            and not (WHOLE.fullmatch(name) and {int(name) - 1, int(name) + 1} & whole)]


def alike(names: list[str]) -> list[str]:
    """Names that another one of ``names`` differs from in capitals alone."""
    counts = Counter(name.casefold() for name in names)
    return [name for name in names if counts[name.casefold()] > 1]


def as_column(role: str, labels: np.ndarray, notes: list[str]) -> np.ndarray:
    """Labels (n,) where they came as a column (n, 1) or one-hot (n, K); others as they are."""
    if labels.ndim != 2 or labels.dtype.kind not in "biuf":
        return labels
    if labels.shape[1] == 1:
        notes.append(f"{role} were one column {labels.shape}")
        return labels[:, 0]
    named = labels.sum(axis=1)
    if labels.size and ((labels == 0) | (labels == 1)).all() and named.max() == 1:
        notes.append(f"{role} were one-hot {labels.shape}; the place of the 1 is the class")
        return np.where(named == 1, labels.argmax(axis=1), LEFT_OUT[0])
    return labels


def class_names(array: np.ndarray | None, text: str | None, count: int) -> list[str] | None:
    """The names that the file gives its classes, as texts; ``count`` samples have labels, which they are not."""
    values = as_texts(array) if array is not None else listed(text, "class_names")
    if values is None:
        return None
    values = _trimmed(values)
    if values.ndim != 1 or not 0 < len(values) <= MAX_CLASSES:
        raise refusal(f"class_names (K,) with K from 1 to {MAX_CLASSES:,}", f"shape {values.shape}",
                      "list each class once")
    if len(values) == count and (again := repeated(values.tolist())):
        raise refusal("class_names that differ", f"{printable(repr(again[0]), 40)} twice",
                      "list each class once; labels of the samples are another array")
    names: list[str] = values.tolist()
    return names


def listed(text: str | None, role: str) -> np.ndarray | None:
    """Texts from a JSON list, as safetensors metadata can hold them."""
    if text is None:
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or not all(isinstance(value, str) or is_size(value) for value in values):
        raise refusal(f"{role} as a JSON list of texts", printable(repr(text), 40), "write it with json.dumps")
    return np.array([str(value) for value in values], object)


def as_texts(array: np.ndarray) -> np.ndarray:
    """The array's values as Python texts."""
    if array.dtype.kind == "U" and array.dtype.itemsize:
        codes = np.ascontiguousarray(array).view(array.dtype.byteorder + "u4")
        if codes.max(initial=0) > sys.maxunicode:
            raise refusal("texts of Unicode characters", "numbers that are none", "save or copy the file again")
    if array.dtype.kind == "S":
        texts = [value.decode("utf-8", "replace") for value in array.reshape(-1).tolist()]
    else:
        texts = [str(value) for value in array.reshape(-1).tolist()]
    out = np.empty(len(texts), object)
    out[:] = texts
    return out.reshape(array.shape)


def _trimmed(texts: np.ndarray) -> np.ndarray:
    """Texts without blanks around them: "cat " is the class "cat"."""
    short = {text: text.strip() for text in set(texts.reshape(-1).tolist())}
    out = np.empty(texts.size, object)
    out[:] = [short[text] for text in texts.reshape(-1).tolist()]
    return out.reshape(texts.shape)


def encoded(given: Arrays, count: int, heads: Arrays, names: list[str] | None, notes: list[str]) -> Arrays:
    """Labels and predictions as 0…K−1, and the K class names."""
    raw: Arrays = {role: checked_labels(role, given[role], count) for role in ("labels", "predictions")
                   if role in given}
    head = next((heads[role].shape[axis] for role, axis in (("weight", 0), ("logits", 1)) if role in heads), None)
    if names is not None and head is not None and len(names) != head:
        raise refusal(f"as many class_names as the head has classes, {head:,}", f"{len(names):,}", "name every class")
    numeric = all(array.dtype.kind in "iu" for array in raw.values())
    if numeric and (names is not None or head is not None):
        names = names or [str(number) for number in range(head or 0)]
        _check_range(raw, len(names))
        encoded = raw
    else:
        encoded, names = _looked_up(raw, names, numeric, head, notes)
    clean = np.empty(len(names), object)
    clean[:] = [printable(name, MAX_CLASS_NAME) for name in names]
    return {**{role: array.astype(np.int64) for role, array in encoded.items()}, "class_names": clean}


def checked_labels(role: str, labels: np.ndarray, count: int) -> np.ndarray:
    """Labels (n,) as whole numbers or texts."""
    if labels.shape != (count,):
        raise refusal(f"{role} ({count:,},), one for each row of the latents", f"shape {labels.shape}",
                      f"save {role}.argmax(1) if they are scores" if labels.ndim == 2 else "save one for each")
    if labels.dtype.kind in "SUO":
        return _trimmed(as_texts(labels))
    if labels.dtype.kind == "b":
        return labels.astype(np.int64)
    if labels.dtype.kind == "f" and not (np.isfinite(labels).all() and (labels == np.floor(labels)).all()
                                         and (np.abs(labels) < 2**53).all()):
        bad = int((~(np.isfinite(labels) & (labels == np.floor(labels)))).argmax())
        raise refusal(f"{role} as whole numbers or texts", f"{float(labels[bad]):g} in row {bad:,}",
                      "give every sample one class")
    if labels.dtype.kind not in "iuf":
        raise refusal(f"{role} as whole numbers or texts", f"the type {labels.dtype.name}", "save them as int64")
    return labels.astype(np.int64) if labels.dtype.kind == "f" else labels


def _check_range(raw: Arrays, classes: int) -> None:
    for role, array in raw.items():
        if array.min() < 0 or array.max() >= classes:
            raise refusal(f"{role} from 0 to {classes - 1:,}, the rows of the head or the class_names",
                          f"{int(array.min()):,} to {int(array.max()):,}", "number the classes from 0")


def _looked_up(raw: Arrays, names: list[str] | None, numeric: bool, head: int | None,
               notes: list[str]) -> tuple[Arrays, list[str]]:
    """Labels replaced by their place among the names, or among their own values in order where there are none."""
    values = raw if numeric else {role: as_texts(array) for role, array in raw.items()}
    listed = names if names is not None else sorted({value for array in values.values() for value in array.tolist()})
    if len(listed) > MAX_CLASSES:
        raise refusal(f"at most {MAX_CLASSES:,} classes", f"{len(listed):,} different labels", "check which are labels")
    if head is not None and len(listed) != head:
        raise refusal(f"class_names in the order of the head's {head:,} rows", f"{len(listed):,} labels that are texts",
                      "add class_names to the file")
    if head is not None and names is None:
        notes.append("labels are texts without class_names; the head's rows are taken in alphabetical order")
    place = {value: number for number, value in enumerate(listed)}
    encoded = {}
    for role, array in values.items():
        try:
            encoded[role] = np.array([place[value] for value in array.tolist()], np.int64)
        except KeyError as error:
            raise refusal(f"{role} among the class_names", printable(repr(error.args[0])), "add it to class_names") \
                from None
    return encoded, [str(value) for value in listed]
