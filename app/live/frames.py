"""Frames: what the browser is sent, as safetensors bytes (8-byte little-endian header length, JSON header, buffers).

The header's ``__metadata__`` has two strings: ``kind`` and ``info`` (a JSON object). Numbers are little-endian.
``p`` is the number of drawn dimensions (2 or 3), n the probe samples, K the classes, d the latent nodes, m the large
nodes.

kind "setup": sent first, and again whenever a run starts (new config, reset, or a new worker).
    info: {run: int (grows with every new run), frame: int, step: int (reached so far), dataset: str,
           title: str (data set's menu title), n, K, d,
           class_names: [str], image: null | [H, W, C], convention: "sum"|"mean", penultimate: str, optimizer: str,
           steps: int, gamma_start: float, gamma_end: float, theory: bool (collapse points are drawn), theory_note: str
           (why not), history: {name: [number|null]} (columns of equal length incl. "step" and "gamma"; thinned to at
           most 1,000 rows),
           catalogue: `app.catalogue` (the words of metrics, and charts),
           inputs: {kind: "plane" (two numbers a sample) | "projection" (more, through their two directions of largest
           spread) | "pictures"; not for the last: scale: float (input unit of one int16), share: float (of the spread
           that the two directions hold), window: [x, y, half] (the square that is drawn)}}
    labels  uint8 (n,)
    inputs  int16 (n, 2)   where the samples lie before the network; value = int16 · scale; absent for pictures
kind "frame": one moment.
    info: {run, frame: int (grows), step: int, steps: int (where it stops by itself), gamma, gamma_sum,
           gamma_target, gamma_seq: int, gamma_mode: "auto"|"hand",
           lr, head_lr, state: "running"|"paused"|"finished"|"diverged", reason: str,
           steps_per_s: float, scale: float (latent unit of one int16), norm_mean: float,
           predicted_radius: float|null, metrics: {} | {name: number|null} (given on some frames only: one point of the
           curves), sentence: [str, {str: str}] (what is happening now, in one sentence with
           places {…}, and what stands in them), projection, nodes: [int] (the axes' nodes; [] under pca),
           dims: 2|3, large: [int], hist_range: float (histograms span −hist_range…+hist_range),
           notice: str}
    xy          int16   (n, p)   latents in the view; value = int16 · scale
    predictions uint8   (n,)
    means       float32 (K, p)   class means in the view
    collapse_points float32 (K, p) predicted z* in the view; absent where the theory does not apply
    forces      float32 (3, K, p) cross-entropy, penalty, tangential, at the means, in loss units; absent likewise
    hist        uint16  (d, 48)  histogram of every node, all classes
    hist_class  uint16  (m, K or 1, 48) of the large nodes, by class (K ≤ 12) or all together (1)
    node_peak_distance float32 (d,) of every node in peak widths; NaN when unknown
    bins        uint8   (m, n)   the bar of each sample in each large histogram; where the view asks for it
    regions     uint8   (48, 48) class given to the middles of a grid over the inputs' window, the top row first; where
                                 the view asks for it, of a plane, with metrics
"setup" and "frame" carry all runs of a group at once, be it one alone or up to four that are compared: info.panels is
    a list of what is described above, one for each run (with its own "state" and "reason"), and its tensors are called
    "0.xy", "1.xy", …. The outer info is of the group: run, frame, step, steps, state, reason, …, and γ as the runs have
    it that follow the hand; a setup also has titles [str] and follows [bool], whether the shared γ moves that run.
kind "thumbs": info: {run}; pixels uint8 (n, H, W, C), C = 1 or 3.
kind "notice": info: {level: "info"|"warning"|"error", text: str, progress: float|null, state}; no tensors. state is
    "loading" (data are being fetched; progress 0…1 or null), "restarting" (a new worker is being started), "restored"
    (the run went on in a new worker), "error" (what was asked for cannot be had; a run before it goes on), "stopped"
    (no run any more) or "" (a remark).
kind "pong": info: {}; no tensors: the answer to a ping.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lpc_core.files import tensors
from lpc_core.files.plain_json import dumps
from lpc_core.snapshot import Snapshot, in_view, placed

BINS = 48
CLASSES_BY_COLOUR = 12  # more classes than this share one histogram
_INT16 = 32_767

Arrays = dict[str, np.ndarray]
Part = tuple[dict[str, Any], Arrays]  # one run's share of a message


class FrameError(ValueError):
    """Bytes that are not a frame."""


@dataclass(frozen=True)
class Projection:
    """How the latents are looked at: ``basis`` (d, p) projects them, ``large`` nodes get a histogram per class."""

    method: str  # "nodes" | "pca"
    nodes: tuple[int, ...]
    large: tuple[int, ...]
    basis: np.ndarray  # (d, p)
    hist_range: float


def encode_thumbs(run: int, pixels: np.ndarray) -> bytes:
    """The pictures of the probe samples, uint8 (n, H, W, C)."""
    return _encode("thumbs", {"run": run}, {"pixels": pixels.astype(np.uint8)})


def encode_notice(level: str, text: str, progress: float | None = None, state: str = "") -> bytes:
    """One line for the reader."""
    return _encode("notice", {"level": level, "text": text, "progress": progress, "state": state}, {})


def encode(kind: str, info: Mapping[str, Any], parts: Sequence[Part]) -> bytes:
    """A setup or a frame of all runs of a group: all at the same moment, so they cannot come apart on the way.

    ``info`` is what they say as one: run, frame, step, steps, state, ….
    """
    arrays = {f"{i}.{name}": array for i, (_, own) in enumerate(parts) for name, array in own.items()}
    return _encode(kind, dict(info) | {"panels": [own for own, _ in parts]}, arrays)


def moment(snapshot: Snapshot, projection: Projection, *, bins: bool = False) -> Part:
    """What a frame says of one run; with ``bins`` also which bar of the large histograms each sample is in."""
    nodes = finite(snapshot.latents.T)  # (d, n): the values of a node lie together in a snapshot
    with np.errstate(over="ignore", invalid="ignore"):  # a diverged run is drawn too
        xy, scale = quantised(nodes.T @ projection.basis.astype(np.float32))  # (n, p)
        arrays = {"xy": xy, "predictions": snapshot.predictions.astype(np.uint8)}
        arrays |= in_view(placed(snapshot), projection.basis) | _histograms(nodes, snapshot, projection, told=bins)
    own = {
        "step": snapshot.step, "gamma": snapshot.gamma, "gamma_sum": snapshot.gamma_sum,
        "gamma_target": snapshot.gamma_target, "gamma_mode": snapshot.gamma_mode, "lr": snapshot.lr,
        "head_lr": snapshot.head_lr, "scale": scale, "norm_mean": _norm_mean(snapshot, nodes),
        "predicted_radius": _predicted_radius(snapshot), "metrics": _known(snapshot.metrics), "reason": snapshot.reason,
        "projection": projection.method, "nodes": list(projection.nodes), "dims": projection.basis.shape[1],
        "large": list(projection.large), "hist_range": projection.hist_range, "notice": "",
    }
    return own, arrays


def finite(values: np.ndarray) -> np.ndarray:
    """``values`` with 0 for what is not finite; the same array where everything is."""
    return values if np.isfinite(values).all() else np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def decode(raw: bytes) -> tuple[str, dict[str, Any], Arrays]:
    """``(kind, info, arrays)`` of a frame's bytes; raises `FrameError` on anything else."""
    try:
        found = tensors.header(raw)
        return found.metadata["kind"], found.info("a frame"), tensors.arrays(raw)
    except (tensors.TensorFileError, KeyError) as error:
        what = f"expected a frame (safetensors bytes with kind and info), got {len(raw)} bytes: {error}"
        raise FrameError(what) from None


