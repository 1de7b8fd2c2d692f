"""The command ``lpc``: serve the lab, train a run in the terminal, record a film over γ, list the settings."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpc_core.registry import discover

if TYPE_CHECKING:
    from lpc_core.film import Film

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="LPC Lab: see, measure and use latent point collapse.")

Settings = Annotated[list[str] | None, typer.Argument(
    metavar="[NAME=VALUE]...", help="Settings of the run, such as dataset=digits gamma_end=1000, see `lpc settings`; "
                                    "preset=binary starts from a named run.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 127.0.0.1 is this machine only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Training processes.")] = 1,
    device: Device = "auto",
) -> None:
    """Start the lab and say where it is."""
    # The lab stands above this library and is never imported from it: it is started as a program of its own.
    os.execv(sys.executable, [sys.executable, "-m", "app", "--host", host, "--port", str(port),
                              "--workers", str(workers), "--device", device])


@app.command()
def settings() -> None:
    """List every setting of a run with its default and what it allows."""
    from rich.console import Console
    from rich.table import Table

    from lpc_core.parsing import settings_table

    table = Table("setting", "default", "allowed", "meaning")
    for row in settings_table():
        table.add_row(*row)
    Console().print(table)


@app.command()
def train(
    settings: Settings = None,
    every: Annotated[int, typer.Option(min=1, help="Steps between printed lines.")] = 250,
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the finished run here (safetensors).")] = None,
) -> None:
    """Train one run and print its metrics as it goes."""
    from lpc_core.engine.cost import check_fits, cost_of
    from lpc_core.engine.trainer import Trainer
    from lpc_core.parsing import parse_run

    config = parse_run(_pairs(settings or []))
    if out is not None and not out.parent.is_dir():
        raise ValueError(f"out: expected a file in an existing folder, got {out}")
    check_fits(cost_of(config))
    run = Trainer(config, device, every=every)
    if not as_json:
        print(_HEAD)
    for snapshot in run:
        numbers = {"step": snapshot.step, "gamma": snapshot.gamma, **snapshot.metrics}
        print(_as_json(numbers) if as_json else _row(numbers), flush=True)
    if out is not None:
        _write(out, run.state_bytes())
    if run.diverged:
        raise ValueError(run.reason)


@app.command()
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
    from lpc_core.film import parse_gammas

    values = parse_gammas(gammas)
    for name, path in (("out", out), ("html", html)):
        if path is not None and not path.parent.is_dir():
            raise ValueError(f"{name}: expected a file in an existing folder, got {path}")
    import torch

    from lpc_core.engine.cost import check_fits, cost_of
    from lpc_core.film import save_film
    from lpc_core.film.record import record
    from lpc_core.parsing import parse_run

    torch.set_num_threads(1)  # small matrices: two threads on two busy cores are many times slower than one
    config = parse_run(_pairs(settings or []))
    check_fits(cost_of(config, len(values)))
    with _film_progress(as_json) as progress:
        reel = record(config, values, frames, points, device=device, progress=progress)
        size = save_film(reel, out)
    if not as_json:
        _describe(reel, out, size)
    if html is not None:  # the player belongs to the lab, which stands above this library
        command = [sys.executable, "-m", "app.looks.film_export", str(out), str(html)]
        code = subprocess.run(command, check=False).returncode
        if code:
            raise ValueError(f"html: expected a page at {html}, got none; the film itself is at {out}")


@contextlib.contextmanager
def _film_progress(as_json: bool) -> Iterator[Callable[[float, str], None]]:
    """What to call with (share done, what is being done): prints JSON lines, or moves a bar on stderr."""
    if as_json:
        yield _json_progress()
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("recording", total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=what)


def _json_progress() -> Callable[[float, str], None]:
    last = -1.0

    def say(share: float, what: str) -> None:
        nonlocal last
        if share - last >= 0.005 or share in (0, 1):
            last = share
            print(json.dumps({"share": round(share, 4), "what": what}), flush=True)

    return say


def _describe(reel: Film, out: Path, size: int) -> None:
    from lpc_core.film import collapse_onset, total_collapse

    def mark(gamma: float) -> str:
        return f"from γ = {gamma:.3g}" if math.isfinite(gamma) else "not in this film"

    print(f"{out}: {len(reel.gammas)} γ × {len(reel.steps)} frames × {len(reel.labels):,} points, {size / 1e6:.1f} MB")
    print(f"collapse {mark(collapse_onset(reel))}, total collapse {mark(total_collapse(reel))}")
    for run, step in reel.info["diverged"]:
        print(f"γ = {reel.gammas[run]:.3g} diverged before step {step:,}")


_COLUMNS = ("step", "gamma", "loss", "train_accuracy", "test_accuracy", "norm_mean", "predicted_radius",
            "within_class_spread", "nc1_pinv", "separation_ratio")
_HEAD = " ".join(f"{name[:12]:>12}" for name in _COLUMNS)


def _row(numbers: dict[str, float]) -> str:
    return " ".join(f"{numbers.get(name, math.nan):>12.5g}" for name in _COLUMNS)


def _as_json(numbers: dict[str, float]) -> str:
    return json.dumps({name: value if math.isfinite(value) else None for name, value in numbers.items()})


def _pairs(settings: list[str]) -> dict[str, str]:
    pairs = dict(item.partition("=")[::2] for item in settings)
    for item in settings:
        if "=" not in item:
            raise ValueError(f"settings: expected NAME=VALUE, got {item!r}")
    return pairs


def _write(path: Path, raw: bytes) -> None:
    """Write to a temporary file beside ``path``, then rename: never half a file."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


for _name, _command in discover("lpc_core.commands", "COMMAND").items():
    app.command(_name)(_command)


def main() -> None:
    """Run the command; an input that is refused ends with one line on stderr and status 2, never a traceback."""
    from lpc_core.data import DataError

    try:
        sys.exit(app(standalone_mode=False) or 0)
    except typer.TyperException as error:
        refusal = error.format_message()
    except (ValueError, OSError, DataError) as error:
        refusal = str(error)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    print(f"lpc: {' '.join(refusal.split())}", file=sys.stderr)
    sys.exit(2)
