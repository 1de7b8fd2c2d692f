"""Which array of a file is what, and whether together they are embeddings: latents with labels.

An array is recognised by its name (`ROLES`, capitals or not). A role's own name (labels or label) wins over its other
names; two other names for one role are refused as ambiguous. Whoever opens the file can say which is which instead
(``picked={"latents": "feats", "labels": "y"}``). What was taken for what, and what was left out, stands in the notes.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from lpc_core.checkpoint._base import FileRefused, printable, refusal
from lpc_core.checkpoint._message import Message

ROLES = {  # role → the names it goes by, in small letters; the first is its own
    "latents": ("latents", "latent", "embeddings", "embedding", "features", "feature", "feats", "z", "x"),
    "labels": ("labels", "label", "y", "targets", "target", "class"),
    "predictions": ("predictions", "prediction", "preds", "pred", "predicted", "y_pred"),
    "logits": ("logits",),
    "weight": ("weight", "w", "head.weight", "head_weight"),
    "bias": ("bias", "b", "head.bias", "head_bias"),
    "images": ("images", "image"),
    "texts": ("texts", "text", "captions", "caption"),
    "class_names": ("class_names", "classes", "label_names"),
}
MAX_CLASSES = 10_000
MAX_CLASS_NAME, MAX_CAPTION = 200, 2_000  # characters
Arrays = dict[str, np.ndarray]


def find_roles(arrays: Arrays, picked: dict[str, Any]) -> dict[str, str]:
    """``{role: name of its array}`` for the roles that are found; refuses picks that are not there and ambiguity."""
    check_picked(picked)
    roles = {}
    for role, names in ROLES.items():
        known = [name for name in arrays if name.lower() in names]
        own = [name for name in known if is_own(name, role)]
        if role in picked:
            if picked[role] not in arrays:
                raise refusal(f"{role} in {printable(repr(picked[role]))}", inventory(arrays), "name one that is there")
            roles[role] = picked[role]
        elif len(own) == 1 or len(known) == 1:
            roles[role] = (own or known)[0]
        elif known:
            raise refusal(f"one array for the {role}", f"{' and '.join(map(repr, known))} ({inventory(arrays)})",
                          how_to_pick(role))
    return roles


def is_own(name: str, role: str) -> bool:
    """Whether this is the role's own name, in the plural or the singular."""
    return name.lower() in (role, role.removesuffix("s"))


def check_picked(picked: dict[str, Any]) -> None:
    """Refuse roles that do not exist."""
    for role in picked:
        if role not in ROLES:
            raise refusal(f"one of the roles {', '.join(ROLES)}", printable(repr(role)), "choose one of them")


def how_to_pick(role: str) -> str:
    """What to do when the array of a role is not clear."""
    return f"say which it is, picked={{'{role}': 'its name'}}, or name it '{role}' in the file"


def inventory(arrays: Arrays) -> str:
    """The arrays of a file with their shapes, in a line."""
    shown = [f"{printable(repr(name), 40)} {array.shape}" for name, array in list(arrays.items())[:8]]
    more = f" and {len(arrays) - 8:,} more" if len(arrays) > 8 else ""
    return "the arrays " + ", ".join(shown) + more if shown else "no arrays"


def are_embeddings(arrays: Arrays, picked: dict[str, Any]) -> bool:
    """Whether named tensors are embeddings rather than a model: latents (n, d) and n labels by their usual names."""
    if "latents" in picked:
        return True
    try:
        roles = find_roles(arrays, {})
    except FileRefused:
        return False
    if not {"latents", "labels"} <= set(roles):
        return False
    latents, labels = arrays[roles["latents"]], arrays[roles["labels"]]
    return latents.ndim == 2 and labels.shape == latents.shape[:1]


def embeddings(arrays: Arrays, picked: dict[str, Any], notes: list[str],
               texts: dict[str, str] | None = None) -> Message:
    """The embeddings in ``arrays``; ``texts`` may hold class_names or texts as JSON lists.

    Raises `FileRefused` for what is missing, ambiguous or does not fit together, and for latents with NaN or infinity.
    """
    roles = find_roles(arrays, picked)
    for role in ("latents", "labels"):
        if role not in roles:
            raise refusal(f"{role} ({'n, d' if role == 'latents' else 'n,'}) in the file", inventory(arrays),
                          how_to_pick(role))
    notes = [*notes, *(f"{role}: {name!r}" for role, name in roles.items() if role != name)]
    if unused := [printable(name, 40) for name in arrays if name not in roles.values()]:
        notes.append(f"left out: {', '.join(unused[:20])}" + (f" and {len(unused) - 20} more" * (len(unused) > 20)))
    given = {role: arrays[name] for role, name in roles.items()}
    latents = _checked_latents(given["latents"], notes)
    count = len(latents)
    found = {"latents": latents, **_checked_heads(given, count, latents.shape[1], notes)}
    names = _class_names(given.get("class_names"), (texts or {}).get("class_names"))
    found |= _encoded(given, count, found, names, notes)
    if "images" in given and (images := _checked_images(given["images"], count, notes)) is not None:
        found["images"] = images
    captions = given["texts"] if "texts" in given else _listed((texts or {}).get("texts"), "texts")
    if captions is not None:
        found |= _packed(captions, count)
    class_names = found.pop("class_names").tolist()
    return Message.of_arrays("embeddings", {"class_names": class_names, "notes": notes}, found)


