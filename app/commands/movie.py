"""``lpc movie``: one run of a film as a moving picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from lpc_core.commands import check_outputs


def movie(
    film: Annotated[Path, typer.Argument(help="A film that `lpc film` or the lab has saved.")],
    out: Annotated[Path, typer.Option(help="Write the picture here: a .gif, or an .mp4 (needs imageio-ffmpeg).")]
    = Path("run.gif"),
    gamma: Annotated[float | None, typer.Option(help="Show the run whose γ is nearest; without it one that "
                                                     "collapses.")] = None,
) -> None:
    """Write one run of a film as a GIF or an MP4 that plays anywhere."""
    check_outputs(out=out)
    if gamma is not None and not 0 < gamma < math.inf:
        raise ValueError(f"gamma: expected a number above 0, got {gamma:g}; give one near to those of the film")
    from app.looks.movie import export
    from lpc_core.film import open_film
    from lpc_core.inspection.films import nearest_run

    export(film, out, None if gamma is None else nearest_run(open_film(film), gamma))
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


COMMAND = movie
