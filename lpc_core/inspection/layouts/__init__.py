"""Layouts: one family of networks per file, each recognised from the names and shapes of a state dict."""

from __future__ import annotations

import functools

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts._base import Choices, Layout, Recognised
from lpc_core.inspection.layouts._modules import ACTIVATIONS, activation, or_else
from lpc_core.registry import discover

__all__ = ["ACTIVATIONS", "Choices", "Layout", "Recognised", "layouts", "recognise"]


@functools.cache
def layouts() -> dict[str, Layout]:
    """Every layout by name, in the order in which they are tried."""
    found = discover("lpc_core.inspection.layouts", "LAYOUT")
    return dict(sorted(found.items(), key=lambda item: item[1].order))


def recognise(checkpoint: Checkpoint, *, activation: str | None = None,
              penultimate: str | None = None) -> Recognised | None:
    """The network that ``checkpoint``'s tensors belong to, or None when no layout knows it.

    ``activation`` (a name of `ACTIVATIONS`) and ``penultimate`` ("linear" or "nonlinear") replace what the layout
    would assume, where the file does not say. What was assumed, missing and unexpected is listed in the result; a
    network that is known but cannot be run carries its ``obstacle``. Raises `ValueError` for unknown choices.
    """
    choices = _checked(activation, penultimate)
    for layout in layouts().values():
        found = or_else(functools.partial(layout.recognise, checkpoint, choices), None)  # no head: nothing to look at
        if found is not None:
            return found
    return None


def _checked(name: str | None, penultimate: str | None) -> Choices:
    if name is not None:
        activation(name)
    if penultimate not in (None, "linear", "nonlinear"):
        raise ValueError(f"penultimate: expected linear or nonlinear, got {penultimate!r}; choose one of them")
    return Choices(name, penultimate)
