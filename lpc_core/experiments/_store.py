"""The store: a plain folder per run, written atomically, one writer at a time per run and any number of them per store.

store.json                      the format's number
digits/lpc/seed-0/run.json      row, settings, seed, versions, machine, every start
metrics.parquet   a line per epoch that was looked at
state.safetensors the run at its last look, as `lpc train --out` writes one: `lpc inspect` opens it
latents.safetensors those of some samples at every look
report.json   everything measured at the end; its being there says that the run is done
progress.json how far it is
lock          held by the process that writes
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import importlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lpc_core.experiments._catalogue import check_data
from lpc_core.experiments._latents import Latents, unpack
from lpc_core.experiments._plan import Planned, planned_of
from lpc_core.files.plain_json import dumps, loads
from lpc_core.files.words import printable
from lpc_core.files.writing import write_whole

FORMAT = 1
HEAD, RUN, METRICS, STATE, REPORT, PROGRESS, LATENTS = (
    "store.json", "run.json", "metrics.parquet", "state.safetensors", "report.json", "progress.json",
    "latents.safetensors")
FULL = (errno.ENOSPC, errno.EDQUOT)


class StoreError(ValueError):
    """A store or run that cannot be read or written; the message says what was expected, found, and what to do."""


class Busy(StoreError):
    """A run that another process writes."""


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A run as its folder holds it, finished or not."""

    folder: Path
    planned: Planned
    about: dict[str, Any]  # run.json
    report: dict[str, Any] | None  # None: not finished

    @property
    def diverged(self) -> bool:
        """Whether it left the finite numbers; it then has a report without measurements."""
        return bool(self.report and self.report.get("diverged"))

    def epochs(self) -> list[dict[str, Any]]:
        """A line per epoch that was looked at, in order; none before the first look."""
        path = self.folder / METRICS
        return _read_table(path) if self.report or path.exists() else []

    def latents(self) -> Latents | None:
        """Those of every look; None before the first."""
        return _latents_in(self.folder)


class Store:
    """A folder of runs. ``create`` makes it where there is none; a store of a newer format is refused."""

    def __init__(self, folder: str | Path, *, create: bool = False) -> None:
        self.folder = Path(folder)
        if create and not (self.folder / HEAD).exists():
            if self.folder.is_dir() and any(self.folder.iterdir()):
                raise StoreError(f"store: expected a new or empty folder, or a store, got {self.folder} with other "
                                 "files in it; choose another with --store")
            with writing(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                write_whole(self.folder / HEAD, dumps({"format": FORMAT}).encode())
        if not (self.folder / HEAD).is_file():
            raise StoreError(f"store: expected a folder that `lpc paper run` wrote, got {self.folder} without "
                             f"{HEAD}; run a row first, or name another with --store")
        found = _read_json(self.folder / HEAD).get("format")
        if not isinstance(found, int) or found > FORMAT:
            raise StoreError(f"store: expected format {FORMAT} or older, got {printable(repr(found), 20)}: a newer "
                             "version wrote it; update LPC Lab, or use another store")

    def runs(self, data: str | None = None) -> list[StoredRun]:
        """Every run that has begun (on ``data``), by name; `StoreError` where one of them cannot be read."""
        check_data(data)
        found, problems = self.readable()
        if problems:
            raise StoreError(problems[0])
        return [run for run in found if data in (None, run.planned.row.data)]

    def readable(self) -> tuple[list[StoredRun], list[str]]:
        """Every run that can be read, by name, and in a sentence each why others cannot: for whoever shows the rest."""
        found, problems = [], []
        for path in sorted(self.folder.glob(f"*/*/*/{RUN}")):
            try:
                found.append(self._stored(path.parent))
            except ValueError as error:
                problems.append(str(error))
        return found, problems

    def _stored(self, folder: Path) -> StoredRun:
        about = _read_json(folder / RUN)
        try:
            planned = planned_of(about["planned"])
        except (KeyError, ValueError, TypeError, AttributeError):
            raise StoreError(f"{folder / RUN}: expected the facts of a run as this version writes them, got others; "
                             "move the folder away and run the row again") from None
        return StoredRun(folder, planned, about, _read_json(folder / REPORT) if (folder / REPORT).exists() else None)

    def progress(self, run: Planned) -> tuple[float, str]:
        """Share done 0…1 of a run, and what is being done, as last written."""
        try:
            found = _read_json(self.folder / run.name / PROGRESS)
            return float(found["share"]), str(found["what"])
        except (OSError, KeyError, TypeError, ValueError):  # not begun
            return 0.0, "waiting"

    def is_done(self, run: Planned) -> bool:
        """Whether it has its report."""
        return (self.folder / run.name / REPORT).exists()

    def is_busy(self, run: Planned) -> bool:
        """Whether another process writes it."""
        if not (self.folder / run.name).is_dir():
            return False
        try:
            with self.writing(run):
                return False
        except Busy:
            return True

    @contextlib.contextmanager
    def writing(self, run: Planned) -> Iterator[RunFolder]:
        """The folder of ``run``, locked; `StoreError` while another process writes it."""
        folder = self.folder / run.name
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "lock").open("a+")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system lets go of it however the process ends
            except BlockingIOError:
                raise Busy(f"{run.name}: expected to be the only process that writes this run, got another one at "
                           "work on it; wait for it, or use another store") from None
            yield RunFolder(folder, run)

    def frame(self) -> Any:
        """Every epoch of every run in one pandas DataFrame: its row, seed and variant beside its metrics."""
        lines = [{"data": run.planned.row.data, "row": run.planned.key, "seed": run.planned.seed,
                  "variant": run.planned.variant, **line} for run in self.runs() for line in run.epochs()]
        return _arrow().Table.from_pylist(_filled(lines)).to_pandas()


