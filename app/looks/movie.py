"""A film as a moving picture of one of its runs: ``python -m app.looks.movie FILM PICTURE [RUN]``.

A ``.gif`` is written by Pillow, an ``.mp4`` by the extra package imageio-ffmpeg. It shows the latents as the player
does: classes by colour and shape, wrong ones hollow, the shell, the predicted radius and points.
"""

from __future__ import annotations

import importlib.util
import io
import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.looks.report_svg import LIGHT as COLOURS
from app.looks.report_svg import OUTLINES
from lpc_core.files.writing import write_whole
from lpc_core.film import Film, FilmError, collapse_onset, open_film, total_collapse
from lpc_core.inspection.films import nearest_run

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

SIZE, FINER = 640, 2  # pixels a side; drawn so many times larger, then made small: smooth edges
FRAME_MS, LAST_MS = 110, 1_500
ROOM = 1.25  # half the picture's width over the largest coordinate
FADED = 5  # frames over which the zoom is evened out
TEXT, MUTED, GRID = "#31333f", "#6b6d78", "#e4e5ea"
NEEDED = {".gif": ("PIL", "a GIF needs the package Pillow", "pip install pillow"),
          ".mp4": ("imageio_ffmpeg", "an MP4 needs the package imageio-ffmpeg", "pip install imageio-ffmpeg, or ask "
                                                                              "for a .gif")}


def can_write(suffix: str) -> bool:
    """Whether what writes such files is installed."""
    return all(importlib.util.find_spec(NEEDED[kind][0]) for kind in {".gif", suffix})


def export(source: Path, target: Path, run: int | None = None) -> None:
    """Write the picture of run number ``run`` of a film, whole or not at all; None picks one that collapses.

    `ValueError` for a name that ends otherwise, for a package that is not installed, and for no such run.
    """
    if target.suffix not in NEEDED:
        raise ValueError(f"expected a name that ends in .gif or .mp4, got {target.name}")
    for kind in dict.fromkeys((target.suffix, ".gif")):  # all pictures are drawn by Pillow
        package, what, how = NEEDED[kind]
        if importlib.util.find_spec(package) is None:
            raise ValueError(f"{what}, which is not installed: {how}")
    film = open_film(source)
    chosen = typical_run(film) if run is None else run
    if not 0 <= chosen < len(film.gammas):
        raise FilmError(f"expected a run from 0 to {len(film.gammas) - 1}, got {chosen}")
    pictures = frames(film, chosen)
    write_whole(target, _gif(pictures) if target.suffix == ".gif" else _mp4(pictures))


def typical_run(film: Film) -> int:
    """The run in the middle, on a log scale, between the onset of collapse and total collapse, as the player begins."""
    last = len(film.steps) - 1
    onset, total = collapse_onset(film, last), total_collapse(film, last)
    if not math.isfinite(onset):
        return len(film.gammas) // 2
    return nearest_run(film, math.sqrt(onset * total) if math.isfinite(total) else onset)


def frames(film: Film, run: int) -> Iterator[Image]:
    """Every moment of one run, SIZE by SIZE pixels."""
    return (_frame(film, run, frame, half) for frame, half in enumerate(_zoom(film, run)))


