"""Films: one configuration trained at many γ from one seed, frame by frame, as one safetensors file.

A film holds G runs × T frames × n samples. It is made to be scrubbed by eye, so positions are kept as one byte per
coordinate: the sample's offset from its class mean, in units of the largest offset of that class in that frame, on a
scale that is finest near the mean (`LEVELS`). A collapsed class is therefore resolved as finely as an open one, and
what the eye may miss is at most 1.6 % of the class's own size. All else is float32.

In the file (safetensors; ``__metadata__`` has ``kind`` "film", ``info`` as JSON and ``crc32`` of the whole file
with eight zeros in its place), with K classes, d nodes, p drawn dimensions and m nodes with a histogram:
    gammas float64 (G,)          the γ every run ends at, in the run's own convention
    steps  int32 (T,)            training steps done at each frame
    labels uint8 (n,)
    gamma  float32 (G, T)        the γ in force then (runs ramp up to their own γ)
    codes  int8 (G, T, n, p)     offset from the class mean = reach · LEVELS[code + 127]
    reach  float32 (G, T, K)
    means, points, forces float32 (G, T, K, p), (G, T, K, p), (G, T, 3, K, p): class means, predicted collapse points
                                 (NaN where the theory does not apply) and the forces at the means (K ≤ 12 only)
    wrong  uint8 (G, T, n/2) or (G, T, n): predicted classes, two to a byte (first sample low) for K ≤ 16
    range  float32 (G, T)        histograms span −range…+range
    hist   uint8 (G, T, m, 48)   tallest bin 255; m = 0 for d ≤ 3, whose histograms follow from the positions
    binarity float32 (G, T, m')  distance of each node's two peaks in peak widths, m' = min(d, 16)
    metrics float32 (M, G, T)    named by ``info.metrics``
    onset, total float32 (T,)    `collapse_onset` and `total_collapse` at every frame
"""

from __future__ import annotations

import dataclasses
import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from lpc_core.config import GAMMA_MAX, ConfigError, RunConfig, flatten, unflatten
from lpc_core.files.impostors import HEAD, named
from lpc_core.files.ordered import ordered
from lpc_core.files.writing import write_whole
from lpc_core.machine import available_memory

MIN_GAMMAS, MAX_GAMMAS = 2, 64
MIN_FRAMES, MAX_FRAMES = 2, 600
MIN_POINTS, MAX_POINTS = 10, 10_000
MAX_BYTES = 256 * 2**20  # of a film file that is opened
BINS = 48
MAX_DRAWN_RAW = 3  # up to this many nodes the nodes themselves are the axes
MAX_HIST_NODES = 16
MAX_FORCE_CLASSES = 12
COLLAPSED = 0.1  # classes this small, as a share of the radius, count as collapsed
LOST = 0.9  # a run whose accuracy is below this share of the film's best has lost its classes
FORMAT = 1

_CODE = np.arange(-127, 128) / 127
LEVELS = np.sign(_CODE) * _CODE**2  # (255,) offsets that the codes −127…127 stand for


class FilmError(ValueError):
    """A film that cannot be recorded or opened; the message says what was expected, what was found and what to do."""


