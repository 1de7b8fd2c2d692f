"""The point cloud of an inspection: the files that a browser draws it from.

Safetensors files, so that a browser fetches only what it shows. n drawn samples, d nodes, K classes, G values of γ,
p = 2 or 3 axes. Axes come first, which lets a browser ask for a single node by a byte range.
kind "cloud":
    info: {n, total (samples in the file; n of them are drawn), d, K, class_names, image: [H, W, C] | null,
           ambiguous: [int] (drawn samples), norm_mean, head: bool, at: {name: byte offset in the "nodes" file},
           images_at: byte offset in the "images" file}
    labels       uint16 (n,)
    predictions  uint16 (n,)       absent where unknown
    rows         uint32 (n,)       row in the file; absent where every sample is drawn
    pca          float32 (p, n)    with pca_means (p, K), pca_head (p, K), pca_origin (p,); absent without PCA
    text_ends uint32 (n,), text_bytes uint8: captions, UTF-8, one behind the other; absent without
kind "nodes": nodes float32 (d, n), means (d, K), head (d, K)
kind "images": images uint8 (n, H, W, C)
kind "theory":
    info: {gammas: [G] (G = 0: none), best: int | null (index of γ), errors: [G], radii: [G] (mean ‖z*‖), critical,
           known: γ of training | null, note, at: byte offset in the "points" file}
    pca_collapse_points float32 (p, G, K) absent without PCA
kind "points": collapse_points float32 (d, G, K)
kind "projection": xy float32 (p, n), of t-SNE or UMAP
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.looks.cloud_theory import Prediction
from lpc_core.checkpoint import Embeddings
from lpc_core.data import spread
from lpc_core.files import tensors
from lpc_core.files.plain_json import dumps
from lpc_core.files.writing import whole
from lpc_core.inspection import Inspection
from lpc_core.inspection.inspecting import class_centres, predictions_of

MAX_DRAWN = 100_000
MAX_TEXT = 200  # characters of a caption that a tooltip shows
MAX_THUMB = 64  # pixels a side
_LARGEST = np.float32(3e38)


@dataclass(frozen=True, eq=False)
class Sight:
    """What is drawn of an inspection."""

    rows: np.ndarray  # (n,) int64, growing
    means: np.ndarray  # (K, d) float64 of all samples, NaN for absent classes
    mean: np.ndarray  # (d,) and
    axes: np.ndarray | None  # (d, p): PCA coordinates are (z − mean) @ axes; None without PCA


def look(inspection: Inspection, limit: int = MAX_DRAWN) -> Sight:
    """Choose what is drawn: all samples, or ``limit`` of them: of every class its share, one where there is room."""
    found = inspection.embeddings
    return Sight(spread(found.labels, limit, seed=0), class_centres(found), *_plane(inspection))


def _plane(inspection: Inspection) -> tuple[np.ndarray, np.ndarray | None]:
    """Mean and axes of the PCA, with as many axes as its coordinates have columns."""
    mean, axes, seen = inspection.pca_mean, inspection.pca_axes, inspection.coordinates.get("pca")
    if mean is None or axes is None or seen is None:
        return np.zeros(inspection.embeddings.latents.shape[1]), None
    return mean, np.pad(axes, ((0, 0), (0, seen.shape[1] - axes.shape[1])))


def own_distances(found: Embeddings, rows: np.ndarray, means: np.ndarray) -> np.ndarray:
    """‖z − μ_y‖ of the samples ``rows``, (m,) float64."""
    away: np.ndarray = np.linalg.norm(found.latents[rows].astype(np.float64) - means[found.labels[rows]], axis=1)
    return away


# ---- files -------------------------------------------------------------------------------------------------------


def write_samples(folder: Path, inspection: Inspection, sight: Sight) -> tuple[dict[str, Path], dict[str, Any]]:
    """Write "cloud" and, with pictures, "images" into ``folder``; returns paths by kind, and the info.

    There is a path for "nodes" too, and the info says where its arrays begin: `write_nodes`, which may take longer,
    writes them.
    """
    paths = {kind: folder / f"{kind}.safetensors" for kind in ("cloud", "nodes", "images")}
    at = tensors.begin(_nodes(inspection.embeddings, sight), kind="nodes", info="{}")[1]
    thumbs = _thumbs(inspection.embeddings, sight.rows)
    info = _about(inspection, sight) | {"at": at, "images_at": None, "image": None}
    if thumbs is None:
        del paths["images"]
    else:
        begin = write(paths["images"], "images", {}, {"images": thumbs})["images"]
        info |= {"images_at": begin, "image": list(thumbs.shape[1:])}
    write(paths["cloud"], "cloud", info, _samples(inspection, sight))
    return paths, info


def write_nodes(path: Path, inspection: Inspection, sight: Sight) -> None:
    """Write "nodes", each node's values in one piece."""
    write(path, "nodes", {}, _nodes(inspection.embeddings, sight))


