"""An inspection as one file: safetensors for the arrays, JSON for the words. Written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lpc_core.checkpoint import Embeddings, Limits
from lpc_core.files import tensors
from lpc_core.files.plain_json import dumps, number
from lpc_core.files.words import printable
from lpc_core.files.writing import whole
from lpc_core.inspection._base import Inspection
from lpc_core.metrics import Reading

KIND, FORMAT = "inspection", 1
MOST_HEADER = 64 * 2**20  # bytes of names, captions and words
_OPTIONAL = ("predictions", "logits", "weight", "bias", "images")
_VIEW = "coordinates."


class InspectionError(ValueError):
    """A file that is not a whole inspection; the message says what was expected and found, and what to do."""


def save(found: Inspection, path: Path) -> None:
    """Write ``found`` to ``path`` by way of a temporary file beside it."""
    shown = found.embeddings
    arrays = {"latents": shown.latents, "labels": shown.labels, "ambiguous": found.ambiguous,
              "misclassified": found.misclassified}
    arrays |= {name: value for name in _OPTIONAL if (value := getattr(shown, name)) is not None}
    arrays |= {_VIEW + name: value for name, value in found.coordinates.items()}
    arrays |= {name: value for name in ("pca_mean", "pca_axes") if (value := getattr(found, name)) is not None}
    info = {"format": FORMAT, "source": found.source, "layout": found.layout, "code": found.code,
            "notes": list(found.notes), "class_names": list(shown.class_names), "embedding_notes": list(shown.notes),
            "warnings": list(shown.warnings), "unlabelled": shown.unlabelled,
            "texts": None if shown.texts is None else list(shown.texts),
            "readings": {name: [r.value, r.floor, r.reason] for name, r in found.readings.items()}}
    with whole(path) as temporary:
        tensors.pack_into(temporary, arrays, kind=KIND, info=dumps(info))


def load(source: Path | bytes) -> Inspection:
    """The inspection in a file or in bytes; `InspectionError` for anything that is not a whole one."""
    info, arrays = _opened(source)
    try:
        found = _built(_unwrapped(info), arrays)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InspectionError(f"expected a whole inspection in format {FORMAT}, got one with {type(error).__name__}: "
                              f"{printable(error, 100)}; inspect the original file again") from None
    _check(found)
    return found


def _opened(source: Path | bytes) -> tuple[dict[str, Any], tensors.Arrays]:
    """Facts and arrays."""
    try:
        size, most = len(source) if isinstance(source, bytes) else source.stat().st_size, Limits().file_bytes
        if size > most:
            raise InspectionError(f"expected at most {most:,} bytes, got {size:,}; inspect the original file again")
        header = tensors.header(source, MOST_HEADER)
        if (kind := header.metadata.get("kind", "some other file")) != KIND:
            raise InspectionError(f"expected an inspection, got {printable(repr(kind), 60)}; choose a file that lpc "
                                  "inspect --out or the lab wrote")
        info = header.info("what an inspection says")
        if (got := info.get("format")) != FORMAT:
            raise InspectionError(f"expected an inspection in format {FORMAT}, got {printable(repr(got), 60)}; inspect "
                                  "the original file again with this version")
        return info, tensors.arrays(source)
    except (tensors.TensorFileError, OSError) as error:
        name = printable(source.name) if isinstance(source, Path) else "a file"
        raise InspectionError(f"expected a whole inspection, got {name}, which is not one ({printable(error, 300)}); "
                              "inspect the original file again") from None


def _built(info: dict[str, Any], arrays: dict[str, np.ndarray]) -> Inspection:
    texts = info["texts"]
    shown = Embeddings(
        arrays["latents"], arrays["labels"], tuple(map(str, info["class_names"])),
        texts=None if texts is None else tuple(map(str, texts)), notes=tuple(map(str, info["embedding_notes"])),
        warnings=tuple(map(str, info.get("warnings", ()))), unlabelled=int(info.get("unlabelled", 0)),
        **{name: arrays.get(name) for name in _OPTIONAL})
    views = {name.removeprefix(_VIEW): value for name, value in arrays.items() if name.startswith(_VIEW)}
    readings = {name: Reading(number(value), None if floor is None else number(floor), str(reason))
                for name, (value, floor, reason) in info["readings"].items()}
    return Inspection(shown, dict(info["source"]), info["layout"], readings, dict(info["code"]), arrays["ambiguous"],
                      views, tuple(map(str, info["notes"])), arrays.get("pca_mean"), arrays.get("pca_axes"),
                      arrays["misclassified"])


def _check(found: Inspection) -> None:
    """Shapes and ranges that everything which draws an inspection relies on."""
    shown = found.embeddings
    n, classes = len(shown.labels), len(shown.class_names)
    d = shown.latents.shape[1] if shown.latents.ndim == 2 else -1
    shapes = {"latents": (n, d), "labels": (n,), "predictions": (n,), "logits": (n, classes), "weight": (classes, d),
              "bias": (classes,), "pca_mean": (d,)}
    for name, shape in shapes.items():
        value = getattr(found if name == "pca_mean" else shown, name)
        if value is not None and value.shape != shape:
            raise InspectionError(f"expected {name} of shape {shape}, got {value.shape}; inspect the original file "
                                  "again")
    views = all(view.shape in ((n, 2), (n, 3)) for view in found.coordinates.values())
    images = shown.images
    pictures = images is None or (images.ndim == 4 and len(images) == n and images.dtype == np.uint8)
    captions = shown.texts is None or len(shown.texts) == n
    if not (n and d >= 1 and views and pictures and captions):
        raise InspectionError("expected one row per sample in coordinates, pictures and captions, got another number; "
                              "inspect the original file again")
    axes, most = found.pca_axes, found.coordinates["pca"].shape[1] if "pca" in found.coordinates else 3
    if axes is not None and (axes.ndim != 2 or len(axes) != d or axes.shape[1] > most):
        raise InspectionError(f"expected pca_axes of shape ({d}, {most}), got {axes.shape}; inspect the original file "
                              "again")
    for name, rows, most in (("labels", shown.labels, classes), ("predictions", shown.predictions, classes),
                             ("ambiguous", found.ambiguous, n), ("misclassified", found.misclassified, n)):
        if rows is not None and (
                rows.dtype != np.int64 or (rows.size and not 0 <= rows.min() <= rows.max() < most)):
            raise InspectionError(f"expected {name} from 0 to {most - 1}, got others; inspect the original file again")


def _unwrapped(value: Any) -> Any:
    """``value`` as it is written now: numbers that are not finite were once kept as ``{"number": "nan"}``."""
    if isinstance(value, dict) and set(value) == {"number"}:
        return None if value["number"] == "nan" else value["number"]
    if isinstance(value, dict):
        return {key: _unwrapped(item) for key, item in value.items()}
    return [_unwrapped(item) for item in value] if isinstance(value, list) else value
