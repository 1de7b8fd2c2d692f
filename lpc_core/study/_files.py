"""A study as a folder of safetensors files that grows while the study runs; nothing in it can execute.

``study.safetensors`` says what is studied, ``moment-0000.safetensors``, … and ``row-0000.safetensors``, … follow, each
written whole and never changed, so that a page can read what a process has written so far. In each, ``__metadata__``
has ``kind`` "study", ``part`` "head", "moment" or "row", and ``info`` as JSON; a moment has the tensors
    latents float32 (n, d), labels int64 (n,), predictions int64 (n,), means float64 (K, d),
    collapse_points float64 (K, d), only where the theory applies
and the others have none. Names as in `lpc_core.snapshot`.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lpc_core.choices import known_run
from lpc_core.config import ConfigError, flatten
from lpc_core.files import tensors
from lpc_core.files.plain_json import dumps, number
from lpc_core.files.words import printable
from lpc_core.files.writing import write_whole
from lpc_core.metrics import Reading
from lpc_core.snapshot import renamed
from lpc_core.study._base import Moment, Study, StudyError, SweepRow

FORMAT = 1
HEAD = "study.safetensors"
MAX_BYTES = 64 * 2**20  # of one file that is opened
MAX_PARTS = 600  # moments or rows
MAX_TEXT = 500  # letters of a title or a name; reasons may be four times as long
TASKS = ("follow", "sweep")


# ---- writing -----------------------------------------------------------------------------------------------------


def start_study(folder: Path, study: Study) -> None:
    """Make ``folder`` (new or empty) and write what ``study`` is, without its moments and rows."""
    folder.mkdir(exist_ok=True)
    if any(folder.iterdir()):
        raise StudyError(f"out: expected a new or an empty folder, got {folder} with files in it; choose another")
    info = {"task": study.task, "configs": [flatten(config) for config in study.configs],
            "titles": list(study.titles), "class_names": list(study.class_names), "planned": study.planned}
    _write(folder / HEAD, "head", info)


def add_moment(folder: Path, index: int, moment: Moment) -> Path:
    """Write ``moment`` as number ``index`` (from 0) of the study in ``folder``; returns its file."""
    info = {name: getattr(moment, name) for name in ("step", "gamma", "train_accuracy", "test_accuracy", "code")}
    info["readings"] = {name: [reading.value, reading.floor, reading.reason]
                        for name, reading in moment.readings.items()}
    arrays = {name: value for name, value in vars(moment).items() if isinstance(value, np.ndarray)}
    return _write(folder / _name("moment", index), "moment", info, arrays)


def add_row(folder: Path, index: int, row: SweepRow) -> Path:
    """Write ``row`` as number ``index`` (from 0) of the study in ``folder``; returns its file."""
    return _write(folder / _name("row", index), "row", vars(row) | {"config": flatten(row.config)})


def _name(part: str, index: int) -> str:
    return f"{part}-{index:04d}.safetensors"


def _write(path: Path, part: str, info: dict[str, Any], arrays: dict[str, np.ndarray] | None = None) -> Path:
    write_whole(path, tensors.pack(arrays or {}, kind="study", part=part, info=dumps({"format": FORMAT, **info})))
    return path


# ---- reading -----------------------------------------------------------------------------------------------------


def open_study(folder: Path, since: int = 0) -> Study:
    """What ``folder`` holds of a study so far; the first ``since`` moments or rows, which the caller has, are left out.

    `StudyError` for anything that is not a study, or whose files are damaged or of another version.
    """
    info, _ = _unpack(folder / HEAD, "head")
    part = "moment" if info.get("task") == "follow" else "row"
    with _as_written(folder / HEAD):
        head = _head(info)
    paths = itertools.takewhile(Path.is_file, (folder / _name(part, index) for index in range(since, MAX_PARTS)))
    found: dict[str, Any] = {f"{part}s": tuple(_part(path, part, head) for path in paths)}
    return Study(**head, **found)


def _part(path: Path, part: str, head: dict[str, Any]) -> Moment | SweepRow:
    info, arrays = _unpack(path, part)
    with _as_written(path):
        found = _moment(info, arrays, len(head["class_names"])) if part == "moment" else _row(info)
    return found


@contextlib.contextmanager
def _as_written(path: Path) -> Iterator[None]:
    """The ways in which JSON of the wrong shape fails become one `StudyError`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ConfigError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise StudyError(f"{path.name}: expected a part of a study as this version writes it, got one with {what}; "
                         "make the study anew") from None


