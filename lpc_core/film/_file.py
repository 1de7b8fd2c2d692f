"""A film as one file; every tensor and every fact of one that is opened is checked.

In the file (safetensors; ``__metadata__`` has ``kind`` "film", ``info`` as JSON and ``crc32`` of the whole file
with eight zeros in its place), with K classes, d nodes, p drawn dimensions and m nodes with a histogram:
    gammas float64 (G,)          the γ every run ends at, in the run's own convention
    steps  int32 (T,)            training steps done at each frame
    labels uint8 (n,)
    gamma  float32 (G, T)        the γ in force then (runs ramp up to their own γ)
    codes  int8 (G, T, n, p)     offset from the class mean = reach · LEVELS[code + 127]
    reach  float32 (G, T, K)
    means, collapse_points, forces float32 (G, T, K, p), (G, T, K, p), (G, T, 3, K, p): class means, predicted z* (NaN
                                 where the theory does not apply) and the forces at the means (K ≤ 12 only)
    predictions uint8 (G, T, n/2) or (G, T, n): two to a byte (first sample low) for K ≤ 16
    hist_range float32 (G, T)    histograms span −hist_range…+hist_range
    hist   uint8 (G, T, m, 48)   tallest bin 255; m = 0 for d ≤ 3, whose histograms follow from the positions
    node_peak_distance float32 (G, T, m') in peak widths, m' = min(d, 16)
    metrics float32 (M, G, T)    named by ``info.metrics``
    phase  uint8 (G, T)          `lpc_core.phase.Phase`; absent in older films
    onset, total float32 (T,)    `collapse_onset` and `total_collapse` at every frame
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from lpc_core.config import ConfigError, RunConfig, flatten, restored
from lpc_core.engine.cost import megabytes
from lpc_core.files import tensors
from lpc_core.files.impostors import HEAD, named
from lpc_core.files.plain_json import dumps
from lpc_core.files.words import printable
from lpc_core.files.writing import write_whole
from lpc_core.film._asking import check_gammas, check_size
from lpc_core.film._film import Film, FilmError, collapse_onset, layout, total_collapse
from lpc_core.phase import Phase
from lpc_core.snapshot import renamed

MAX_BYTES = 256 * 2**20  # of a film file that is opened
MAX_WORDS = 1_000  # letters in one of the texts about a metric
FORMAT, READ = 2, (1, 2)  # 1 had other names: `snapshot.OLD_NAMES`
DERIVED = ("phase", "onset", "total")  # made anew from the metrics whenever a film is written


def film_bytes(film: Film) -> bytes:
    """The film as one file's bytes."""
    arrays = {"gammas": film.gammas, "steps": film.steps, "labels": film.labels, "phase": film.phases, **film.tensors}
    frames = range(len(film.steps))
    for name, find in (("onset", collapse_onset), ("total", total_collapse)):
        arrays[name] = np.array([find(film, frame) for frame in frames], np.float32)
    info = dumps({**film.info, "format": FORMAT, "config": flatten(film.config)})
    raw = tensors.pack(arrays, kind="film", info=info, crc32="0" * 8)
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
        raise FilmError(f"expected a film of at most {megabytes(MAX_BYTES)}, got {megabytes(len(raw))}; "
                        "record fewer γ, frames or points")
    header, arrays = _unpack(raw)
    info = _checked_info(header, raw)
    try:
        config = restored(info.pop("config"))
    except ConfigError as error:
        raise FilmError(f"expected a film of a run this version knows, got one with {error}; record it anew") from None
    _check_arrays(arrays, info, config)
    own = {name: arrays.pop(name) for name in ("gammas", "steps", "labels")}
    return Film(config, info, **own, tensors={name: arrays[name] for name in arrays if name not in DERIVED})


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FilmError(f"expected a film at {path.name}, got {error.strerror}; check the name") from None
    if impostor := named(raw[:HEAD]):
        raise FilmError(f"expected a film, got {impostor}")
    return raw


def _with_checksum(raw: bytes, old: str, new: str) -> bytes:
    """The file with its stated checksum exchanged; the checksum itself is that of the file with eight zeros there."""
    start = raw.find(f'"crc32":"{old}"'.encode(), 8) + len('"crc32":"')  # the header comes first
    return raw[:start] + new.encode() + raw[start + 8 :]


def _unpack(raw: bytes) -> tuple[tensors.Header, tensors.Arrays]:
    """Header and arrays."""
    try:
        header = tensors.header(raw)
        kind = header.metadata.get("kind", "some other safetensors file")
        if kind != "film":
            raise FilmError(f"expected a film, got {printable(repr(kind), 60)}; choose a file that the lab saved as a "
                            "film")
        return header, renamed(tensors.arrays(raw))
    except tensors.TensorFileError:
        raise FilmError(f"expected a whole film, got {len(raw):,} bytes that are not one (cut short, or another kind "
                        "of file); save or copy it again") from None