@dataclass(frozen=True, eq=False)
class Film:
    """G runs of one configuration that differ in γ alone, seen at T moments on the same n samples."""

    config: RunConfig
    info: dict[str, Any]  # title, class_names, nodes, axes ("nodes" | "pca"), theory_note, metrics (names), diverged
    gammas: np.ndarray  # (G,) float64
    steps: np.ndarray  # (T,) int32
    labels: np.ndarray  # (n,) uint8
    tensors: dict[str, np.ndarray]  # the rest, as in the file

    @property
    def class_count(self) -> int:
        """K."""
        return len(self.info["class_names"])

    def metric(self, name: str) -> np.ndarray:
        """The metric ``name`` of every run at every frame, (G, T) float32; NaN where it could not be computed."""
        if name not in self.info["metrics"]:
            raise KeyError(f"expected one of {', '.join(self.info['metrics'])}, got {name!r}")
        return self.tensors["metrics"][self.info["metrics"].index(name)]

    def positions(self, run: int, frame: int) -> np.ndarray:
        """The samples as drawn, (n, p) float32."""
        means, reach = self.tensors["means"][run, frame], self.tensors["reach"][run, frame]  # (K, p), (K,)
        offsets = LEVELS[self.tensors["codes"][run, frame].astype(np.int64) + 127]
        return (means[self.labels] + reach[self.labels, None] * offsets).astype(np.float32)

    def predictions(self, run: int, frame: int) -> np.ndarray:
        """The predicted class of every sample, (n,) uint8."""
        packed = self.tensors["wrong"][run, frame]
        if self.class_count > 16:
            return packed
        return np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[: len(self.labels)]


# ---- asking for a film -------------------------------------------------------------------------------------------


def check_gammas(gammas: Sequence[float]) -> np.ndarray:
    """The γ of a film, (G,) float64: 2 to 64 finite numbers above 0, each larger than the one before."""
    try:
        values = np.array([float(gamma) for gamma in gammas])
    except (TypeError, ValueError):
        raise FilmError(f"gammas: expected numbers, got {list(gammas)!r}; write 1e-3:1e5:32 or 0.1,1,10") from None
    if not MIN_GAMMAS <= len(values) <= MAX_GAMMAS:
        raise FilmError(f"gammas: expected {MIN_GAMMAS} to {MAX_GAMMAS} values, got {len(values)}; "
                        f"{'add some' if len(values) < MIN_GAMMAS else 'leave some out'}")
    good = np.isfinite(values) & (values > 0) & (values <= GAMMA_MAX)
    if not good.all():
        raise FilmError(f"gammas: expected numbers above 0 and at most {GAMMA_MAX:g}, got {values[~good][0]:g}; "
                        "leave it out (a film's axis is logarithmic)")
    again = values[1:][values[1:] == values[:-1]]
    if again.size or len(np.unique(values)) < len(values):
        twice = again[0] if again.size else _first_duplicate(values)
        raise FilmError(f"gammas: expected each value once, got {twice:g} twice; leave one out")
    if (np.diff(values) < 0).any():
        large = values[:-1][np.diff(values) < 0][0]
        raise FilmError(f"gammas: expected growing values, got {large:g} before a smaller one; sort them")
    return values


def _first_duplicate(values: np.ndarray) -> float:
    unique, counts = np.unique(values, return_counts=True)
    return float(unique[counts > 1][0])


def parse_gammas(text: str) -> np.ndarray:
    """Read ``1e-3:1e5:32`` (from, to, how many; evenly on a log scale) or ``0.1, 1, 10``; else `FilmError`."""
    parts = [part.strip() for part in text[:4_000].split(":" if ":" in text else ",")]
    if ":" not in text:
        return check_gammas([_number(part) for part in parts if part])
    if len(parts) != 3:
        raise FilmError(f"gammas: expected from:to:count such as 1e-3:1e5:32, got {text[:40]!r}; give three numbers")
    low, high, count = (_number(part) for part in parts)
    if not (0 < low < high <= GAMMA_MAX and count == int(count) and MIN_GAMMAS <= count <= MAX_GAMMAS):
        raise FilmError(f"gammas: expected from:to:count with 0 < from < to <= {GAMMA_MAX:g} and {MIN_GAMMAS} to "
                        f"{MAX_GAMMAS} values, got {text[:40]!r}; try 1e-3:1e5:32")
    return check_gammas([float(f"{gamma:.4g}") for gamma in np.geomspace(low, high, int(count))])


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FilmError(f"gammas: expected a number, got {text[:40]!r}; write 1e-3:1e5:32 or 0.1,1,10")
    return value


