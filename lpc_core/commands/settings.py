"""``lpc settings``: every setting of a run with its default and what it allows."""

from __future__ import annotations


def settings() -> None:
    """List every setting of a run with its default and what it allows."""
    from rich.console import Console
    from rich.table import Table

    from lpc_core.parsing import settings_table

    table = Table("setting", "default", "allowed", "meaning")
    for row in settings_table():
        table.add_row(*row)
    Console().print(table)


COMMAND = settings