def _encode(kind: str, info: Mapping[str, Any], arrays: Arrays) -> bytes:
    return tensors.pack(arrays, kind=kind, info=dumps(info, infinities=False, separators=(",", ":")))


def _known(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """What was measured; None where it is not a finite number."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def quantised(values: np.ndarray) -> tuple[np.ndarray, float]:
    """int16 numbers and the one scale that gives ``values`` back to within half of it."""
    values = finite(values).astype(np.float64)
    top = max(values.max(initial=0.0), -values.min(initial=0.0))
    scale = max(float(top) / _INT16, 1e-30)
    values /= scale
    return np.rint(values, out=values).astype(np.int16), scale


def _norm_mean(snapshot: Snapshot, nodes: np.ndarray) -> float:
    """Mean ‖z‖ over the probe samples: the metric ``norm_mean``, computed here where nothing was measured."""
    measured = snapshot.metrics.get("norm_mean", math.nan)
    if math.isfinite(measured):
        return measured
    nodes = nodes.astype(np.float64)
    return float(np.sqrt(np.einsum("dn,dn->n", nodes, nodes)).mean())


def _predicted_radius(snapshot: Snapshot) -> float | None:
    """Mean ‖z*‖ over the probe samples, each at its own class's point."""
    points = snapshot.collapse_points
    if points is None:
        return None
    return float(np.sqrt(np.einsum("kd,kd->k", points, points))[snapshot.labels].mean())


def _histograms(nodes: np.ndarray, snapshot: Snapshot, projection: Projection, *, told: bool) -> Arrays:
    d, classes = len(nodes), len(snapshot.weight)
    place = nodes / projection.hist_range
    place += 1.0
    place *= BINS / 2
    np.minimum(np.maximum(place, 0, out=place), BINS - 1, out=place)
    bins = place.astype(np.int64)  # (d, n) bin of every sample at every node
    groups = classes if classes <= CLASSES_BY_COLOUR else 1
    shift = BINS * snapshot.labels if groups > 1 else 0
    peaks = snapshot.node_peak_distance
    return ({"bins": bins[list(projection.large)].astype(np.uint8)} if told else {}) | {
        "hist": _count(bins, BINS),
        "hist_class": _count((bins[node] + shift for node in projection.large),
                             groups * BINS).reshape(-1, groups, BINS),
        "node_peak_distance": np.full(d, np.nan, np.float32) if peaks is None else peaks.astype(np.float32),
    }


def _count(rows: Iterable[np.ndarray], cells: int) -> np.ndarray:
    """How many samples of each row fell in each of the ``cells``, saturating at what uint16 holds: (rows, cells)."""
    return np.minimum([np.bincount(row, minlength=cells) for row in rows], 65_535).astype(np.uint16)