def _checked_info(header: tensors.Header, raw: bytes) -> dict[str, Any]:
    stated = header.metadata.get("crc32", "")
    found = f"{zlib.crc32(_with_checksum(raw, stated, '0' * 8)):08x}"
    if found != stated:
        raise FilmError(f"expected the checksum {printable(stated, 8)}, got {found}: this film was changed or damaged "
                        "after it was saved; save or copy it again")
    try:
        info = header.info("what a film says")
    except tensors.TensorFileError:
        info = {}
    if type(known := info.pop("format", None)) is not int or known not in READ:
        formats = " or ".join(map(str, READ))
        raise FilmError(f"expected a film in format {formats}, got another one; record it anew with this version")
    wanted = {"title": str, "class_names": list, "nodes": int, "axes": str, "theory_note": str, "metrics": list,
              "diverged": list, "config": dict}
    for name, kind in wanted.items():
        given = type(info.get(name))
        _expect(given is kind, f"info.{name} of type {kind.__name__}", given.__name__)
    _expect(len(info["theory_note"]) <= MAX_WORDS, f"a theory_note of at most {MAX_WORDS:,} letters",
            f"{len(info['theory_note']):,}")
    texts = [info["title"], *info["class_names"], *info["metrics"]]
    _expect(all(isinstance(text, str) and len(text) <= 200 and text.isprintable() for text in texts),
            "a title and names of classes and metrics of at most 200 printable letters")
    _expect(all(isinstance(pair, list) and [type(number) for number in pair] == [int, int]
                for pair in info["diverged"]), "pairs of a run and a step in info.diverged")
    needed = {"within_class_spread", "train_accuracy", "norm_mean", "predicted_radius"}
    _expect(needed <= set(info["metrics"]) and len(set(info["metrics"])) == len(info["metrics"]),
            f"the metrics {', '.join(sorted(needed))}, each once")
    _expect("words" not in info or _good_words(info["words"], info["metrics"]),  # films of older versions bring none
            f"words of at most {MAX_WORDS:,} letters for each metric")
    return info


def _expect(good: bool | np.bool, what: str, got: object = "others") -> None:
    if not good:
        raise FilmError(f"expected {what}, got {got}; record the film anew")


def _good_words(words: Any, names: list[str]) -> bool:
    """Whether these are words (`Metric.words`) for metrics of these names: texts and truth values."""
    if not (isinstance(words, dict) and words.keys() == set(names)):
        return False
    values = [value for entry in words.values() for value in (entry.values() if isinstance(entry, dict) else [None])]
    return all(isinstance(value, bool) or (isinstance(value, str) and len(value) <= MAX_WORDS) for value in values)


def _check_arrays(arrays: dict[str, np.ndarray], info: dict[str, Any], config: RunConfig) -> None:
    g, t, n = (len(arrays[name]) if name in arrays and arrays[name].ndim == 1 else -1
               for name in ("gammas", "steps", "labels"))
    classes, d = len(info["class_names"]), info["nodes"]
    wanted = layout(classes, d, len(info["metrics"]), (g, t, n))
    if "phase" not in arrays:
        del wanted["phase"]
    odd = sorted(set(arrays) ^ set(wanted))
    _expect(not odd, f"the tensors {', '.join(wanted)}", f"a difference in {printable(', '.join(odd), 200)}")
    for name, (dtype, shape) in wanted.items():
        own = arrays[name]
        _expect(own.dtype == dtype and own.shape == shape, f"{name} {dtype} {shape}", f"{own.dtype} {own.shape}")
    _expect(2 <= classes <= 256 and 1 <= d <= 8_192 and info["axes"] in ("nodes", "pca"),
            "2 to 256 classes and at least 1 node", f"{classes} and {d}")
    _expect(all(0 <= run < g for run, _ in info["diverged"]), f"runs below {g} in info.diverged")
    check_gammas(arrays["gammas"])
    steps = arrays["steps"]
    check_size(t, n, int(steps.max(initial=0)))
    _expect((np.diff(steps) > 0).all() and steps[0] >= 0 and steps[-1] <= config.steps,
            f"growing steps from 0 to {config.steps}", f"{steps[0]} … {steps[-1]}")
    _check_values(arrays, classes)


def _check_values(arrays: dict[str, np.ndarray], classes: int) -> None:
    labels, codes, packed = arrays["labels"], arrays["codes"], arrays["predictions"]
    _expect(labels.max() < classes, f"labels below {classes}", labels.max())
    predicted = packed.max() if classes > 16 else max((packed & 15).max(), packed.max() >> 4)
    _expect(predicted < classes, f"predictions below {classes}", predicted)
    _expect(codes.min() >= -127, "codes from -127 to 127", codes.min())
    if "phase" in arrays:
        highest = arrays["phase"].max(initial=0)
        _expect(highest <= max(Phase), f"phases from 0 to {max(Phase)}", highest)
    for name in ("reach", "hist_range", "gamma"):
        _expect(np.isfinite(arrays[name]).all() and (arrays[name] >= 0).all(), f"finite {name} of at least 0")
    present = np.isin(np.arange(classes), labels)
    _expect(np.isfinite(arrays["means"][:, :, present]).all(), "finite means", "NaN or infinity")
