"""Mounts lists of samples: the ones chosen in a point cloud, the wrong ones, the doubtful ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.desks.inspections import Held
from app.looks.cloud import own_distances
from app.parts._mount import file_url, mount
from lpc_core.inspection.inspecting import predictions_of

MOST = 500  # samples of a list
MAX_CAPTION = 120


def samples_list(held: Held, rows: np.ndarray, key: str, title: str, *, note: str, group: str = "") -> None:
    """List the samples ``rows``; pointing at one rings it in the cloud of the same ``group``."""
    mount("cloud/samples", key, {"title": title, "note": note, "group": group,
                                 "total": len(held.inspection.embeddings.labels),
                                 "items": sample_items(held, rows[:MOST]), **_pictures(held)})


def telling_first(held: Held, rows: np.ndarray) -> np.ndarray:
    """The same rows: wrong ones first, and among equals the farthest from their own centre first."""
    found = held.inspection.embeddings
    predictions = predictions_of(found)
    right = np.ones(len(rows), bool) if predictions is None else predictions[rows] == found.labels[rows]
    distances = np.nan_to_num(own_distances(found, rows, held.sight.means))
    return rows[np.lexsort((-distances, right))]


def sample_items(held: Held, rows: np.ndarray) -> list[dict[str, Any]]:
    """What the list says of each sample; ``place`` is its place among the drawn ones, −1 for one that is not drawn."""
    found = held.inspection.embeddings
    predictions, names = predictions_of(found), found.class_names
    distances = own_distances(found, rows, held.sight.means)
    places = np.searchsorted(held.sight.rows, rows)
    items = []
    for row, place, distance in zip(rows.tolist(), places.tolist(), distances.tolist(), strict=True):
        drawn = place < len(held.sight.rows) and held.sight.rows[place] == row
        guess = None if predictions is None else int(predictions[row])
        items.append({
            "row": row, "place": place if drawn else -1, "label": names[found.labels[row]],
            "prediction": "" if guess is None else names[guess],
            "wrong": guess is not None and guess != int(found.labels[row]),
            "distance": distance if np.isfinite(distance) else None,
            "caption": "" if found.texts is None else found.texts[row][:MAX_CAPTION]})
    return items


def _pictures(held: Held) -> dict[str, Any]:
    if held.pictures is None:
        return {"image": None}
    shape, begin = held.pictures
    return {"image": shape, "imagesAt": begin, "imagesUrl": file_url(held.tokens["images"])}
