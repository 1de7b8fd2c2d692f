"""Films: one configuration trained at many γ from one seed, frame by frame, as one safetensors file.

A film holds G runs × T frames × n samples. It is made to be scrubbed by eye, so positions are kept as one byte per
coordinate: the sample's offset from its class mean, in units of the largest offset of that class in that frame, on a
scale that is finest near the mean (`LEVELS`). A collapsed class is therefore resolved as finely as an open one, and
what the eye may miss is at most 1.6 % of the class's own size. All else is float32.
"""

from __future__ import annotations

from lpc_core.film._asking import (
    MAX_FRAMES,
    MAX_POINTS,
    MIN_FRAMES,
    MIN_POINTS,
    check_gammas,
    check_size,
    frame_steps,
    gammas_text,
    parse_gammas,
    run_of,
    shortened,
)
from lpc_core.film._file import MAX_BYTES, film_bytes, open_film, save_film
from lpc_core.film._film import Film, FilmError, collapse_onset, total_collapse

__all__ = ["MAX_BYTES", "MAX_FRAMES", "MAX_POINTS", "MIN_FRAMES", "MIN_POINTS", "Film", "FilmError", "check_gammas",
           "check_size", "collapse_onset", "film_bytes", "frame_steps", "gammas_text", "open_film", "parse_gammas",
           "run_of", "save_film", "shortened", "total_collapse"]
