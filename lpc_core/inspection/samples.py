"""Samples to run a network on: a built-in set, an npz of inputs and labels, or a folder of pictures by class."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lpc_core.checkpoint import Limits, sandbox
from lpc_core.config import DataConfig, RunConfig
from lpc_core.data import Dataset, load, sources
from lpc_core.engine._probe import spread
from lpc_core.inspection.running import Progress
from lpc_core.presets import default_run

MOST_SAMPLES = 2_000  # samples that are run unless more are asked for
READER = "lpc_core.inspection._data_reader"
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")  # of pictures; Pillow knows dozens of rare ones too
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
MOST_PIXELS = 64 * 2**20  # of one picture
MOST_BYTES = 2 * 2**30  # of all pictures, unpacked
NO_PILLOW = "A folder of pictures needs the package Pillow, which is not installed: pip install pillow"


@dataclass(frozen=True, eq=False)
class Samples:
    """n stored samples with their labels, and where they are from."""

    inputs: np.ndarray  # (n, H, W, C) uint8 or floats, or (n, D) floats
    labels: np.ndarray  # (n,) int64
    class_names: tuple[str, ...]
    name: str  # "digits, training samples", …
    dataset: Dataset | None = None  # the built-in set they are from, whose statistics normalise it
    notes: tuple[str, ...] = ()


def gather(data: str, *, run: RunConfig | None = None, split: str = "train", count: int | None = None, seed: int = 0,
           side: int | None = None, progress: Progress | None = None, limits: Limits = Limits()) -> Samples:  # noqa: B008
    """The samples that ``data`` names: a built-in set, an npz by its path, or a folder with one folder per class.

    A built-in set gives those of ``run`` (settings of this lab's own run) where it is the same set, so that they are
    the very samples it was trained on; ``split`` is "train" or "test". At most ``count`` are kept, a stratified choice
    under ``seed`` (None: what the lab usually takes, at most `MOST_SAMPLES`). A folder's pictures have one size, or are
    cut to ``side`` × ``side`` pixels.

    Raises `ValueError` (`FileRefused`, `DataError` among them) for what cannot be had, `ImportError` without Pillow.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split: expected train or test, got {split!r}; choose one of them")
    if count is not None and count < 1:
        raise ValueError(f"samples: expected at least 1, got {count}; choose more")
    path = Path(data)
    if data in sources():
        found = _built_in(data, run, split, count, progress)
    elif path.is_dir():
        found = _folder(path, side, progress)
    elif path.is_file():
        found = _npz(path, limits)
    else:
        raise ValueError(f"data: expected one of {', '.join(sources())}, an npz file or a folder of pictures, got "
                         f"{data!r}, which is none of them; check the name")
    return _chosen(found, count or MOST_SAMPLES, seed)


def _built_in(data: str, run: RunConfig | None, split: str, count: int | None, progress: Progress | None) -> Samples:
    config, seed, whose = _config_of(data, run, split, count)

    def tell(what: str, share: float) -> None:
        if progress is not None:
            progress(0.0 if np.isnan(share) else share, what)

    dataset = load(config, seed, tell)
    inputs, labels = (dataset.train_inputs, dataset.train_labels) if split == "train" else \
        (dataset.test_inputs, dataset.test_labels)
    kind = "training" if split == "train" else "held-out"
    return Samples(inputs, labels, dataset.class_names, f"{data}, {kind} samples", dataset, (f"{data}: {whose}",))


def _config_of(data: str, run: RunConfig | None, split: str, count: int | None) -> tuple[DataConfig, int, str]:
    """Which samples of a set: the run's own, or under seed 0 what the lab usually takes, or more if asked for."""
    if run is not None and run.data.dataset == data:
        return run.data, run.seed, f"the very samples of the run (seed {run.seed})"
    config = default_run(data).data
    size = {"train": "samples", "test": "test_samples"}[split]
    return dataclasses.replace(config, **{size: max(count or 0, getattr(config, size))}), 0, "drawn under seed 0"


def _npz(path: Path, limits: Limits) -> Samples:
    message = sandbox.call(READER, path, {"name": path.name[-255:]}, limits)
    arrays, facts = message.arrays(), message.facts
    return Samples(arrays["inputs"], arrays["labels"], tuple(map(str, facts["class_names"])), path.name,
                   notes=tuple(map(str, facts["notes"])))


# ---- folders of pictures ---------------------------------------------------------------------------------------


def _folder(path: Path, side: int | None, progress: Progress | None) -> Samples:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(NO_PILLOW) from error
    files = [(file, name) for name in sorted(entry.name for entry in path.iterdir() if entry.is_dir())
             for file in sorted((path / name).iterdir()) if file.suffix.lower() in SUFFIXES and file.is_file()]
    if not files:
        raise ValueError(f"data: expected a folder with one folder of pictures per class, got {path.name!r} without "
                         "any; sort the pictures into folders named like their classes")
    names = tuple(dict.fromkeys(name for _, name in files))
    pictures = []
    for picture in _opened(Image, [file for file, _ in files], side):
        pictures.append(picture)
        if progress is not None:
            progress(len(pictures) / len(files), "reading pictures")
    labels = np.array([names.index(name) for _, name in files], np.int64)
    cut = (f"pictures cut to their middle square and made {side} × {side} pixels",) if side else ()
    return Samples(np.stack(pictures), labels, names, f"{path.name}, {len(files):,} pictures", notes=cut)


def _opened(image: Any, files: list[Path], side: int | None) -> Iterator[np.ndarray]:
    """Each picture as (H, W, C) uint8, all of one size and all grey or all in colour."""
    first: tuple[Path, tuple[int, ...]] | None = None
    total = 0
    for file in files:
        picture = _pixels(image, file, side)
        first = first or (file, picture.shape)
        if picture.shape != first[1]:
            raise ValueError(f"data: expected pictures of one size and kind, {first[1]} like {first[0].name}, got "
                             f"{picture.shape} in {file.name}; give the side they are to be cut to")
        total += picture.nbytes
        if total > MOST_BYTES:
            raise ValueError(f"data: expected at most {MOST_BYTES:,} bytes of pixels, got more at {file.name}; give a "
                             "smaller side, or fewer pictures")
        yield picture


def _pixels(image: Any, file: Path, side: int | None) -> np.ndarray:
    try:
        with image.open(file, formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError(f"data: expected pictures of at most {MOST_PIXELS:,} pixels, got {picture.width} × "
                                 f"{picture.height} in {file.name}; make it smaller")
            plain = picture.convert("L" if picture.mode in ("1", "L", "I", "I;16", "F") else "RGB")
            if side:
                edge = min(plain.size)
                left, top = (plain.width - edge) // 2, (plain.height - edge) // 2
                plain = plain.resize((side, side), image.Resampling.BILINEAR, (left, top, left + edge, top + edge))
            pixels = np.asarray(plain)
    except (OSError, SyntaxError, image.DecompressionBombError) as error:  # no picture, in Pillow's words
        why = " ".join(str(error).split())[:200]
        raise ValueError(f"data: expected a picture in {file.name}, got {why}; remove or convert it") from None
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _chosen(found: Samples, count: int, seed: int) -> Samples:
    """At most ``count`` of the samples, by class shares."""
    if len(found.labels) <= count:
        return found
    rows = spread(found.labels, count, seed)
    note = f"{count:,} of {len(found.labels):,} samples, stratified, drawn with seed {seed}"
    return dataclasses.replace(found, inputs=found.inputs[rows], labels=found.labels[rows], notes=(*found.notes, note))
