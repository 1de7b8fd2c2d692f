"""The phase diagram γ × head learning rate: where a network collapses, stays separated, or collapses altogether.

All γ of one head rate are one film: trained at once, replicas of one network on the same batches (`lpc_core.film`).
What a cell is called goes by `lpc_core.phase`, as everywhere.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator, Mapping, MutableSequence, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch

from lpc_core.config import ConfigError, RunConfig, unflatten
from lpc_core.data import Dataset, load
from lpc_core.experiments._children import CONTEXT, children, without_main
from lpc_core.files.plain_json import number
from lpc_core.film import Film, check_gammas
from lpc_core.film.record import record
from lpc_core.phase import Phase
from lpc_core.progress import Progress, part, silent

COLLAPSED, SEPARATED, LOST, GUESSING, UNFINISHED, DIVERGED = (
    "collapsed", "separated", "totally collapsed", "guessing", "not fitted", "diverged")
MARKS = {COLLAPSED: "●", SEPARATED: "○", UNFINISHED: "·", LOST: "×", GUESSING: "?", DIVERGED: "!"}  # never colour alone
FITTED = 0.999  # training accuracy of the terminal phase
MOST = 64  # head rates
LOOK_EVERY_S = 0.5  # at how far other processes are
SAMPLES = 500  # that are looked at, at the end
_WITHOUT_WORK = {Phase.TOTAL: LOST, Phase.GUESSING: GUESSING}


@dataclass(frozen=True)
class Cell:
    """One run of the diagram, at its end."""

    gamma: float  # in the run's own convention
    head_lr: float
    phase: str
    train_accuracy: float
    test_accuracy: float
    spread: float
    radius: float
    separation: float


def phase_diagram(config: RunConfig, gammas: Sequence[float], head_lrs: Sequence[float], *, device: str = "cpu",
                  progress: Progress = silent, processes: int = 1) -> Iterator[Cell]:
    """Train ``config`` at every γ and every head rate, and yield the cells, rate by rate.

    γ ramps as the run's schedule says, up to the cell's. More than one of ``processes`` train head rates side by side,
    to the same cells. `ConfigError` for rates that are none, and more than `MOST`;
    `FilmError` for γ that are none, or a network the fused engine cannot train so often.
    """
    check_gammas(gammas)
    if not 1 <= len(head_lrs) <= MOST:
        raise ConfigError("head_lrs", f"1 to {MOST} learning rates", len(head_lrs))
    if processes < 1:
        raise ConfigError("processes", "1 or more", processes)
    runs = [unflatten({"head_lr": float(rate)}, config) for rate in head_lrs]
    if (count := min(processes, len(runs))) > 1:
        return _side_by_side(runs, gammas, device, progress, count)
    return _cells(runs, gammas, device, progress)


def _cells(runs: list[RunConfig], gammas: Sequence[float], device: str, progress: Progress) -> Iterator[Cell]:
    dataset = load(runs[0].data, runs[0].seed)
    for place, run in enumerate(runs):
        yield from _column(run, gammas, device, dataset, part(progress, place / len(runs), (place + 1) / len(runs)))


def _column(run: RunConfig, gammas: Sequence[float], device: str, dataset: Dataset, progress: Progress) -> list[Cell]:
    """Train the cells of one head rate."""
    reel = record(run, gammas, frames=2, points=SAMPLES, device=device, dataset=dataset, progress=progress)
    return list(_cells_of(reel, run))


# ---- several processes -------------------------------------------------------------------------------------------

_shares: MutableSequence[float] = []  # in a child: how far each column is


def _side_by_side(runs: list[RunConfig], gammas: Sequence[float], device: str, progress: Progress,
                  count: int) -> Iterator[Cell]:
    """Like `_cells` in ``count`` processes; cells come in the same order, as soon as those before them are there."""
    load(runs[0].data, runs[0].seed)  # once, before all of them ask for it
    shares = CONTEXT.Array("d", len(runs))
    with children(count, _begin, shares) as pool:
        with without_main():
            columns = [pool.submit(_in_process, place, run, gammas, device) for place, run in enumerate(runs)]
        for place, column in enumerate(columns):
            while not concurrent.futures.wait([column], LOOK_EVERY_S).done:
                progress(sum(shares[:]) / len(runs), f"head rate {place + 1} of {len(runs)}")
            try:
                yield from column.result()
            except BrokenProcessPool:
                raise ConfigError("processes", "fewer: one was ended, by the system if memory is short", count) \
                    from None
    progress(1.0, f"{len(runs)} head rates")


def _begin(shares: MutableSequence[float]) -> None:
    global _shares  # noqa: PLW0603  # what a child is begun with reaches its tasks in no other way
    _shares = shares
    torch.set_num_threads(1)


def _in_process(place: int, run: RunConfig, gammas: Sequence[float], device: str) -> list[Cell]:
    def note(share: float, what: str) -> None:
        _shares[place] = share

    return _column(run, gammas, device, load(run.data, run.seed), note)


# ---- what became of them -----------------------------------------------------------------------------------------


def _cells_of(reel: Film, run: RunConfig) -> Iterator[Cell]:
    """What the film of one head rate ends with."""
    names = "train_accuracy", "test_accuracy", "within_class_spread", "norm_mean", "separation_ratio"
    ends = np.stack([reel.metric(name)[:, -1] for name in names], axis=1).tolist()  # (γ, metrics)
    broken = {row for row, _ in reel.info["diverged"]}
    for row, (gamma, found) in enumerate(zip(reel.gammas.tolist(), reel.phases[:, -1].tolist(), strict=True)):
        phase = DIVERGED if row in broken else _in_words(Phase(found), ends[row][0])
        yield Cell(gamma, run.optim.head_lr, phase, *ends[row])


def _in_words(phase: Phase, train: float) -> str:
    """What a run has become at its end; classes that are points only count once the samples are fitted."""
    if phase in _WITHOUT_WORK:
        return _WITHOUT_WORK[phase]
    if not train >= FITTED:
        return UNFINISHED
    return COLLAPSED if phase is Phase.COLLAPSED else SEPARATED


def cell_of(line: Mapping[str, Any]) -> Cell:
    """The inverse of `as_lines` for one of them, as JSON gives it back; `ValueError` for another mapping."""
    try:
        values: dict[str, Any] = {field.name: number(line[field.name]) for field in fields(Cell)
                                  if field.name != "phase"}
        return Cell(phase=line["phase"], **values)
    except KeyError as error:
        raise ValueError(f"expected a cell of a phase diagram, got one without {error}; draw it again") from None


def as_lines(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """The cells as plain mappings, for JSON and CSV."""
    return [asdict(cell) for cell in cells]
