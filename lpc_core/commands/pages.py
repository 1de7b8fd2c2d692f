"""Pages that need no network. The lab, which stands above this library, brings what writes them (`offer`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Writer = Callable[[Path, Path], None]  # (the film or inspection, the page)
_writers: dict[str, Writer] = {}


def offer(kind: str, writer: Writer) -> None:
    """From now on pages of this ``kind`` ("film", "inspection") are written by ``writer``."""
    _writers[kind] = writer


def check_page(kind: str, html: Path | None) -> None:
    """Refuse, before any work is done, a page that nothing here can write."""
    if html is not None and kind not in _writers:
        raise ValueError("html: expected the lab beside the library, which writes pages, got the library alone; run "
                         "the command as `lpc` or `python -m app.cli`")


def write_page(kind: str, source: Path, html: Path) -> None:
    """Write the page ``html``, which `check_page` let pass, from the file ``source``, whole or not at all."""
    _writers[kind](source, html)
