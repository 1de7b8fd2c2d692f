"""Where a head's classes would fall at any γ, beside where the classes are: for a slider over γ."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from lpc_core.checkpoint import Embeddings
from lpc_core.inspection._base import Inspection
from lpc_core.inspection.heads import in_sum_convention, solved
from lpc_core.inspection.inspecting import class_centres
from lpc_core.theory import predicted_radius


@dataclass(frozen=True, eq=False)
class CollapseView:
    """Predicted collapse points of K classes in d nodes at one γ."""

    gamma: float  # the factor of ‖z‖² (the paper's convention, summed over nodes)
    collapse_points: np.ndarray  # (K, d) float64
    predicted_radius: float  # their mean norm, classes weighed by their samples
    norm_mean: float  # mean ‖z‖ of the samples
    radius_error: float  # |measured − predicted| / predicted
    point_errors: np.ndarray  # (K,) ‖μ_c − z*_c‖ / ‖z*_c‖; NaN for a class without samples
    coordinates: dict[str, np.ndarray] = field(default_factory=dict)  # "nodes" → (K, d), "pca" → (K, p), as drawn
    note: str = ""  # why the points need not be where the classes fall: a layer that is not linear, another loss


class Collapser:
    """`CollapseView` for one γ after another: class means are taken once, and each answer starts from the last."""

    def __init__(self, found: Inspection | Embeddings) -> None:
        """Raises `ValueError` for embeddings without the head that reads them."""
        embeddings = found.embeddings if isinstance(found, Inspection) else found
        if embeddings.weight is None:
            raise ValueError("expected embeddings with the head that reads them (weight and bias), got none; pick one")
        self._inspection = found if isinstance(found, Inspection) else None
        self._weight = np.asarray(embeddings.weight, np.float64)
        self._bias = np.zeros(len(self._weight)) if embeddings.bias is None else np.asarray(embeddings.bias, np.float64)
        if len(embeddings.class_names) != len(self._weight):
            raise ValueError(f"expected one class per row of the head's {len(self._weight)}, got "
                             f"{len(embeddings.class_names)} classes; pick another head")
        self._means = class_centres(embeddings)
        self._shares = np.bincount(embeddings.labels, minlength=len(self._weight)).astype(float)
        self._radius = _mean_norm(embeddings.latents)
        self._last: np.ndarray | None = None

    def __call__(self, gamma: float, convention: str = "sum") -> CollapseView:
        """The view at ``gamma`` (> 0), in the paper's convention "sum" or the authors' code's "mean" (divided by d)."""
        gamma = in_sum_convention(gamma, convention, self._weight.shape[1])
        self._last = points = solved(self._weight, self._bias, gamma, self._last)
        radius = predicted_radius(points, self._shares)
        norms = np.linalg.norm(points, axis=1)
        misses = np.linalg.norm(self._means - points, axis=1) / np.where(norms > 0, norms, np.nan)
        error = abs(self._radius - radius) / radius if radius > 0 else math.nan
        return CollapseView(gamma, points, radius, self._radius, error, misses, self._drawn(points), self._note())

    def _drawn(self, points: np.ndarray) -> dict[str, np.ndarray]:
        drawn = {"nodes": points}
        found = self._inspection
        if found is not None and found.pca_axes is not None and found.pca_mean is not None:
            view = (points - found.pca_mean) @ found.pca_axes
            width = found.coordinates["pca"].shape[1] if "pca" in found.coordinates else view.shape[1]
            drawn["pca"] = np.pad(view, ((0, 0), (0, width - view.shape[1])))
        return drawn

    def _note(self) -> str:
        layout = self._inspection.layout if self._inspection is not None else None
        return str(layout.get("theory_note", "")) if layout else ""


def collapse_view(found: Inspection | Embeddings, gamma: float, convention: str = "sum") -> CollapseView:
    """`Collapser` for a single γ."""
    return Collapser(found)(gamma, convention)


def _mean_norm(latents: np.ndarray) -> float:
    """Mean of ‖z‖, block by block in float64."""
    total = 0.0
    for start in range(0, len(latents), 8_192):
        block = latents[start : start + 8_192].astype(np.float64)
        total += float(np.sqrt((block * block).sum(axis=1)).sum())
    return total / len(latents)
