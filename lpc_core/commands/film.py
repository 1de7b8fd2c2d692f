"""``lpc film``: one run per γ, all at once, kept as a film to scrub."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpc_core.commands._shared import Device, Settings, check_outputs, one_thread, progress, run_of
from lpc_core.commands.pages import check_page, write_page

if TYPE_CHECKING:
    from lpc_core.film import Film


def film(  # noqa: PLR0917
    settings: Settings = None,
    gammas: Annotated[str, typer.Option(help="From:to:how many, evenly on a log scale, or a list: 0.1,1,10.")]
    = "1e-3:1e5:32",
    frames: Annotated[int, typer.Option(help="Moments of every run.")] = 60,
    points: Annotated[int, typer.Option(help="Samples that are drawn and measured.")] = 1_000,
    device: Device = "auto",
    out: Annotated[Path, typer.Option(help="Write the film here.")] = Path("run.film.safetensors"),
    html: Annotated[Path | None, typer.Option(help="Write a page here that plays the film without a network.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print progress as one JSON object per line.")] = False,
) -> None:
    """Train one run per γ from the same seed, all at once, and keep the film: γ × time to scrub."""
    from lpc_core.film import parse_gammas, save_film

    values = parse_gammas(gammas)
    check_outputs(out=out, html=html)
    check_page("film", html)
    from lpc_core.engine.cost import check_fits, cost_of
    from lpc_core.film.record import record

    one_thread()
    config = run_of(settings, device)
    check_fits(cost_of(config, len(values)))
    with progress("recording", as_json) as tell:
        reel = record(config, values, frames, points, device=device, progress=tell)
        size = save_film(reel, out)
    if not as_json:
        _describe(reel, out, size)
    if html is not None:
        write_page("film", out, html)


def _describe(reel: Film, out: Path, size: int) -> None:
    from lpc_core.film import collapse_onset, total_collapse

    def mark(gamma: float) -> str:
        return f"from γ = {gamma:.3g}" if math.isfinite(gamma) else "not in this film"

    print(f"{out}: {len(reel.gammas)} γ × {len(reel.steps)} frames × {len(reel.labels):,} points, {size / 1e6:.1f} MB")
    print(f"collapse {mark(collapse_onset(reel))}, total collapse {mark(total_collapse(reel))}")
    for run, step in reel.info["diverged"]:
        print(f"γ = {reel.gammas[run]:.3g} diverged before step {step:,}")


COMMAND = film
