"""Commands of ``lpc``, one per file: a module that defines ``COMMAND`` (a function typer understands) is one of them.

Modules here import only typer and the standard library at the top, so that ``lpc --help`` stays quick.
"""

from lpc_core.commands._shared import Settings, check_outputs, run_of

__all__ = ["Settings", "check_outputs", "run_of"]
