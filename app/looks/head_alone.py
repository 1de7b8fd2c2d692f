"""A head without samples as an inspection: its weights, and the axes its predicted points are drawn on."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from lpc_core.checkpoint import Embeddings
from lpc_core.files.tensors import arrays as read_arrays
from lpc_core.inspection import Inspection
from lpc_core.inspection.heads import head_axes
from lpc_core.metrics import Reading, weight_abs_cv


def head_inspection(path: Path, name: str) -> Inspection:
    """The head that `inspecting.head` wrote to ``path``: no samples, but rows, their evenness, and axes to draw on.

    The axes are W's two main directions from the origin (more than three nodes), kept as the view "pca".
    """
    arrays = read_arrays(path)
    weight, bias = arrays["weight"], arrays["bias"]
    classes, nodes = weight.shape
    axes = head_axes(weight)[:, :3]
    embeddings = Embeddings(np.zeros((0, nodes)), np.zeros(0, np.int64), tuple(map(str, range(classes))), weight=weight,
                            bias=bias)
    spread = weight_abs_cv(weight)
    known = spread[np.isfinite(spread)]
    readings = {"weight_norm": Reading(float(np.linalg.norm(weight))),
                "weight_abs_cv": Reading(float(known.mean())) if known.size else
                Reading(math.nan, reason="every node of the head is 0")}
    view = np.zeros((0, max(2, axes.shape[1])), np.float32)
    return Inspection(embeddings, {"file": name}, None, readings, {}, np.zeros(0, np.int64), {"pca": view},
                      pca_mean=np.zeros(nodes), pca_axes=axes)
