"""Discovery: every module of a package that defines the wanted name is one entry; adding a file adds an entry."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, TypeVar

T = TypeVar("T")


def discover(package: str, attribute: str) -> dict[str, Any]:
    """Return ``{module name with hyphens: module.attribute}`` for every module of ``package`` that has ``attribute``.

    Modules whose name starts with an underscore are private and skipped. The order is alphabetical.
    """
    root = importlib.import_module(package)
    names = sorted(info.name for info in pkgutil.iter_modules(root.__path__) if not info.name.startswith("_"))
    modules = {name: importlib.import_module(f"{package}.{name}") for name in names}
    return {name.replace("_", "-"): getattr(m, attribute) for name, m in modules.items() if hasattr(m, attribute)}


def pick(kind: str, table: dict[str, T], name: str) -> T:
    """Return ``table[name]``; an unknown name raises ``ValueError`` naming what exists."""
    if name not in table:
        raise ValueError(f"expected {kind} to be one of {', '.join(table)}, got {name!r}")
    return table[name]