def write_theory(folder: Path, foretold: Prediction, sight: Sight) -> dict[str, Path]:
    """Write "theory" and "points" into ``folder``; returns them by kind."""
    paths = {kind: folder / f"{kind}.safetensors" for kind in ("theory", "points")}
    (at,) = write(paths["points"], "points", {}, {"collapse_points": _axes_first(foretold.collapse_points)}).values()
    info = {"gammas": foretold.gammas.tolist(), "best": foretold.best, "errors": foretold.errors.tolist(),
            "radii": foretold.radii.tolist(), "critical": foretold.critical, "known": foretold.known,
            "note": foretold.note, "at": at}
    seen = None if sight.axes is None else _axes_first((foretold.collapse_points - sight.mean) @ sight.axes)
    write(paths["theory"], "theory", info, {} if seen is None else {"pca_collapse_points": seen})
    return paths


def write_projection(path: Path, coordinates: np.ndarray, sight: Sight) -> None:
    """Write t-SNE or UMAP coordinates (total, p) of the drawn samples."""
    write(path, "projection", {}, {"xy": _axes_first(coordinates[sight.rows])})


def write(path: Path, kind: str, info: Mapping[str, Any], arrays: tensors.Arrays) -> dict[str, int]:
    """Write a safetensors file that only its owner may read; returns the byte at which each array begins."""
    with whole(path) as fresh:
        return tensors.pack_into(fresh, arrays, kind=kind, info=dumps(info, infinities=False))


def _about(inspection: Inspection, sight: Sight) -> dict[str, Any]:
    found = inspection.embeddings
    radius = inspection.readings.get("norm_mean")  # a head alone has none
    return {"n": len(sight.rows), "total": len(found.labels), "d": found.latents.shape[1], "K": len(found.class_names),
            "class_names": list(found.class_names), "head": found.weight is not None,
            "norm_mean": None if radius is None else radius.value,
            "ambiguous": np.flatnonzero(np.isin(sight.rows, inspection.ambiguous))}


def _samples(inspection: Inspection, sight: Sight) -> tensors.Arrays:
    found, rows = inspection.embeddings, sight.rows
    arrays = {"labels": found.labels[rows].astype(np.uint16)} | _captions(found, rows)
    predictions = predictions_of(found) if len(found.labels) else None
    if predictions is not None:
        arrays["predictions"] = predictions[rows].astype(np.uint16)
    if len(rows) < len(found.labels):
        arrays["rows"] = rows.astype(np.uint32)
    if sight.axes is not None:
        arrays |= {"pca": _axes_first(inspection.coordinates["pca"][rows]),
                   "pca_means": _axes_first((sight.means - sight.mean) @ sight.axes),
                   "pca_origin": _single(-sight.mean @ sight.axes)}
        if found.weight is not None:
            arrays["pca_head"] = _axes_first(found.weight @ sight.axes)
    return arrays


def _nodes(found: Embeddings, sight: Sight) -> tensors.Arrays:
    drawn = found.latents if len(sight.rows) == len(found.labels) else found.latents[sight.rows]
    arrays = {"nodes": _single(drawn).T, "means": _axes_first(sight.means)}
    return arrays if found.weight is None else arrays | {"head": _axes_first(found.weight)}


def _thumbs(found: Embeddings, rows: np.ndarray) -> np.ndarray | None:
    """The pictures of the drawn samples, large ones thinned out to `MAX_THUMB`; None without any."""
    if found.images is None:
        return None
    thin = max(1, -(-max(found.images.shape[1:3]) // MAX_THUMB))
    return np.ascontiguousarray(found.images[rows, ::thin, ::thin])


def _captions(found: Embeddings, rows: np.ndarray) -> tensors.Arrays:
    if found.texts is None:
        return {}
    pieces = [found.texts[row][:MAX_TEXT].encode("utf-8", "replace") for row in rows]
    ends = np.cumsum([len(piece) for piece in pieces]).astype(np.uint32)
    return {"text_ends": ends, "text_bytes": np.frombuffer(b"".join(pieces), np.uint8)}


def _axes_first(array: np.ndarray) -> np.ndarray:
    return _single(np.moveaxis(array, -1, 0))


def _single(array: np.ndarray) -> np.ndarray:
    """float32, with what it cannot hold cut off rather than infinite; float32 as it is."""
    return array if array.dtype == np.float32 else np.clip(array, -_LARGEST, _LARGEST).astype(np.float32)
