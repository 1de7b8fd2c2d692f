"""The command ``lpc``: one command per file of `lpc_core.commands`, and those that whoever calls `main` adds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import typer

from lpc_core.registry import discover

Commands = Mapping[str, Callable[..., Any] | typer.Typer]


def program(more: Commands | None = None) -> typer.Typer:
    """The program with all commands, in alphabetical order."""
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                      help="LPC Lab: see, measure and use latent point collapse.")
    commands = {**discover("lpc_core.commands", "COMMAND"), **(more or {})}
    for name in sorted(commands):
        if isinstance(commands[name], typer.Typer):  # one with commands of its own
            app.add_typer(commands[name], name=name)
        else:
            app.command(name)(commands[name])
    return app


def main(more: Commands | None = None) -> None:
    """Run the command; an input that is refused ends with one line on stderr and status 2, never a traceback."""
    from lpc_core.data import DataError

    try:
        sys.exit(program(more)(standalone_mode=False) or 0)
    except typer.TyperException as error:
        refusal = error.format_message()
    except (ValueError, OSError, DataError) as error:
        refusal = str(error)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    print(f"lpc: {' '.join(refusal.split())}", file=sys.stderr)
    sys.exit(2)
