"""Which array of a file is what, and whether together they are embeddings: latents with labels.

An array is recognised by its name (`ROLES`, capitals or not). A role's own name (labels or label) wins over its other
names; two other names for one role are refused as ambiguous. Whoever opens the file can say which is which instead
(``picked={"latents": "feats", "labels": "y"}``), or that a role has none (``{"weight": None}``). What was taken for
what, and what was left out, stands in the notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lpc_core.checkpoint import _labels
from lpc_core.checkpoint._base import Ask, FileRefused, refusal
from lpc_core.checkpoint._labels import Arrays
from lpc_core.checkpoint._message import Message, View, some
from lpc_core.files.words import printable

ROLES = {  # role → the names it goes by, in small letters
    "latents": ("latents", "latent", "embeddings", "embedding", "features", "feature", "feats", "vectors",
                "vector", "z", "x"),
    "labels": ("labels", "label", "y", "targets", "target", "class"),
    "predictions": ("predictions", "prediction", "preds", "pred", "predicted", "y_pred"),
    "logits": ("logits",),
    "weight": ("weight", "w", "head.weight", "head_weight"),
    "bias": ("bias", "b", "head.bias", "head_bias"),
    "images": ("images", "image"),
    "texts": ("texts", "text", "captions", "caption"),
    "class_names": ("class_names", "classes", "label_names"),
}
PER_SAMPLE = ("latents", "labels", "predictions", "logits", "images", "texts")
CHANNELS = (1, 3, 4)  # of pictures
MAX_CAPTION = 2_000  # characters
CHECKED = 1_000  # rows looked at for contradictions
MAX_CHOICES = 40  # of a question


def find_roles(arrays: Mapping[str, np.ndarray | View], picked: dict[str, Any]) -> dict[str, str]:
    """``{role: name of its array}`` for the roles that are found; refuses picks that are not there and ambiguity."""
    check_picked(picked)
    roles: dict[str, str] = {}
    for role in ROLES:
        if role in picked:
            roles |= _picked_role(role, picked[role], arrays)
        elif len(known := called(role, arrays)) == 1:
            roles[role] = known[0]
        elif known:
            raise refusal(f"one array for the {role}", f"{' and '.join(map(repr, known))} ({inventory(arrays)})",
                          how_to_pick(role), Ask(role, tuple(known)))
    return roles


def _picked_role(role: str, name: Any, arrays: Mapping[str, np.ndarray | View]) -> dict[str, str]:
    """The role with the array that was picked for it, or nothing for None."""
    if name is not None and not (isinstance(name, str) and name in arrays):
        raise refusal(f"{role} in {printable(repr(name))}", inventory(arrays), "name one that is there")
    return {} if name is None else {role: name}


def role_of(name: str) -> str:
    """The role that an array of this name is taken for; "" where there is none."""
    return next((role for role, names in ROLES.items() if name.lower() in names), "")


def called(role: str, names: Iterable[str]) -> list[str]:
    """Those of ``names`` that ``role`` goes by: its own, in the plural or the singular, where that is among them."""
    known = [name for name in names if name.lower() in ROLES[role]]
    return [name for name in known if name.lower() in (role, role.removesuffix("s"))] or known


def check_picked(picked: dict[str, Any]) -> None:
    """Refuse roles that do not exist."""
    for role in picked:
        if role not in ROLES:
            raise refusal(f"one of the roles {', '.join(ROLES)}", printable(repr(role)), "choose one of them")


def how_to_pick(role: str) -> str:
    """What to do when the array of a role is not clear."""
    return f"say which it is, {asked_for(role)}, or name it '{role}' in the file"


def asked_for(role: str) -> str:
    """How whoever opens the file says which array has the role: in a shell, and in Python."""
    return f"--pick {role}=NAME, in Python picked={{'{role}': 'NAME'}}"


def _which(role: str, arrays: Mapping[str, np.ndarray | View]) -> Ask | None:
    """The arrays that could be latents or labels by their sizes, so that one can be picked."""
    if role == "latents":
        fit = [name for name, array in arrays.items() if len(array.shape) == 2]
    else:
        sizes = {array.shape[0] for array in arrays.values() if len(array.shape) == 2}
        fit = [name for name, array in arrays.items() if len(array.shape) == 1 and array.shape[0] in sizes]
    return Ask(role, tuple(fit[:MAX_CHOICES])) if fit else None


def inventory(arrays: Mapping[str, np.ndarray | View]) -> str:
    """The arrays of a file with their shapes, in a line."""
    shown = [f"{printable(repr(name), 40)} {array.shape}" for name, array in arrays.items()]
    return f"the arrays {some(shown, 8)}" if shown else "no arrays"


def are_embeddings(arrays: Mapping[str, np.ndarray | View], picked: dict[str, Any]) -> bool:
    """Whether named tensors are embeddings, not a model: picked as such, or latents (n, d) and n labels by name."""
    if picked:
        return True
    try:
        roles = find_roles(arrays, {})
    except FileRefused:
        return False
    if not {"latents", "labels"} <= set(roles):
        return False
    latents, labels = arrays[roles["latents"]].shape, arrays[roles["labels"]].shape
    return len(latents) == 2 and labels == latents[:1]


def embeddings(arrays: Arrays, picked: dict[str, Any], notes: list[str], texts: dict[str, str] | None = None, *,
               warnings: Sequence[str] = (), keep_unlabelled: bool = False) -> Message:
    """The embeddings in ``arrays``; ``texts`` may hold class_names or texts as JSON lists.

    Samples that name no class are left out, or kept as a class of their own. Raises `FileRefused` for what is missing,
    ambiguous or does not fit together, and for latents with NaN or infinity.
    """
    given, notes = _given(arrays, picked, notes)
    names = _labels.class_names(given.get("class_names"), (texts or {}).get("class_names"), given["labels"].size)
    if "texts" not in given and (captions := _labels.listed((texts or {}).get("texts"), "texts")) is not None:
        given["texts"] = captions
    given, unlabelled, told = _of_a_class(given, names, keep_unlabelled)
    warnings = [*warnings, *told]
    latents = _checked_latents(given["latents"], notes)
    count = len(latents)
    found = {"latents": latents, **_checked_heads(given, count, latents.shape[1], notes)}
    found |= _labels.encoded(given, count, found, names, notes)
    warnings.extend(_contradictions(found))
    if "predictions" in found and names is None and not found.keys() & {"weight", "logits"} and (
            strange := set(found["predictions"].tolist()) - set(found["labels"].tolist())):
        warnings.append(f"predictions name {len(strange):,} classes that no sample has: they may be numbered otherwise "
                        "than the labels")
    if count > 2 and len(set(found["labels"].tolist())) == count:
        warnings.append("every sample has a class of its own: the labels may be row numbers or measured values")
    if "images" in given and (images := _checked_images(given["images"], count, notes)) is not None:
        found["images"] = images
    if "texts" in given:
        found |= _packed(given["texts"], count)
    class_names = found.pop("class_names").tolist()
    if alike := _labels.alike(class_names):
        warnings.append(f"classes whose names differ in capitals alone: {', '.join(alike)}")
    if names is None and (doubtful := _labels.doubtful(class_names)):
        warnings.append(f"the class {', '.join(doubtful)} may stand for none: if so, leave its samples out")
    return Message.of_arrays("embeddings", {"class_names": class_names, "notes": notes, "warnings": warnings,
                                            "unlabelled": unlabelled}, found)


def _given(arrays: Arrays, picked: dict[str, Any], notes: list[str]) -> tuple[Arrays, list[str]]:
    """The arrays by role, and notes of what was taken for what and what was left out."""
    roles = find_roles(arrays, picked)
    for role in ("latents", "labels"):
        if role not in roles:
            raise refusal(f"{role} ({'n, d' if role == 'latents' else 'n,'}) in the file", inventory(arrays),
                          how_to_pick(role), _which(role, arrays))
    notes = [*notes, *(f"{role}: {name!r}" for role, name in roles.items() if role != name)]
    if unused := [printable(name, 40) for name in arrays if name not in roles.values()]:
        notes.append(f"left out: {some(unused, 20)}")
    given = {role: arrays[name] for role, name in roles.items()}
    columns = {role: _labels.as_column(role, given[role], notes) for role in ("labels", "predictions") if role in given}
    return given | columns, notes


def _of_a_class(given: Arrays, names: list[str] | None, keep: bool) -> tuple[Arrays, int, list[str]]:
    """The samples that name a class, or all of them to ``keep``; how many name none; and the word on them."""
    count = len(given["latents"]) if given["latents"].ndim else 0
    marked = {role: _labels.nameless(given[role], names) for role in ("labels", "predictions")
              if role in given and given[role].shape == (count,)}
    marked = {role: none for role, none in marked.items() if none.any()}
    if not marked:
        return given, 0, []
    rows = np.logical_or.reduce(list(marked.values()))
    what = " and ".join(f"{role}: {_labels.in_words(given[role], none)}" for role, none in marked.items())
    told = f"{int(rows.sum()):,} of {count:,} samples name no class ({what})"
    if keep:
        as_class = {role: _labels.kept(given[role], none) for role, none in marked.items()}
        return given | as_class, int(rows.sum()), [f"{told}; kept as a class of their own"]
    if rows.all():
        raise refusal("a class for some of the samples", f"none for all {count:,} ({what})", "check which are labels")
    fewer = {role: given[role][~rows] for role in PER_SAMPLE
             if role in given and given[role].ndim and len(given[role]) == count}
    return given | fewer, int(rows.sum()), [f"{told} and are left out"]


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
    found: Arrays = {role: given[role] for role in ("logits", "weight", "bias") if role in given}
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


def _contradictions(found: Arrays) -> Iterator[str]:
    """What the first rows say against what their arrays are called, or against each other."""
    rows = {role: found[role][:CHECKED].astype(np.float64) for role in ("latents", "logits") if role in found}
    for role, values in rows.items():
        if values.shape[1] > 1 and (values >= 0).all() and (np.abs(values.sum(axis=1) - 1) < 0.005).all():
            yield f"{role}: nothing below 0 and each row sums to 1, as probabilities do"
    if "logits" not in rows or not np.isfinite(rows["logits"]).all():
        return
    if "weight" in found:
        given = rows["latents"] @ found["weight"].T.astype(np.float64) + found.get("bias", 0.0)
        given, logits = (values - values.mean(axis=1, keepdims=True) for values in (given, rows["logits"]))
        if not np.abs(given - logits).max() <= 0.05 * np.abs(logits).max() + 1e-6:
            yield ("the head does not turn the latents into the logits: its weight may be turned or its bias missing, "
                   "or they are of another layer")
    if "predictions" in found:
        other = int((rows["logits"].argmax(axis=1) != found["predictions"][:CHECKED]).sum())
        if other:
            yield f"{other:,} of {len(rows['logits']):,} predictions are not the class of the largest logit"


def _checked_images(images: np.ndarray, count: int, notes: list[str]) -> np.ndarray | None:
    """Pictures (n, H, W, C) uint8; None, and a note, for what cannot be shown as such."""
    images = channels_last(images, "images", notes)
    if images.ndim == 4 and images.shape[0] == count and images.shape[3] in CHANNELS and images.dtype == np.uint8:
        return images
    notes.append(f"images left out: expected (n, H, W, C) uint8 with n = {count:,}, got {images.shape} "
                 f"{images.dtype.name}")
    return None


def channels_last(pictures: np.ndarray, what: str, notes: list[str]) -> np.ndarray:
    """Pictures (n, H, W) or (n, C, H, W) as (n, H, W, C); other arrays as they are."""
    if pictures.ndim == 3:
        return pictures[..., None]
    if pictures.ndim == 4 and pictures.shape[1] in CHANNELS and pictures.shape[3] not in CHANNELS:
        notes.append(f"{what} were (n, C, H, W); turned to (n, H, W, C)")
        return pictures.transpose(0, 2, 3, 1)
    return pictures


def _packed(captions: np.ndarray, count: int) -> Arrays:
    """Texts as one array of bytes and where each ends."""
    if captions.shape != (count,):
        raise refusal(f"texts ({count:,},), one for each row of the latents", f"shape {captions.shape}",
                      "save one for each")
    pieces = [printable(text, MAX_CAPTION).encode() for text in _labels.as_texts(captions).tolist()]
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    return {"texts.bytes": np.frombuffer(b"".join(pieces), np.uint8), "texts.ends": ends}
