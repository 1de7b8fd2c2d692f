"""Progress of a command: one bar on stderr for a person, one JSON object per line for a program."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TextIO

from lpc_core.progress import Progress, json_lines


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
