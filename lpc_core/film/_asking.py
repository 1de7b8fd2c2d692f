"""Asking for a film: which γ, how many frames and points, when they are taken, and what memory that needs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence

import numpy as np

from lpc_core.config import GAMMA_MAX, RunConfig
from lpc_core.engine.cost import megabytes
from lpc_core.film._film import BINS, MAX_DRAWN_RAW, MAX_HIST_NODES, FilmError, drawn_dimensions
from lpc_core.machine import available_memory

MIN_GAMMAS, MAX_GAMMAS = 2, 64
MOST_LETTERS = 4_000  # of them as a text
MIN_FRAMES, MAX_FRAMES = 2, 600
MIN_POINTS, MAX_POINTS = 10, 10_000


def check_gammas(gammas: Collection[float]) -> np.ndarray:
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
    unique, counts = np.unique(values, return_counts=True)
    if len(unique) < len(values):
        raise FilmError(f"gammas: expected each value once, got {unique[counts > 1][0]:g} twice; leave one out")
    if (np.diff(values) < 0).any():
        large = values[:-1][np.diff(values) < 0][0]
        raise FilmError(f"gammas: expected growing values, got {large:g} before a smaller one; sort them")
    return values


def parse_gammas(text: str) -> np.ndarray:
    """Read ``1e-3:1e5:32`` (from, to, how many; evenly on a log scale) or ``0.1, 1, 10``; else `FilmError`."""
    if len(text) > MOST_LETTERS:
        raise FilmError(f"gammas: expected at most {MOST_LETTERS:,} letters, got {len(text):,}; write 1e-3:1e5:32")
    parts = [part.strip() for part in text.split(":" if ":" in text else ",")]
    if ":" not in text:
        return check_gammas([_number(part) for part in parts if part])
    if len(parts) != 3:
        raise FilmError(f"gammas: expected from:to:count such as 1e-3:1e5:32, got {text[:40]!r}; give three numbers")
    low, high, count = (_number(part) for part in parts)
    if not (0 < low < high <= GAMMA_MAX and count == int(count) and MIN_GAMMAS <= count <= MAX_GAMMAS):
        raise FilmError(f"gammas: expected from:to:count with 0 < from < to <= {GAMMA_MAX:g} and {MIN_GAMMAS} to "
                        f"{MAX_GAMMAS} values, got {text[:40]!r}; try 1e-3:1e5:32")
    return check_gammas([float(f"{gamma:.4g}") for gamma in np.geomspace(low, high, int(count))])


def gammas_text(gammas: Sequence[float] | np.ndarray) -> str:
    """What `parse_gammas` reads as ``gammas`` (four digits of each if these differ): from:to:count if that will do."""
    short = [f"{gamma:.4g}" for gamma in gammas]
    if len(set(short)) < len(short):
        return ",".join(str(float(gamma)) for gamma in gammas)
    even = np.geomspace(float(short[0]), float(short[-1]), len(short))
    same = len(short) >= MIN_GAMMAS and [f"{gamma:.4g}" for gamma in even] == short
    return f"{short[0]}:{short[-1]}:{len(short)}" if same else ",".join(short)


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


def film_memory(gammas: int, frames: int, points: int, nodes: int, classes: int) -> int:
    """Bytes that recording takes for the film itself, its finished file, and the latents a PCA needs (d > 3)."""
    p, moments = drawn_dimensions(nodes), gammas * frames
    per_sample = p + 1 + (4 * nodes if nodes > MAX_DRAWN_RAW else 0)
    per_moment = points * per_sample + 4 * classes * (1 + 5 * p) + min(nodes, MAX_HIST_NODES) * (BINS + 4) + 4 * 30
    return int(moments * (per_moment + points * (p + 1)))


def check_memory(needed: int) -> None:
    """Raise `FilmError` unless ``needed`` bytes fit twice into what is available."""
    available = available_memory()
    if 2 * needed > available:
        raise FilmError(f"memory: expected room for {megabytes(2 * needed)} (twice this film's {megabytes(needed)}), "
                        f"got {megabytes(available)} available; choose fewer γ, frames or points")