def _unpack(path: Path, part: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Info and arrays of a file."""
    raw = _read(path)
    try:
        header = tensors.header(raw)
        kind = header.metadata.get("kind")
        if (kind, header.metadata.get("part")) != ("study", part):
            raise StudyError(f"{path.name}: expected the {part} of a study, got {printable(repr(kind), 40)}; "
                             "choose a folder that `lpc study` or the lab wrote")
        arrays, info = renamed(tensors.arrays(raw)), header.info("the study")
        if info.get("format") != FORMAT:
            raise StudyError(f"{path.name}: expected format {FORMAT}, got another; make the study anew")
    except tensors.TensorFileError:
        raise StudyError(f"{path.name}: expected a whole file of a study, got {len(raw):,} bytes that are not one; "
                         "make the study anew") from None
    return info, arrays


def _read(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise StudyError(f"{path.name}: expected an ordinary file, got another kind; copy the study anew")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise StudyError(f"expected a study with {path.name} in {path.parent}, got {error.strerror}; "
                         "check the name of its folder") from None
    if len(raw) > MAX_BYTES:
        raise StudyError(f"{path.name}: expected at most {MAX_BYTES:,} bytes, got more; measure fewer samples")
    return raw


def _head(info: dict[str, Any]) -> dict[str, Any]:
    task, configs, planned = info["task"], tuple(known_run(flat) for flat in info["configs"]), info["planned"]
    titles, names = (tuple(_text(text) for text in info[key]) for key in ("titles", "class_names"))
    if task not in TASKS or len(titles) != len(configs) or (task == "follow") != bool(names):
        raise ValueError(f"the task {str(task)[:20]!r}, {len(configs)} runs and {len(titles)} titles")
    if type(planned) is not int or not 1 <= planned <= MAX_PARTS:
        raise ValueError(f"{str(planned)[:20]} planned parts")
    return {"task": task, "configs": configs, "titles": titles, "class_names": names, "planned": planned}


def _text(value: Any, longest: int = MAX_TEXT) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{str(value)[:40]!r} where a text of at most {longest} letters belongs")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{str(value)[:40]!r} where a whole number of at least 0 belongs")
    return value


def _numbers(values: Any) -> dict[str, float]:
    return {_text(name): number(value) for name, value in values.items()}


def _reading(value: Any, floor: Any, reason: Any) -> Reading:
    return Reading(number(value), None if floor is None else number(floor), _text(reason, 4 * MAX_TEXT))


def _row(info: dict[str, Any]) -> SweepRow:
    robustness = _numbers(info["robustness"])
    robustness.setdefault("smallest", min(robustness.values(), default=math.nan))  # before version 0.2: at most this
    return SweepRow(
        title=_text(info["title"]), config=known_run(info["config"]), samples=_whole(info["samples"]),
        **{name: number(info[name]) for name in ("gamma", "train_accuracy", "test_accuracy", "separation_ratio")},
        robustness=robustness, success=_numbers(info["success"]),
        reason=_text(info["reason"], 4 * MAX_TEXT), longer=_numbers(info.get("longer", {})))  # new with version 0.2


def _moment(info: dict[str, Any], arrays: dict[str, np.ndarray], classes: int) -> Moment:
    _check_arrays(arrays, classes)
    if not isinstance(info["code"], dict):
        raise ValueError("no code report")
    return Moment(
        step=_whole(info["step"]), code=info["code"],
        readings={_text(name): _reading(*parts) for name, parts in info["readings"].items()},
        gamma=number(info["gamma"]), train_accuracy=number(info["train_accuracy"]),
        test_accuracy=number(info["test_accuracy"]), **arrays)


def _check_arrays(arrays: dict[str, np.ndarray], classes: int) -> None:
    """Raise unless ``arrays`` are those of a moment of n samples in d nodes and ``classes`` classes."""
    n, d = arrays["latents"].shape
    layout = {"latents": ("float32", (n, d)), "labels": ("int64", (n,)), "predictions": ("int64", (n,)),
              "means": ("float64", (classes, d))}
    if "collapse_points" in arrays:
        layout["collapse_points"] = ("float64", (classes, d))
    found = {name: (str(array.dtype), array.shape) for name, array in arrays.items()}
    if found != layout:
        odd = {name: found.get(name) for name in found.keys() | layout.keys() if found.get(name) != layout.get(name)}
        raise ValueError(f"the arrays {str(odd)[:200]}")
    for name in ("labels", "predictions"):
        if arrays[name].size and not 0 <= arrays[name].min() <= arrays[name].max() < classes:
            raise ValueError(f"{name} outside 0 to {classes - 1}")
    if not np.isfinite(arrays["latents"]).all():
        raise ValueError("latents that are not finite")