def run_of(config: RunConfig, gamma: float) -> RunConfig:
    """The configuration of the film's run that ends at ``gamma``."""
    gamma = float(gamma)
    schedule = dataclasses.replace(config.gamma, gamma_start=min(config.gamma.gamma_start, gamma), gamma_end=gamma)
    return dataclasses.replace(config, gamma=schedule)


def shortened(config: RunConfig, steps: int) -> RunConfig:
    """The same run in ``steps`` steps: its ramp is shortened (or stretched) in proportion."""
    ramp = max(1, round(config.gamma.ramp_steps * steps / config.steps))
    return dataclasses.replace(config, steps=steps, gamma=dataclasses.replace(config.gamma, ramp_steps=ramp))


def check_size(frames: int, points: int, steps: int) -> None:
    """Raise `FilmError` when a film cannot have that many frames or points."""
    if not MIN_FRAMES <= frames <= MAX_FRAMES:
        raise FilmError(f"frames: expected {MIN_FRAMES} to {MAX_FRAMES}, got {frames}; choose fewer or more")
    if frames > steps + 1:
        raise FilmError(f"frames: expected at most {steps + 1} for a run of {steps} steps, got {frames}; train longer")
    if not MIN_POINTS <= points <= MAX_POINTS:
        raise FilmError(f"points: expected {MIN_POINTS} to {MAX_POINTS}, got {points}; choose fewer or more")


def frame_steps(steps: int, frames: int) -> np.ndarray:
    """The steps at which frames are taken, (T,) int32: 0 to ``steps``, gaps growing 20-fold: early motion is seen."""
    share = np.linspace(0, 1, frames)
    wanted = np.rint(steps * (20**share - 1) / 19).astype(np.int64)
    index = np.arange(frames)
    taken = np.maximum.accumulate(wanted - index) + index  # at least one step apart …
    return np.minimum(taken, steps - (frames - 1 - index)).astype(np.int32)  # … and none after the end


def drawn_dimensions(nodes: int) -> int:
    """How many dimensions p of d ``nodes`` a film draws: all of up to three, else a plane."""
    return nodes if nodes <= MAX_DRAWN_RAW else 2


def film_memory(gammas: int, frames: int, points: int, nodes: int, classes: int) -> int:
    """Bytes that recording takes for the film itself, its finished file, and the latents a PCA needs (d > 3)."""
    p, moments = drawn_dimensions(nodes), gammas * frames
    per_sample = p + 1 + (4 * nodes if nodes > MAX_DRAWN_RAW else 0)
    per_moment = points * per_sample + 4 * classes * (1 + 5 * p) + min(nodes, MAX_HIST_NODES) * (BINS + 4) + 4 * 30
    return int(moments * (per_moment + points * (p + 1)))


def check_memory(needed: int, available: int | None = None) -> None:
    """Raise `FilmError` unless ``needed`` bytes fit twice into what is available."""
    available = available_memory() if available is None else available
    if 2 * needed > available:
        raise FilmError(f"memory: expected room for {_megabytes(2 * needed)} (twice this film's {_megabytes(needed)}), "
                        f"got {_megabytes(available)} available; choose fewer γ, frames or points")


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


# ---- what a film says --------------------------------------------------------------------------------------------


def collapse_onset(film: Film, frame: int = -1) -> float:
    """The γ at which collapse sets in at ``frame``: the smallest one whose classes are below `COLLAPSED` in size.

    Size is √(tr Σ_W) over the radius (`within_class_spread`). Only γ that still classify (below `total_collapse`)
    count. Larger γ need not be tighter: near total collapse classes grow again. NaN when there is no such γ.
    """
    lost = total_collapse(film, frame)
    alive = film.gammas < lost if math.isfinite(lost) else np.isfinite(film.gammas)
    points = film.gammas[alive & (film.metric("within_class_spread")[:, frame] < COLLAPSED)]
    return float(points[0]) if len(points) else math.nan


