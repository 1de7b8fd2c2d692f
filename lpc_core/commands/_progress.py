"""Progress of a command: one bar on stderr for a person, one JSON object per line for a program."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

Tell = Callable[[float, str], None]  # (share done 0…1, what is being done)
STEP = 0.005  # of the whole: less than this is not worth a line


@contextlib.contextmanager
def progress(title: str, as_json: bool = False, lines: TextIO | None = None) -> Iterator[Tell]:
    """What to call as work goes on; ``as_json`` prints {"share", "what"} to ``lines`` (stdout), else a bar moves."""
    if as_json:
        yield _json_lines(lines or sys.stdout)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with Progress(BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True,
                  disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=what)


def _json_lines(lines: TextIO) -> Tell:
    last = ("", -1.0)

    def say(share: float, what: str) -> None:
        nonlocal last
        if what != last[0] or share - last[1] >= STEP or share in (0, 1):
            last = (what, share)
            print(json.dumps({"share": round(share, 4), "what": what}), file=lines, flush=True)

    return say