def _checked_latents(latents: np.ndarray, notes: list[str]) -> np.ndarray:
    if latents.ndim != 2 or 0 in latents.shape:
        raise refusal("latents (n, d) with at least one sample and one node", f"shape {latents.shape}",
                      "flatten or pool each sample to one vector before saving")
    if latents.dtype.kind in "iu":
        notes.append(f"latents were {latents.dtype.name}; read as float64")
        latents = latents.astype(np.float64)
    if latents.dtype.kind != "f":
        raise refusal("latents as real numbers", f"the type {latents.dtype.name}", "save them as float32")
    bad = np.concatenate([~np.isfinite(block).all(1) for block in _blocks(latents)])
    if bad.any():
        raise refusal("finite latents", f"{int(bad.sum()):,} of {len(bad):,} rows with NaN or infinity, the first "
                      f"being row {int(bad.argmax()):,}", "leave those samples out")
    return latents


def _blocks(array: np.ndarray) -> list[np.ndarray]:
    """The rows in pieces of about a million values, so that what is computed on them stays small."""
    step = max(1, 2**20 // max(1, int(np.prod(array.shape[1:]))))
    return [array[start : start + step] for start in range(0, len(array), step)]


def _checked_heads(given: Arrays, count: int, nodes: int, notes: list[str]) -> Arrays:
    """Logits (n, K), weight (K, d) and bias (K,), where the file has them; they must agree in K."""
    found = {role: given[role] for role in ("logits", "weight", "bias") if role in given}
    classes = found["weight"].shape[0] if "weight" in found and found["weight"].ndim == 2 else None
    if classes is None and "logits" in found:
        classes = found["logits"].shape[-1] if found["logits"].ndim else 0
    wanted = {"logits": (count, classes), "weight": (classes, nodes), "bias": (classes,)}
    for role, array in found.items():
        if array.shape != wanted[role] or classes is None or array.dtype.kind not in "fiu" or classes == 0:
            sizes = {"logits": "(n, K)", "weight": "(K, d)", "bias": "(K,)"}[role]
            raise refusal(f"{role} {sizes} of real numbers with n = {count:,}, d = {nodes:,}"
                          + (f", K = {classes:,}" if classes else ""), f"shape {array.shape} {array.dtype.name}",
                          "save them in this shape, weight and bias together, or leave them out")
        if array.dtype.kind in "iu":
            found[role] = array.astype(np.float64)
        elif not (finite := np.isfinite(array)).all():
            notes.append(f"{role}: {int((~finite).sum()):,} values are NaN or infinite")
    return found


def _checked_images(images: np.ndarray, count: int, notes: list[str]) -> np.ndarray | None:
    """Pictures (n, H, W, C) uint8; None, and a note, for what cannot be shown as such."""
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and images.shape[1] in (1, 3, 4) and images.shape[3] not in (1, 3, 4):
        notes.append("images were (n, C, H, W); turned to (n, H, W, C)")
        images = images.transpose(0, 2, 3, 1)
    if images.ndim == 4 and images.shape[0] == count and images.shape[3] in (1, 3, 4) and images.dtype == np.uint8:
        return images
    notes.append(f"images left out: expected (n, H, W, C) uint8 with n = {count:,}, got {images.shape} "
                 f"{images.dtype.name}")
    return None


# ---- labels ----------------------------------------------------------------------------------------------------


def _class_names(array: np.ndarray | None, text: str | None) -> list[str] | None:
    """The names that the file gives its classes, as texts without control characters."""
    values = as_texts(array) if array is not None else _listed(text, "class_names")
    if values is None:
        return None
    if values.ndim != 1 or not 0 < len(values) <= MAX_CLASSES:
        raise refusal(f"class_names (K,) with K from 1 to {MAX_CLASSES:,}", f"shape {values.shape}",
                      "list each class once")
    return values.tolist()


def _listed(text: str | None, role: str) -> np.ndarray | None:
    """Texts from a JSON list, as safetensors metadata can hold them."""
    if text is None:
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise refusal(f"{role} as a JSON list of texts", printable(repr(text), 40), "write it with json.dumps")
    return np.array(values, object)


def as_texts(array: np.ndarray) -> np.ndarray:
    """The array's values as Python texts."""
    if array.dtype.kind == "S":
        texts = [value.decode("utf-8", "replace") for value in array.reshape(-1).tolist()]
    else:
        texts = [str(value) for value in array.reshape(-1).tolist()]
    out = np.empty(len(texts), object)
    out[:] = texts
    return out.reshape(array.shape)


def _encoded(given: Arrays, count: int, heads: Arrays, names: list[str] | None, notes: list[str]) -> Arrays:
    """Labels and predictions as 0…K−1, and the K class names."""
    raw = {role: _checked_labels(role, given[role], count) for role in ("labels", "predictions") if role in given}
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


def _checked_labels(role: str, labels: np.ndarray, count: int) -> np.ndarray:
    """Labels (n,) as whole numbers or texts."""
    if labels.shape != (count,):
        raise refusal(f"{role} ({count:,},), one for each row of the latents", f"shape {labels.shape}",
                      "save labels.argmax(1) if they are one-hot")
    if labels.dtype.kind in "SUO":
        return as_texts(labels)
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


def _packed(captions: np.ndarray, count: int) -> Arrays:
    """Texts as one array of bytes and where each ends."""
    if captions.shape != (count,):
        raise refusal(f"texts ({count:,},), one for each row of the latents", f"shape {captions.shape}",
                      "save one for each")
    pieces = [printable(text, MAX_CAPTION).encode() for text in as_texts(captions).tolist()]
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    return {"texts.bytes": np.frombuffer(b"".join(pieces), np.uint8), "texts.ends": ends}
