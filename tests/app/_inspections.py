"""Inspections made from nothing: classes at given places, a head that fits them, every part a file may have."""

from __future__ import annotations

import math

import numpy as np

from lpc_core.checkpoint import Embeddings
from lpc_core.inspection import Inspection
from lpc_core.metrics import Reading, code_report, readings
from lpc_core.theory import collapse_points


def made(*, n=400, d=2, classes=4, gamma=0.5, spread=0.05, seed=0, images=False, texts=False, head=True, names=None,
         wrong=0.03, projections=()):
    """An inspection of n samples around the collapse points of a random code-like head at ``gamma``."""
    rng = np.random.default_rng(seed)
    weight = 3 * np.sign(rng.normal(size=(classes, d))) + 0.3 * rng.normal(size=(classes, d))
    if d == 2 and classes == 4:
        weight = 3 * np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) + 0.2 * rng.normal(size=(4, 2))
    bias = 0.05 * rng.normal(size=classes)
    points = collapse_points(weight, bias, gamma)
    labels = np.arange(n) % classes
    radius = np.linalg.norm(points, axis=1).mean()
    latents = (points[labels] + spread * radius * rng.normal(size=(n, d))).astype(np.float32)
    predictions = np.where(rng.random(n) < wrong, rng.integers(0, classes, n), labels)
    mean = latents.mean(axis=0, dtype=np.float64)
    axes = np.linalg.svd((latents - mean)[:5_000], full_matrices=False)[2][:3].T
    view = ((latents - mean) @ axes).astype(np.float32)
    coordinates = {"pca": np.pad(view, ((0, 0), (0, max(0, 2 - view.shape[1]))))}
    for name in projections:
        coordinates[name] = rng.normal(size=(n, 2)).astype(np.float32)
    embeddings = Embeddings(
        latents, labels, tuple(names or (f"class {i}" for i in range(classes))), predictions,
        weight=weight if head else None, bias=bias if head else None,
        images=rng.integers(0, 255, (n, 8, 8, 3)).astype(np.uint8) if images else None,
        texts=tuple(f"sample {i}" for i in range(n)) if texts else None, notes=("“z” was taken for the latents",))
    found = readings(latents, labels, predictions, None, embeddings.weight, embeddings.bias)
    found |= {"sigma_w_trace": Reading(1e-15, 1e-14, "at the noise floor"),
              "nc4_ncc_agreement": Reading(math.nan, reason="no head was given")}
    code = code_report(latents, labels, classes).plain()
    source = {"file": "made.npz", "bytes": 12_345, "sha256": "ab" * 32, "format": "npz", "notes": [], "dataset": None,
              "versions": {"lpc-lab": "0.1.0", "numpy": np.__version__}, "command": "lpc inspect made.npz"}
    return Inspection(embeddings, source, None, found, code, np.arange(0, n, max(1, n // 12))[:12], coordinates,
                      ("made for a test",), mean, axes, np.flatnonzero(predictions != labels)[:100])
