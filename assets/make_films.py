"""Two small films that the Film page opens at once: ``python -m assets.make_films``.

Writes ``assets/films/``: the films and ``samples.json``, which says of each what it shows, in numbers read off it just
now, and the command that records it. Deterministic, as `assets.make_samples` is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lpc_core.config import flatten
from lpc_core.files.writing import write_whole
from lpc_core.film import Film, collapse_onset, film_bytes, parse_gammas, shortened, total_collapse
from lpc_core.film.record import record
from lpc_core.inspection.reporting import versions
from lpc_core.parsing import format_settings, parse_run

FOLDER = Path(__file__).parent / "films"
GAMMAS, FRAMES, POINTS, STEPS = "1e-3:1e5:17", 40, 300, 1_200


@dataclass(frozen=True)
class Wanted:
    """One film to make."""

    name: str
    title: str
    settings: dict[str, str]  # of its runs


FILMS = (Wanted("figure-1", "The paper's Figure 1: four classes, two nodes", {"dataset": "hypercube"}),
         Wanted("digits", "Handwritten digits: ten classes, eight nodes", {"dataset": "digits"}))


def main() -> None:
    """Record both and list them."""
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    listed = [_made(wanted) for wanted in FILMS]
    text = {"made_by": "make assets", "versions": versions(), "samples": listed}
    write_whole(FOLDER / "samples.json", (json.dumps(text, indent=1, ensure_ascii=False) + "\n").encode())
    for entry in listed:
        print(f"{entry['file']}: {entry['bytes']:,} bytes. {entry['sentence']}")


def _made(wanted: Wanted) -> dict[str, Any]:
    config = shortened(parse_run(wanted.settings), STEPS)
    film = record(config, parse_gammas(GAMMAS), FRAMES, POINTS, device="cpu")
    raw, file = film_bytes(film), f"{wanted.name}.film.safetensors"
    write_whole(FOLDER / file, raw)
    command = (f"lpc film {format_settings(wanted.settings)} steps={STEPS} --gammas {GAMMAS} --frames {FRAMES} "
               f"--points {POINTS}")
    return {"file": file, "title": wanted.title, "sentence": _sentence(film), "how": {}, "bytes": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(), "provenance": {"command": command, "config": flatten(config)}}


def _sentence(film: Film) -> str:
    """What to look for, in numbers of the last moment."""
    gammas, steps, points = len(film.gammas), int(film.steps[-1]), len(film.labels)
    begins, total = collapse_onset(film), total_collapse(film)
    marks = [f"{what} {'already at' if gamma == film.gammas[0] else 'from'} γ = {float(f'{gamma:.2g}'):,g}"
             for what, gamma in (("collapsed", begins), ("totally collapsed", total)) if np.isfinite(gamma)]
    return (f"{gammas} γ over {steps:,} steps, {points} points" + (f"; at the end {', '.join(marks)}" if marks else "")
            + ".")


if __name__ == "__main__":
    main()
