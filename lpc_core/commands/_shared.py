"""What several commands share: arguments, the refusals that go with them, and progress."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from lpc_core.progress import Progress, json_lines

if TYPE_CHECKING:
    from lpc_core.config import RunConfig

Settings = Annotated[list[str] | None, typer.Argument(
    metavar="[NAME=VALUE]...", help="Settings of the run, such as dataset=digits gamma_end=1000, see `lpc settings`; "
                                    "preset=binary starts from a named run.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]


def run_of(settings: Sequence[str] | None, device: str | None = None) -> RunConfig:
    """The run that ``NAME=VALUE`` texts describe; `ValueError` for a text of another form, `ConfigError` for values."""
    from lpc_core.parsing import parse_run

    return parse_run(pairs("settings", settings), device)


def pairs(what: str, texts: Sequence[str] | None, hint: str = "") -> dict[str, str]:
    """``{NAME: VALUE}`` of texts NAME=VALUE; `ValueError` for a text of another form."""
    for text in texts or ():
        if "=" not in text:
            raise ValueError(f"{what}: expected NAME=VALUE, got {text!r}{hint}")
    return dict(text.partition("=")[::2] for text in texts or ())


def one_thread() -> None:
    """For small matrices: two threads on two busy cores are many times slower than one."""
    import torch

    torch.set_num_threads(1)


def check_outputs(**outputs: Path | None) -> None:
    """Refuse what cannot be written before any work is done: ``outputs`` are the options' values by name."""
    for name, path in outputs.items():
        if path is not None and not path.parent.is_dir():
            raise ValueError(f"{name.replace('_', '-')}: expected a file in an existing folder, got {path}")


def names(text: str) -> tuple[str, ...]:
    """The names in a text with commas between them."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


@contextlib.contextmanager
def progress(title: str, as_json: bool = False, lines: TextIO | None = None) -> Iterator[Progress]:
    """What to call as work goes on; ``as_json`` prints {"share", "what"} to ``lines`` (stdout), else a bar moves."""
    if as_json:
        yield json_lines(lines or sys.stdout)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True,
             disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=what)
