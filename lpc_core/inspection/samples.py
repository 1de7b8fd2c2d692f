"""Samples to run a network on: a built-in set, an npz of inputs and labels, or pictures in one folder per class."""

from __future__ import annotations

import dataclasses
import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lpc_core.checkpoint import FileRefused, Limits, pictures, sandbox
from lpc_core.config import DataConfig, RunConfig
from lpc_core.data import Dataset, TooManyAsked, load, sources, spread
from lpc_core.presets import default_run
from lpc_core.progress import Progress, silent

MOST_SAMPLES = 2_000  # samples that are run unless more are asked for
MOST_DEEP = 4  # folders within folders that are looked into
READER, PICTURES = "lpc_core.checkpoint._samples", "lpc_core.checkpoint.pictures"  # in the reading process


@dataclass(frozen=True, eq=False)
class Samples:
    """n stored samples with their labels, and where they are from."""

    inputs: np.ndarray  # (n, H, W, C) uint8 or floats, or (n, D) floats
    labels: np.ndarray  # (n,) int64
    class_names: tuple[str, ...]
    name: str  # "digits, training samples", …
    dataset: Dataset | None = None  # the built-in set they are from, whose statistics normalise it
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # what must be known before the numbers are believed


def gather(data: str, *, run: RunConfig | None = None, split: str = "train", count: int | None = None, seed: int = 0,
           side: int | None = None, progress: Progress = silent, limits: Limits = Limits()) -> Samples:  # noqa: B008
    """The samples that ``data`` names: a built-in set, an npz by its path, or pictures in one folder per class.

    A built-in set gives those of ``run`` (settings of this lab's own run) where it is the same set, so that they are
    the very samples it was trained on; ``split`` is "train" or "test". At most ``count`` are kept, a stratified choice
    under ``seed`` (None: what the lab usually takes, at most `MOST_SAMPLES`). Pictures lie in a folder or in a zip of
    one, and have one size, or are cut to ``side`` × ``side`` pixels.

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
        return _folder(path, side=side, count=count or MOST_SAMPLES, seed=seed, progress=progress, limits=limits)
    elif path.is_file():
        found = _pictures(path, side, limits) if path.suffix.lower() == ".zip" else \
            _read(READER, path, {"name": path.name[-255:]}, limits)
    else:
        raise ValueError(f"data: expected one of {', '.join(sources())}, an npz file or a folder of pictures, got "
                         f"{data!r}, which is none of them; check the name")
    rows, notes = _some(found.labels, count or MOST_SAMPLES, seed)
    return dataclasses.replace(found, inputs=found.inputs[rows], labels=found.labels[rows],
                               notes=(*found.notes, *notes)) if notes else found


def _built_in(data: str, run: RunConfig | None, split: str, count: int | None, progress: Progress) -> Samples:
    """The run's own samples, or under seed 0 what the lab usually takes, or more if asked for."""
    size = {"train": "samples", "test": "test_samples"}[split]
    if run is not None and run.data.dataset == data:
        config, seed, whose = run.data, run.seed, f"the very samples of the run (seed {run.seed})"
    else:
        config, seed, whose = default_run(data).data, 0, "drawn under seed 0"
        config = dataclasses.replace(config, **{size: max(count or 0, getattr(config, size))})

    def tell(share: float, what: str) -> None:
        progress(0.0 if np.isnan(share) else share, what)

    dataset = _loaded(config, seed, tell, {size: count or 0})
    inputs, labels, kind = (dataset.train_inputs, dataset.train_labels, "training") if split == "train" else \
        (dataset.test_inputs, dataset.test_labels, "held-out")
    return Samples(inputs, labels, dataset.class_names, f"{data}, {kind} samples", dataset, (f"{data}: {whose}",))


def _loaded(config: DataConfig, seed: int, tell: Progress, asked: dict[str, int]) -> Dataset:
    """The set; all of a copy with fewer samples than the lab usually takes, if not more were ``asked`` for."""
    try:
        return load(config, seed, tell)
    except TooManyAsked as error:
        if asked.get(error.field, 0) > error.most:
            raise
        fewer: dict[str, Any] = {error.field: error.most}
        return _loaded(dataclasses.replace(config, **fewer), seed, tell, asked)


def _read(reader: str, path: Path, asked: dict[str, Any], limits: Limits) -> Samples:
    """What ``reader`` finds in a file, in a process of its own."""
    message = sandbox.call(reader, path, asked, limits)
    arrays, facts = message.arrays(), message.facts
    names, notes, warnings = (tuple(map(str, facts[key])) for key in ("class_names", "notes", "warnings"))
    return Samples(arrays["inputs"], arrays["labels"], names, path.name, notes=notes, warnings=warnings)


# ---- folders of pictures ---------------------------------------------------------------------------------------


def _folder(path: Path, *, side: int | None, count: int, seed: int, progress: Progress,
            limits: Limits) -> Samples:
    """The pictures of a folder with one folder per class: those that are wanted are packed and then read elsewhere."""
    listed = list(_walk(path))
    found = pictures.sort(name for name, _ in listed)
    if not found.pictures:
        raise ValueError(f"data: expected a folder with one folder of pictures per class, got {path.name!r} without "
                         f"any; {pictures.SORT}")
    names, files = list(found.pictures), dict(listed)
    rows, notes = _some(np.array([found.classes.index(found.pictures[name]) for name in names]), count, seed)
    with tempfile.TemporaryDirectory() as private:
        packed = Path(private, "pictures.zip")
        pictures.pack(_readers([(names[row], files[names[row]]) for row in rows], progress), packed, found)
        taken = _pictures(packed, side, limits)
    return dataclasses.replace(taken, name=f"{path.name}, {len(names):,} pictures", notes=(*taken.notes, *notes))


def _walk(folder: Path, before: str = "") -> Iterator[tuple[str, Path]]:
    """Every file below ``folder`` as (folders/name, path), and every folder as (folders/name/, path)."""
    for item in sorted(folder.iterdir()):
        if not item.is_dir():
            yield f"{before}{item.name}", item
            continue
        yield f"{before}{item.name}/", item
        if before.count("/") < MOST_DEEP:
            yield from _walk(item, f"{before}{item.name}/")


def _readers(files: list[tuple[str, Path]], progress: Progress) -> dict[str, Callable[[], bytes]]:
    """How to read each file, telling how far that got."""
    def reader(place: int, path: Path) -> bytes:
        progress(place / len(files), "reading pictures")
        return path.read_bytes()

    return {name: partial(reader, place, path) for place, (name, path) in enumerate(files, start=1)}


def _pictures(path: Path, side: int | None, limits: Limits) -> Samples:
    """The pictures of an archive with one folder per class."""
    if importlib.util.find_spec("PIL") is None:
        raise ImportError(pictures.NO_PILLOW)
    try:
        found = _read(PICTURES, path, {"side": side}, limits)
    except FileRefused as error:
        raise FileRefused(f"data: {error}") from error.__cause__
    cut = (f"pictures cut to their middle square and made {side} × {side} pixels",) if side else ()
    return dataclasses.replace(found, name=f"{path.name}, {len(found.labels):,} pictures", notes=(*found.notes, *cut))


def _some(labels: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Rows of at most ``count`` samples, by class shares; and what was done, if it was not to take all."""
    if len(labels) <= count:
        return np.arange(len(labels)), ()
    note = f"{count:,} of {len(labels):,} samples, stratified, drawn with seed {seed}"
    return np.asarray(spread(labels, count, seed)), (note,)
