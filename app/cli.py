"""The command ``lpc`` with what the lab adds to it: serving, and pages that need no network."""

from __future__ import annotations

from pathlib import Path

from lpc_core import cli
from lpc_core.commands import pages
from lpc_core.registry import discover


def _film_page(source: Path, target: Path) -> None:
    from app.looks.film_export import export

    export(source, target)


def _report(source: Path, target: Path) -> None:
    from app.looks.inspect_report import export

    export(source, target)


def main() -> None:
    """Run the command."""
    pages.offer("film", _film_page)
    pages.offer("inspection", _report)
    cli.main(discover("app.commands", "COMMAND"))


if __name__ == "__main__":
    main()
