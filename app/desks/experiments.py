"""Experiments of the lab's tabs: rows of the paper run into the server's store, and phase diagrams, one at a time.

The store is a folder that whoever runs the server chose (`Settings.store`); a page's visitor names rows and runs in it
by what they are called, never by a path.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.desks import jobs
from app.desks.samples import asset_folder
from app.settings import from_env
from app.words import N_
from lpc_core.config import ConfigError, RunConfig, restored
from lpc_core.engine.cost import Cost, CostError, cost_of
from lpc_core.experiments import (
    PhaseCell,
    Planned,
    Results,
    Row,
    Store,
    StoredRun,
    StoreError,
    all_rows,
    cell_of,
    grouped,
    loaded,
    plan,
    results,
)
from lpc_core.files.plain_json import loads
from lpc_core.parsing import to_texts

MOST_SEEDS = 5  # of a row that a page asks for
LONGEST_S = 120.0  # of a row that a page may ask for, by the estimate for one ordinary core
GRIDS = {8: N_("8 × 8 runs"), 12: N_("12 × 12 runs"), 16: N_("16 × 16 runs")}
PHASE_PROCESSES = 2  # that draw a diagram
GAMMAS, HEAD_LRS = (1e-3, 1e5), (1e-4, 0.1)  # the diagram's axes
PHASES = "phase"  # the store's folder of diagrams, as `lpc phase --out` writes them
RESULTS = "results.json.gz"


class ExperimentDesk(jobs.Desk):
    """One tab's rows being run, or its phase diagram. It outlives its page until the work is done."""

    at_once = 1
    noun = "experiments"
    advice = "choose fewer seeds, or a smaller diagram"

    def __init__(self) -> None:
        super().__init__()
        self.runs: tuple[Planned, ...] = ()  # rows, in the order they are run
        self.outcomes: dict[str, tuple[str, str]] = {}  # run → status, reason
        self.diagram: Diagram | None = None  # as far as it has come

    def run_row(self, key: str, seeds: int, first_seed: int, device: str) -> None:
        """Run a row of `offered` under some seeds; `JobRefused` for others, and where the server is busy."""
        if key not in offered() or not 1 <= seeds <= MOST_SEEDS:
            raise jobs.JobRefused(f"expected one of the rows offered, under 1 to {MOST_SEEDS} seeds, got {key!r} under "
                                  f"{seeds}; larger ones are for `lpc paper run`")
        runs = tuple(plan([key], seeds, first_seed=first_seed))
        self._begin(["paper", "run", key, f"--seeds={seeds}", f"--first-seed={first_seed}", f"--device={device}",
                     f"--store={from_env().store}", "--json"], cost_of(runs[0].config), runs, self.diagram)

    def draw_phases(self, config: RunConfig, size: int) -> None:
        """Train ``config`` at size × size strengths of γ and head rates; `JobRefused` where that cannot be."""
        if size not in GRIDS:
            raise jobs.JobRefused(f"expected one of {', '.join(map(str, GRIDS))} runs a side, got {size}; choose one")
        settings = [f"{name}={text}" for name, text in to_texts(config).items()]
        gammas, rates = (f"{low:g}:{high:g}:{size}" for low, high in (GAMMAS, HEAD_LRS))
        self._begin(["phase", *settings, f"--gammas={gammas}", f"--head-lrs={rates}", "--json",
                     f"--processes={PHASE_PROCESSES}"], cost_of(config, PHASE_PROCESSES * size), (),
                    Diagram(config, (), size * size))

    def _begin(self, command: list[str], cost: Cost, runs: tuple[Planned, ...], diagram: Diagram | None) -> None:
        """Start ``command``, or leave everything as it was: `JobRefused`."""
        if self.running:
            raise jobs.JobRefused("expected nothing under way in this tab, got an experiment; wait for it, or cancel "
                                  "it")

        def begin() -> None:
            self.runs, self.outcomes, self.diagram = runs, {}, diagram

        try:
            self.train(command, cost, begin)
        except CostError as error:
            raise jobs.JobRefused(str(error)) from None

    def said(self, line: dict[str, Any]) -> None:
        """Progress, the end of a run, or a cell."""
        super().said(line)
        if "cell" in line and self.diagram is not None:
            self.diagram = replace(self.diagram, cells=(*self.diagram.cells, cell_of(line["cell"])))
        if "status" in line:
            self.outcomes = {**self.outcomes, str(line["run"]): (str(line["status"]), str(line["reason"]))}

    def now(self) -> Planned | None:
        """The run being trained."""
        return next((run for run in self.runs if run.name not in self.outcomes), None) if self.running else None

    def leave(self) -> None:
        """The page is gone; its work goes on, and a page that comes with the link finds it again."""
        super().leave()
        if self.running and self._leaving is not None:
            self._leaving.cancel()

    def _listen(self, process: Any, watch: Any) -> None:
        super()._listen(process, watch)
        if self._leaving is not None:  # nobody is there any more
            super().leave()