class RunFolder:
    """The folder of one run while this process writes it."""

    def __init__(self, folder: Path, run: Planned) -> None:
        self.folder, self.run = folder, run

    def begin(self, config: dict[str, Any], start: dict[str, Any]) -> None:
        """Write what the run is, or check that it is the same, and note this ``start``."""
        about: dict[str, Any] = {"format": FORMAT, "planned": self.run.plain(), "config": config, "starts": []}
        if (self.folder / RUN).exists():
            about = _read_json(self.folder / RUN)
            if dumps(about.get("config")) != dumps(config):
                raise StoreError(f"{self.run.name}: expected the settings that this run began with, got others: the "
                                 "row has changed since; move its folder away, or use another store")
        self.write(RUN, dumps({**about, "starts": [*about["starts"], start]}, indent=1).encode())

    def write(self, name: str, raw: bytes) -> None:
        """Write a file whole; `StoreError` where the disk is full."""
        with writing(self.folder):
            write_whole(self.folder / name, raw)

    def look(self, history: Sequence[dict[str, Any]], state: bytes, latents: Latents | None = None) -> None:
        """Keep what was measured so far, then the state that goes with it."""
        self.write(METRICS, table_bytes(history))
        if latents is not None:
            self.write(LATENTS, latents.pack())
        self.write(STATE, state)

    def tell(self, share: float, what: str) -> None:
        """Say how far the run is."""
        self.write(PROGRESS, dumps({"share": round(share, 4), "what": what, "pid": os.getpid()}).encode())

    def state(self) -> bytes | None:
        """The run at its last look; None before the first."""
        path = self.folder / STATE
        return path.read_bytes() if path.exists() else None

    def history(self, step: int) -> list[dict[str, Any]]:
        """The lines up to ``step``."""
        path = self.folder / METRICS
        return [line for line in _read_table(path) if line["step"] <= step] if path.exists() else []

    def latents(self, step: int) -> Latents | None:
        """Those of the looks up to ``step``; None before the first."""
        found = _latents_in(self.folder)
        return None if found is None else found.before(step)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Tells a full disk in words; what was there before is as it was."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StoreError(f"store: expected room on the disk of {folder}, got none left; free some and give the "
                             "same command again, it goes on from the last epoch that was kept") from None
        raise StoreError(f"store: expected to write to {folder}, got {error.strerror}; choose another with --store") \
            from None


# ---- Parquet and JSON --------------------------------------------------------------------------------------------


def table_bytes(lines: Sequence[dict[str, Any]]) -> bytes:
    """``lines`` as a Parquet file; a value that a line lacks is null."""
    sink = io.BytesIO()
    _arrow("parquet").write_table(_arrow().Table.from_pylist(_filled(lines)), sink)
    return sink.getvalue()


def _filled(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    names = dict.fromkeys(name for line in lines for name in line)
    return [{name: line.get(name) for name in names} for line in lines]


def _read_table(path: Path) -> list[dict[str, Any]]:
    arrow, parquet = _arrow(), _arrow("parquet")
    try:  # in this thread: now and then pyarrow's own abort a process that ends (apache/arrow#34314)
        file = parquet.ParquetFile(arrow.BufferReader(path.read_bytes()))
        lines: list[dict[str, Any]] = file.read(use_threads=False).to_pylist()
    except (OSError, ValueError) as error:  # pyarrow's own errors are among these
        raise StoreError(f"{path}: expected a whole Parquet file, got another ({printable(error)}); move the run's "
                         "folder away and run the row again") from None
    return lines


def _latents_in(folder: Path) -> Latents | None:
    path = folder / LATENTS
    try:
        return unpack(path.read_bytes()) if path.exists() else None
    except ValueError as error:
        raise StoreError(f"{path}: {error}") from None


def _arrow(part: str = "") -> Any:
    """pyarrow, or the error that says how to get it."""
    try:
        return importlib.import_module("pyarrow." + part if part else "pyarrow")
    except ImportError:
        raise StoreError("store: expected the package pyarrow, which keeps the metrics, got none; "
                         "pip install 'lpc-lab[inspect]'") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = loads(path.read_bytes(), path.name)
    except ValueError as error:
        raise StoreError(f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise StoreError(f"{path}: expected a JSON object, got another value; move the run's folder away")
    return found
