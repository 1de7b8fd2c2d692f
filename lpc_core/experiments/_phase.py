"""The phase diagram γ × head learning rate: where a network collapses, stays separated, or collapses altogether.

All γ of one head rate are one film: trained at once, replicas of one network on the same batches (`lpc_core.film`).
What a cell is called goes by `lpc_core.phase`, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from lpc_core.config import ConfigError, RunConfig, unflatten
from lpc_core.data import load
from lpc_core.files.plain_json import number
from lpc_core.film import Film, check_gammas, phases
from lpc_core.film.record import record
from lpc_core.phase import Phase
from lpc_core.progress import Progress, part, silent

COLLAPSED, SEPARATED, LOST, GUESSING, UNFINISHED, DIVERGED = (
    "collapsed", "separated", "totally collapsed", "guessing", "not fitted", "diverged")
MARKS = {COLLAPSED: "●", SEPARATED: "○", UNFINISHED: "·", LOST: "×", GUESSING: "?", DIVERGED: "!"}  # never colour alone
FITTED = 0.999  # training accuracy of the terminal phase
MOST = 64  # head rates
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
                  progress: Progress = silent) -> Iterator[Cell]:
    """Train ``config`` at every γ and every head rate, and yield the cells, rate by rate.

    γ ramps as the run's schedule says, up to the cell's. `ConfigError` for rates that are none, and more than `MOST`;
    `FilmError` for γ that are none, or a network the fused engine cannot train so often.
    """
    check_gammas(gammas)
    if not 1 <= len(head_lrs) <= MOST:
        raise ConfigError("head_lrs", f"1 to {MOST} learning rates", len(head_lrs))
    runs = [unflatten({"head_lr": float(rate)}, config) for rate in head_lrs]
    return _cells(runs, gammas, device, progress)


def _cells(runs: list[RunConfig], gammas: Sequence[float], device: str, progress: Progress) -> Iterator[Cell]:
    dataset = load(runs[0].data, runs[0].seed)
    for place, run in enumerate(runs):
        reel = record(run, gammas, frames=2, points=SAMPLES, device=device, dataset=dataset,
                      progress=part(progress, place / len(runs), (place + 1) / len(runs)))
        yield from _column(reel, run)


def _column(reel: Film, run: RunConfig) -> Iterator[Cell]:
    """The cells of one head rate."""
    names = reel.info["metrics"]
    last = reel.tensors["metrics"][:, :, -1]  # (metrics, γ)
    values = {name: last[names.index(name)] for name in ("train_accuracy", "test_accuracy", "within_class_spread",
                                                          "norm_mean", "separation_ratio")}
    found = phases(reel)[:, -1]
    broken = {row for row, _ in reel.info["diverged"]}
    for row, gamma in enumerate(reel.gammas):
        train, test, spread, radius, separation = (float(each[row]) for each in values.values())
        phase = DIVERGED if row in broken else _in_words(Phase(int(found[row])), train)
        yield Cell(float(gamma), run.optim.head_lr, phase, train, test, spread, radius, separation)


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
