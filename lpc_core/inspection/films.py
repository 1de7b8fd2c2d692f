"""A film's moment as embeddings: the drawn positions at one γ and one frame."""

from __future__ import annotations

import numpy as np

from lpc_core.checkpoint import Embeddings
from lpc_core.film import Film


def nearest_run(film: Film, gamma: float) -> int:
    """The film's run whose final γ is nearest to ``gamma`` on a log scale; `ValueError` for a γ that is not above 0."""
    if not (np.isfinite(gamma) and gamma > 0):
        raise ValueError(f"gamma: expected a finite number above 0, got {gamma}; choose one of the film's, "
                         f"{film.gammas[0]:g} to {film.gammas[-1]:g}")
    return int(np.abs(np.log(film.gammas) - np.log(gamma)).argmin())


def film_embeddings(film: Film, run: int, frame: int = -1) -> Embeddings:
    """What the film drew of run ``run`` (0…G−1) at ``frame`` (0…T−1, or −1 for the last).

    Films keep positions for the eye, one byte per coordinate: within a class they are right to 1.6 % of its size, and
    of more than three nodes only a plane is kept. The notes say so. Raises `ValueError` for a run or frame not there.
    """
    for name, value, count in (("run", run, len(film.gammas)), ("frame", frame, len(film.steps))):
        if not -count <= value < count:
            raise ValueError(f"{name}: expected 0 to {count - 1}, got {value}; choose one of the film's")
    gamma, step = film.gammas[run], film.steps[frame]
    drawn = "the nodes" if film.info["axes"] == "nodes" else f"two main axes of {film.info['nodes']} nodes"
    notes = (f"a film's run with γ = {gamma:.4g} at step {step:,}: {drawn}",
             "positions are quantised: right to 1.6 % of a class's size, so that quantities of tighter structure are "
             "those of the rounding")
    return Embeddings(film.positions(run, frame), film.labels.astype(np.int64), tuple(film.info["class_names"]),
                      predictions=film.predictions(run, frame).astype(np.int64), notes=notes)