def _zoom(film: Film, run: int) -> np.ndarray:
    """Half the width of what each frame shows, evened out over its neighbours: (T,)."""
    tops = [max(float(np.abs(film.positions(run, t)[:, :2]).max()), 1e-12) for t in range(len(film.steps))]
    padded = np.pad(np.log(tops), FADED // 2, mode="edge")
    found: np.ndarray = ROOM * np.exp(np.convolve(padded, np.full(FADED, 1 / FADED), "valid"))
    np.maximum(found, 1.05 * np.array(tops), out=found)
    return found


def _frame(film: Film, run: int, frame: int, half: float) -> Image:
    from PIL import Image, ImageDraw

    side = SIZE * FINER
    picture = Image.new("RGB", (side, side), "white")
    draw, scale = ImageDraw.Draw(picture), side / 2 / half
    draw.line([(side / 2, 0), (side / 2, side)], GRID, FINER)
    draw.line([(0, side / 2), (side, side / 2)], GRID, FINER)
    if film.info["nodes"] <= 2:  # in more dimensions the shell is no circle on the plane
        for metric, colour in (("predicted_radius", MUTED), ("norm_mean", TEXT)):
            radius = float(film.metric(metric)[run, frame]) * scale
            if 0 < radius < side:
                draw.circle((side / 2, side / 2), radius, None, colour, 2 * FINER)
    _samples(draw, film, run, frame, scale)
    _predicted(draw, film.tensors["collapse_points"][run, frame], scale)
    _caption(draw, film, run, frame)
    return picture.resize((SIZE, SIZE), Image.Resampling.BOX)


def _samples(draw: ImageDraw, film: Film, run: int, frame: int, scale: float) -> None:
    places, radius = _pixels(film.positions(run, frame), scale), 3.2 * FINER
    for place, label, predicted in zip(places, film.labels, film.predictions(run, frame), strict=True):
        colour, outline = COLOURS[label % len(COLOURS)], complex(*place) + radius * OUTLINES[label % len(OUTLINES)]
        points = [(corner.real, corner.imag) for corner in outline.tolist()]
        if label == predicted:
            draw.polygon(points, colour)
        else:
            draw.polygon(points, "white", colour, FINER)


def _predicted(draw: ImageDraw, points: np.ndarray, scale: float) -> None:
    arm, thick = 9 * FINER, 3 * FINER
    for c, (x, y) in enumerate(_pixels(points, scale).tolist()):
        if math.isfinite(x + y):
            for more, colour in ((2 * FINER, TEXT), (0, COLOURS[c % len(COLOURS)])):
                draw.rectangle([x - arm - more, y - thick - more, x + arm + more, y + thick + more], colour)
                draw.rectangle([x - thick - more, y - arm - more, x + thick + more, y + arm + more], colour)


def _pixels(positions: np.ndarray, scale: float) -> np.ndarray:
    """(n, 2) pixels of (n, p) positions; the second axis points up, and is 0 where there is none."""
    plane = np.zeros((len(positions), 2))
    plane[:, : min(2, positions.shape[1])] = positions[:, :2]
    found: np.ndarray = SIZE * FINER / 2 + scale * plane * (1, -1)
    return found


def _caption(draw: ImageDraw, film: Film, run: int, frame: int) -> None:
    from PIL import ImageFont

    large, small = (ImageFont.load_default(size * FINER) for size in (19, 14))
    draw.rectangle([0, 0, SIZE * FINER, 62 * FINER], "white")
    title = film.info["title"].replace("×", "x")  # which Pillow's own font lacks
    draw.text((16 * FINER, 12 * FINER), title[:60], TEXT, large)
    draw.text((16 * FINER, 38 * FINER), _numbers(film, run, frame), MUTED, small)


def _numbers(film: Film, run: int, frame: int) -> str:
    """γ, step, radius and accuracy in words."""
    radius, accuracy = (float(film.metric(name)[run, frame]) for name in ("norm_mean", "train_accuracy"))
    end = f"radius {radius:.3g}   training accuracy {accuracy:.1%}" if math.isfinite(radius) else "diverged"
    return f"gamma {float(film.tensors['gamma'][run, frame]):.3g}   step {int(film.steps[frame]):,}   {end}"


def _gif(pictures: Iterator[Image]) -> bytes:
    first, *rest = [picture.quantize(64) for picture in pictures]
    file = io.BytesIO()
    durations = [FRAME_MS] * len(rest) + [LAST_MS]
    first.save(file, "GIF", save_all=True, append_images=rest, duration=durations, loop=0, optimize=False)
    return file.getvalue()


def _mp4(pictures: Iterator[Image]) -> bytes:
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        writer = imageio_ffmpeg.write_frames(str(path), (SIZE, SIZE), fps=1_000 / FRAME_MS, macro_block_size=16)
        writer.send(None)
        for picture in pictures:
            writer.send(picture.tobytes())
        writer.close()
        return path.read_bytes()


def main() -> None:
    """Two paths and a run in; one line and status 2 for what is refused."""
    try:
        source, target, *run = sys.argv[1:]
        export(Path(source), Path(target), int(run[0]) if run else None)
    except (ValueError, OSError) as error:
        print(f"movie: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
