"""An inspection in words and numbers: plain values for JSON and pages, and tables for CSV."""

from __future__ import annotations

import hashlib
import importlib.metadata
import math
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lpc_core.files.plain_json import plain
from lpc_core.files.spreadsheet import table
from lpc_core.inspection._base import Inspection, blocks
from lpc_core.inspection.heads import in_sum_convention, solved
from lpc_core.inspection.inspecting import certainty, class_centres, predictions_of
from lpc_core.metrics import METRICS, Reading
from lpc_core.theory import predicted_radius

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "safetensors")


def report(found: Inspection, gammas: Sequence[float] = ()) -> dict[str, Any]:
    """Everything an inspection says, as `plain_json.plain` values: NaN is None, beside its reason.

    ``gammas`` (the paper's convention) are those at which predicted collapse points are reported; `ValueError` where
    there is no head that reads the latents.
    """
    shown = found.embeddings
    predictions = predictions_of(shown)
    words: dict[str, Any] = plain({
        "source": found.source, "layout": found.layout, "notes": list(found.notes),
        "warnings": list(shown.warnings), "unlabelled": shown.unlabelled,
        "samples": len(shown.labels), "nodes": shown.latents.shape[1], "classes": list(shown.class_names),
        "per_class": np.bincount(shown.labels, minlength=len(shown.class_names)).tolist(),
        "accuracy": None if predictions is None else float((predictions == shown.labels).mean()),
        "readings": [described(name, reading) for name, reading in found.readings.items()],
        "code": found.code, "collapse": _collapse(found, gammas) if gammas else [],
        "ambiguous": _rows(found, found.ambiguous), "misclassified": _rows(found, found.misclassified),
    })
    return words


def described(name: str, reading: Reading) -> dict[str, Any]:
    """A reading with everything a reader needs to judge it: title, formula, meaning, source, floor and reason."""
    metric = METRICS.get(name)
    words = {key: getattr(metric, key, "") for key in ("title", "formula", "meaning", "source")}
    return {"name": name, "value": reading.value, "floor": reading.floor, "at_floor": reading.at_floor,
            "reason": reading.reason, **words, "title": words["title"] or name}


def _collapse(found: Inspection, gammas: Sequence[float]) -> list[dict[str, Any]]:
    """Where the head's classes would fall at each γ, beside where they are; each is solved from the last one."""
    shown = found.embeddings
    if shown.weight is None:
        raise ValueError("expected embeddings with the head that reads them (weight and bias), got none; pick one")
    weight = np.asarray(shown.weight, np.float64)
    classes, nodes = weight.shape
    bias = np.zeros(classes) if shown.bias is None else np.asarray(shown.bias, np.float64)
    if len(shown.class_names) != classes:
        raise ValueError(f"expected one class per row of the head's {classes}, got {len(shown.class_names)} classes; "
                         "pick another head")
    means, shares = class_centres(shown), np.bincount(shown.labels, minlength=classes).astype(float)
    measured = sum(float(np.sqrt((block * block).sum(axis=1)).sum()) for _, block in blocks(shown.latents)) \
        / len(shown.latents)  # mean ‖z‖
    note, points, views = str((found.layout or {}).get("theory_note", "")), None, []
    for gamma in gammas:
        points = solved(weight, bias, in_sum_convention(gamma, "sum", nodes), points)  # (K, d)
        radius, norms = predicted_radius(points, shares), np.linalg.norm(points, axis=1)
        views.append({
            "gamma": gamma, "convention": "sum", "radius": radius, "measured_radius": measured,
            "radius_error": abs(measured - radius) / radius if radius > 0 else math.nan,
            "point_errors": np.linalg.norm(means - points, axis=1) / np.where(norms > 0, norms, np.nan),
            "points": points, "note": note})
    return views


def _rows(found: Inspection, rows: np.ndarray) -> list[dict[str, Any]]:
    shown, sure, predictions = found.embeddings, certainty(found.embeddings), predictions_of(found.embeddings)
    return [{"sample": int(row), "class": shown.class_names[shown.labels[row]], "certainty": float(sure[row]),
             "predicted": None if predictions is None else shown.class_names[predictions[row]],
             "text": None if shown.texts is None else shown.texts[row]} for row in rows]


# ---- tables ----------------------------------------------------------------------------------------------------


def readings_csv(found: Inspection) -> str:
    """One row per quantity, with its formula, floor and reason, and the file it was measured on."""
    head = ("quantity", "title", "value", "floor", "at_floor", "reason", "formula", "source", "file", "sha256")
    about = (found.source.get("file", ""), found.source.get("sha256", ""))
    rows = [described(name, reading) for name, reading in found.readings.items()]
    return table(head, ((row["name"], row["title"], row["value"], row["floor"], row["at_floor"], row["reason"],
                         row["formula"], row["source"], *about) for row in rows))


def samples_csv(found: Inspection) -> str:
    """One row per sample: class, prediction, certainty, caption, the nodes' values, the coordinates of all views."""
    shown, predictions, sure = found.embeddings, predictions_of(found.embeddings), certainty(found.embeddings)
    nodes = [f"z{node + 1}" for node in range(shown.latents.shape[1])]
    views = [f"{name}{axis + 1}" for name, view in found.coordinates.items() for axis in range(view.shape[1])]
    head = ("sample", "class", "predicted", "certainty", "text", *nodes, *views)

    def rows() -> Iterable[Sequence[Any]]:
        for row in range(len(shown.labels)):
            guess = None if predictions is None else shown.class_names[predictions[row]]
            placed = (value for view in found.coordinates.values() for value in view[row].tolist())
            yield (row, shown.class_names[shown.labels[row]], guess, float(sure[row]),
                   None if shown.texts is None else shown.texts[row], *shown.latents[row].tolist(), *placed)

    return table(head, rows())


# ---- where things come from ------------------------------------------------------------------------------------


def file_facts(*paths: Path) -> dict[str, Any]:
    """Name, bytes and SHA-256 of a file, or of the parts of one (one after the other)."""
    digest, size = hashlib.sha256(), 0
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
                size += len(block)
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return {"file": f"{paths[0].name}{more}", "bytes": size, "sha256": digest.hexdigest()}


def versions() -> dict[str, str]:
    """What the numbers were computed with."""
    found = {"python": platform.python_version()}
    for package in ("lpc-lab", *PACKAGES):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "from source" if package == "lpc-lab" else "not installed"
    return found
