"""Discovery: every module of a package that defines the wanted name is one entry; adding a file adds an entry."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import pkgutil
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
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    public = (Path(folder) / f"{info.name}.py" for folder in folders for info in pkgutil.iter_modules([folder])
              if not (info.ispkg or info.name.startswith("_")))
    return tuple(sorted(file.stem.replace("_", "-") for file in public if attribute in _defined(file)))


def _defined(file: Path) -> set[str]:
    """The names that a module gives values to at its top."""
    targets = (target for node in ast.parse(file.read_bytes()).body if isinstance(node, ast.Assign | ast.AnnAssign)
               for target in (node.targets if isinstance(node, ast.Assign) else [node.target]))
    return {target.id for target in targets if isinstance(target, ast.Name)}


def discover(package: str, attribute: str, kind: type[Any] = object) -> dict[str, Any]:
    """What the modules that `names` gives define as ``attribute``, by name; `TypeError` for one that is no ``kind``."""
    found = {}
    for name in names(package, attribute):
        module = f"{package}.{name.replace('-', '_')}"
        found[name] = getattr(importlib.import_module(module), attribute)
        if not isinstance(found[name], kind):
            raise TypeError(f"{module}: expected {attribute} to be a {kind.__name__}, got {found[name]!r:.80}")
    return found


def pick(kind: str, table: Mapping[str, Entry], name: str) -> Entry:
    """Return ``table[name]``; an unknown name raises `ConfigError` naming what exists."""
    if name not in table:
        raise ConfigError(kind, f"one of {', '.join(table)}", name)
    return table[name]
