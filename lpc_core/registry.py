"""Discovery: every module of a package that defines the wanted name is one entry; adding a file adds an entry."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from lpc_core.config import ConfigError

Entry = TypeVar("Entry")


@functools.cache
def names(package: str, attribute: str) -> tuple[str, ...]:
    """The modules of ``package`` that define ``attribute``, by name with hyphens, in order; none of them is imported.

    Modules whose name starts with an underscore are private and skipped.
    """
    return tuple(sorted(_called(file) for file in _public(package) if attribute in _defined(file)))


def _public(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return [file for folder in folders for file in Path(folder).glob("[!_]*.py") if file.stem.isidentifier()]


def _called(file: Path) -> str:
    return file.stem.replace("_", "-")


def _defined(file: Path) -> set[str]:
    """The names that a module gives values to at its top."""
    targets = (target for node in ast.parse(file.read_bytes()).body if isinstance(node, ast.Assign | ast.AnnAssign)
               for target in (node.targets if isinstance(node, ast.Assign) else [node.target]))
    return {target.id for target in targets if isinstance(target, ast.Name)}


def discover(package: str, attribute: str, kind: type[Any] = object) -> dict[str, Any]:
    """What the modules that `names` gives define as ``attribute``, by name; `TypeError` for one that is no ``kind``."""
    return {name: _entry(package, name, attribute, kind) for name in names(package, attribute)}


def _entry(package: str, name: str, attribute: str, kind: type[Any]) -> Any:
    module = f"{package}.{name.replace('-', '_')}"
    found = getattr(importlib.import_module(module), attribute, None)
    if not isinstance(found, kind):
        raise TypeError(f"{module}: expected {attribute} to be a {kind.__name__}, got {found!r:.80}")
    return found


def discover_sound(package: str, attribute: str, kind: type[Any] = object) -> tuple[dict[str, Any], dict[str, str]]:
    """As `discover`, of a package whose every public module should be an entry: (the sound ones, what is wrong with the
    others), by name. For files that whoever teaches writes: one with an error takes no other with it.
    """
    sound, broken = {}, {}
    for file in sorted(_public(package)):
        try:
            sound[_called(file)] = _entry(package, _called(file), attribute, kind)
        except Exception as error:  # whatever a file's own code may raise: it is told, by name
            broken[_called(file)] = _told(error)
    return sound, broken


def _told(error: Exception) -> str:
    """What went wrong in a file, in one line without a path."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    words = error.strerror if isinstance(error, OSError) else str(error)
    return " ".join((words or type(error).__name__).split())


def pick(kind: str, table: Mapping[str, Entry], name: str) -> Entry:
    """Return ``table[name]``; an unknown name raises `ConfigError` naming what exists."""
    if name not in table:
        raise ConfigError(kind, f"one of {', '.join(table)}", name)
    return table[name]