@dataclass(frozen=True, eq=False)
class Diagram:
    """A phase diagram as far as it has come, and the run that its cells vary."""

    config: RunConfig
    cells: tuple[PhaseCell, ...]
    planned: int


@functools.cache
def offered() -> dict[str, Row]:
    """The rows that a page may ask for: fully connected networks that train in a minute or two."""
    return {key: row for key, row in all_rows().items()
            if not row.obstacle and row.all_settings["model"] == "mlp" and _seconds(row) <= LONGEST_S}


def _seconds(row: Row) -> float:
    config = row.config(0)
    return cost_of(config).step_s * config.steps


# ---- the server's store ------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Shelf:
    """What the server's store holds now."""

    runs: tuple[StoredRun, ...]
    problems: tuple[str, ...]  # why others cannot be shown
    store: Store | None  # None: there is none yet

    def results(self) -> list[Results]:
        """Of its finished runs; worked out again once one more has finished."""
        known = tuple((run.folder, (run.folder / "report.json").stat().st_mtime_ns) for run in self.runs if run.report)
        found = _results.get(known)
        if found is None:
            found = results(grouped(self.runs))
            _results.clear()
            _results[known] = found
        return found


_results: dict[object, list[Results]] = {}  # of the runs that had finished when somebody looked last


def shelf() -> Shelf:
    """Look into the server's store; what is wrong with it is told without its place on the machine."""
    folder = Path(from_env().store)
    if not folder.exists():
        return Shelf((), (), None)
    try:
        store = Store(folder)
        runs, problems = store.readable()
    except (StoreError, OSError) as error:
        return Shelf((), (placeless(str(error)),), None)
    known = [run for run in runs if _known(run)]
    odd = [f"{run.planned.key}: expected a row of this version, got another; its runs are left out"
           for run in runs if not _known(run)]
    return Shelf(tuple(known), tuple(dict.fromkeys([*odd, *map(placeless, problems)])), store)


def _known(run: StoredRun) -> bool:
    try:
        return bool(run.planned.row)
    except ConfigError:
        return False


def placeless(words: str) -> str:
    """A refusal as a page shows it: without the store's place on this machine."""
    folder = Path(from_env().store)
    for place in (str(folder.resolve()), str(folder)):
        words = words.replace(f"{place}/", "").replace(place, "the server's store")
    return words


def diagrams() -> tuple[dict[str, Diagram], list[str]]:
    """Phase diagrams by name, those of the store before those that come with the lab; and why others are not shown."""
    found: dict[str, Diagram] = {}
    problems = []
    for folder in (Path(from_env().store) / PHASES, asset_folder("results") / PHASES):
        for path in sorted(folder.glob("*.json")):
            try:
                found.setdefault(path.stem, _diagram(path, path.stat().st_mtime_ns))
            except (ValueError, OSError) as error:
                problems.append(placeless(str(error)))
    return found, problems


@functools.lru_cache(32)
def _diagram(path: Path, changed: int) -> Diagram:
    """The diagram in ``path``, read again once it has changed; `ValueError` for another file."""
    plain = loads(path.read_bytes(), path.name)
    if not isinstance(plain, dict) or not {"settings", "cells"} <= set(plain):
        raise ValueError(f"{path.name}: expected a diagram that `lpc phase --out` wrote, got another file; write it "
                         "again")
    cells = tuple(map(cell_of, plain["cells"]))
    return Diagram(restored(plain["settings"]), cells, len(cells))


@functools.cache
def shipped() -> tuple[Results, ...]:
    """The results that come with the lab; none without their file."""
    path = asset_folder("results") / RESULTS
    return tuple(loaded(path.read_bytes(), RESULTS)) if path.is_file() else ()