def total_collapse(film: Film, frame: int = -1) -> float:
    """The γ from which classes are lost at ``frame``: it and all larger ones classify worse than `LOST` of the best.

    γ outran the head: all latents fall to the origin and accuracy towards chance. It depends on the ramp and on the
    head's learning rate, so it belongs to this configuration, not to the data. NaN when no γ is lost, and while even
    the best run is within twice chance.
    """
    accuracy = film.metric("train_accuracy")[:, frame]
    best = np.nanmax(accuracy) if np.isfinite(accuracy).any() else math.nan
    if not best >= min(2 / film.class_count, LOST):
        return math.nan
    return _start_of_tail(film.gammas, ~(accuracy >= LOST * best))


def _start_of_tail(gammas: np.ndarray, holds: np.ndarray) -> float:
    """The first of the last unbroken row of γ for which ``holds``; NaN when it does not hold for the largest."""
    if not len(holds) or not holds[-1]:
        return math.nan
    broken = np.flatnonzero(~holds)
    return float(gammas[broken[-1] + 1 if len(broken) else 0])


# ---- packing -----------------------------------------------------------------------------------------------------


def quantise(positions: np.ndarray, means: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes (…, n, p) int8 and reach (…, K) float32 of ``positions`` (…, n, p) around the class ``means`` (…, K, p)."""
    centres = np.nan_to_num(means.astype(np.float32).astype(np.float64))
    offsets = positions - centres.take(labels, axis=-2)  # (…, n, p)
    sizes = np.abs(offsets)
    order = np.argsort(labels, kind="stable")
    present, starts = np.unique(labels[order], return_index=True)
    reach = np.zeros(means.shape[:-1])
    reach[..., present] = np.maximum.reduceat(sizes.max(axis=-1)[..., order], starts, axis=-1)
    reach = np.minimum(reach, np.finfo(np.float32).max).astype(np.float32)
    unit = np.where(reach > 0, reach, 1).astype(np.float64).take(labels, axis=-1)[..., None]
    root = np.sqrt(np.minimum(sizes / unit, 1))
    return (np.sign(offsets) * np.rint(127 * root)).astype(np.int8), reach


def pack_classes(classes: np.ndarray, count: int) -> np.ndarray:
    """Predicted classes (…, n) as bytes, two samples to one where ``count`` is at most 16."""
    classes = classes.astype(np.uint8)
    if count > 16:
        return classes
    even = np.zeros((*classes.shape[:-1], classes.shape[-1] + classes.shape[-1] % 2), np.uint8)
    even[..., :classes.shape[-1]] = classes
    return even[..., ::2] | even[..., 1::2] << 4


# ---- saving and opening ------------------------------------------------------------------------------------------


def film_bytes(film: Film) -> bytes:
    """The film as one file's bytes."""
    arrays = {"gammas": film.gammas, "steps": film.steps, "labels": film.labels, **film.tensors}
    frames = range(len(film.steps))
    for name, find in (("onset", collapse_onset), ("total", total_collapse)):
        arrays[name] = np.array([find(film, frame) for frame in frames], np.float32)
    info = json.dumps({**film.info, "format": FORMAT, "config": flatten(film.config)}, allow_nan=False)
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    raw = ordered(safetensors.numpy.save(arrays, metadata={"kind": "film", "info": info, "crc32": "0" * 8}))
    return _with_checksum(raw, "0" * 8, f"{zlib.crc32(raw):08x}")


def save_film(film: Film, path: Path) -> int:
    """Write the film to ``path`` by way of a temporary file beside it; returns its size in bytes."""
    raw = film_bytes(film)
    write_whole(path, raw)
    return len(raw)


def open_film(source: Path | bytes) -> Film:
    """The film in a file or in bytes; `FilmError` for anything that is not a whole, unchanged film."""
    raw = source if isinstance(source, bytes) else _read(source)
    if len(raw) > MAX_BYTES:
        raise FilmError(f"expected a film of at most {_megabytes(MAX_BYTES)}, got {_megabytes(len(raw))}; "
                        "record fewer γ, frames or points")
    metadata, arrays = _unpack(raw)
    info = _checked_info(metadata, raw)
    try:
        config = unflatten({name: tuple(value) if isinstance(value, list) else value
                            for name, value in info.pop("config").items()})
    except (ConfigError, AttributeError, TypeError, OverflowError) as error:
        raise FilmError(f"expected a film of a run this version knows, got one with {error}; record it anew") from None
    _check_arrays(arrays, info, config)
    own = {name: arrays.pop(name) for name in ("gammas", "steps", "labels")}
    return Film(config, info, **own, tensors={name: arrays[name] for name in arrays if name not in ("onset", "total")})


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FilmError(f"expected a film at {path.name}, got {error.strerror}; check the name") from None
    if impostor := named(raw[:HEAD]):
        raise FilmError(f"expected a film, got {impostor}")
    return raw


def _header_length(raw: bytes) -> int:
    return int.from_bytes(raw[:8], "little")


def _with_checksum(raw: bytes, old: str, new: str) -> bytes:
    """The file with its stated checksum exchanged; the checksum itself is that of the file with eight zeros there."""
    start = raw.find(f'"crc32":"{old}"'.encode(), 8, 8 + _header_length(raw)) + len('"crc32":"')
    return raw[:start] + new.encode() + raw[start + 8 :]


def _unpack(raw: bytes) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Metadata and arrays; safetensors itself refuses headers that do not fit the bytes there are."""
    try:
        header = json.loads(raw[8 : 8 + min(_header_length(raw), 10_000_000)])
        metadata = header.get("__metadata__", {})
        if metadata.get("kind") != "film":
            raise FilmError(f"expected a film, got {metadata.get('kind', 'some other safetensors file')!r}; "
                            "choose a file that the lab saved as a film")
        return metadata, safetensors.numpy.load(raw)
    except (safetensors.SafetensorError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        if isinstance(error, FilmError):
            raise
        raise FilmError(f"expected a whole film, got {len(raw):,} bytes that are not one (cut short, or another kind "
                        "of file); save or copy it again") from None


def _checked_info(metadata: dict[str, str], raw: bytes) -> dict[str, Any]:
    text, stated = str(metadata.get("info", "")), str(metadata.get("crc32", ""))
    found = f"{zlib.crc32(_with_checksum(raw, stated, '0' * 8)):08x}"
    if found != stated:
        raise FilmError(f"expected the checksum {stated[:8]}, got {found}: this film was changed or damaged after "
                        "it was saved; save or copy it again")
    try:
        info = json.loads(text)
    except (ValueError, RecursionError):
        info = None
    if not isinstance(info, dict) or info.pop("format", None) != FORMAT:
        raise FilmError(f"expected a film in format {FORMAT}, got another one; record it anew with this version")
    wanted = {"title": str, "class_names": list, "nodes": int, "axes": str, "theory_note": str, "metrics": list,
              "diverged": list, "config": dict}
    for name, kind in wanted.items():
        if type(info.get(name)) is not kind:
            raise FilmError(f"expected info.{name} of type {kind.__name__}, got {type(info.get(name)).__name__}; "
                            "record the film anew")
    texts = [*info["class_names"], *info["metrics"]]
    if not all(isinstance(text, str) and len(text) <= 200 for text in texts):
        raise FilmError("expected class and metric names of at most 200 letters, got others; record the film anew")
    if not all(isinstance(pair, list) and [type(number) for number in pair] == [int, int] for pair in info["diverged"]):
        raise FilmError("expected pairs of a run and a step in info.diverged, got others; record the film anew")
    needed = {"within_class_spread", "train_accuracy", "norm_mean", "predicted_radius"}
    if not needed <= set(info["metrics"]) or len(set(info["metrics"])) != len(info["metrics"]):
        names = ", ".join(sorted(needed))
        raise FilmError(f"expected the metrics {names}, each once, got others; record the film anew")
    return info


def _layout(info: dict[str, Any], sizes: tuple[int, int, int]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Dtype and shape of every tensor of a film with ``sizes`` (G, T, n)."""
    g, t, n = sizes
    classes, d = len(info["class_names"]), info["nodes"]
    p, kept = drawn_dimensions(d), min(d, MAX_HIST_NODES)
    layout = {
        "gammas": ("float64", (g,)), "steps": ("int32", (t,)), "labels": ("uint8", (n,)), "gamma": ("float32", (g, t)),
        "codes": ("int8", (g, t, n, p)), "reach": ("float32", (g, t, classes)),
        "means": ("float32", (g, t, classes, p)), "points": ("float32", (g, t, classes, p)),
        "wrong": ("uint8", (g, t, n if classes > 16 else (n + 1) // 2)), "range": ("float32", (g, t)),
        "hist": ("uint8", (g, t, kept if d > MAX_DRAWN_RAW else 0, BINS)), "binarity": ("float32", (g, t, kept)),
        "metrics": ("float32", (len(info["metrics"]), g, t)),
        "onset": ("float32", (t,)), "total": ("float32", (t,)),
    }
    if classes <= MAX_FORCE_CLASSES:
        layout["forces"] = ("float32", (g, t, 3, classes, p))
    return layout


def _check_arrays(arrays: dict[str, np.ndarray], info: dict[str, Any], config: RunConfig) -> None:
    sizes = tuple(len(arrays[name]) if name in arrays and arrays[name].ndim == 1 else -1
                  for name in ("gammas", "steps", "labels"))
    layout = _layout(info, sizes)  # type: ignore[arg-type]
    if set(arrays) != set(layout):
        odd = sorted(set(arrays) ^ set(layout))
        raise FilmError(f"expected the tensors {', '.join(layout)}, got a difference in {', '.join(odd)[:200]}; "
                        "record the film anew")
    for name, (dtype, shape) in layout.items():
        if arrays[name].dtype != dtype or arrays[name].shape != shape:
            raise FilmError(f"expected {name} {dtype} {shape}, got {arrays[name].dtype} {arrays[name].shape}; "
                            "record the film anew")
    classes, d = len(info["class_names"]), info["nodes"]
    if not (2 <= classes <= 256 and 1 <= d <= 8_192 and info["axes"] in ("nodes", "pca")):
        raise FilmError(f"expected 2 to 256 classes and at least 1 node, got {classes} and {d}; record the film anew")
    check_gammas(arrays["gammas"])
    steps = arrays["steps"]
    check_size(len(steps), sizes[2], int(steps.max(initial=0)))
    if (np.diff(steps) <= 0).any() or steps[0] < 0 or steps[-1] > config.steps:
        raise FilmError(f"expected growing steps from 0 to {config.steps}, got {steps[0]} … {steps[-1]}; "
                        "record the film anew")
    _check_values(arrays, classes)


def _check_values(arrays: dict[str, np.ndarray], classes: int) -> None:
    if arrays["labels"].max() >= classes:
        raise FilmError(f"expected labels below {classes}, got {arrays['labels'].max()}; record the film anew")
    if arrays["codes"].min() < -127:
        raise FilmError("expected codes from -127 to 127, got -128; record the film anew")
    for name, least in (("reach", 0), ("range", 0), ("gamma", 0)):
        if not (np.isfinite(arrays[name]).all() and (arrays[name] >= least).all()):
            raise FilmError(f"expected finite {name} of at least {least}, got others; record the film anew")
    absent = ~np.isin(np.arange(classes), arrays["labels"])
    if not np.isfinite(arrays["means"][:, :, ~absent]).all():
        raise FilmError("expected finite means, got NaN or infinity; record the film anew")
