"""Layouts: one family of networks per file, each recognised from the names and shapes of a state dict."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence

from lpc_core.checkpoint import Checkpoint, FileRefused
from lpc_core.inspection.layouts._base import Choices, Layout, Recognised, Tensors
from lpc_core.inspection.layouts.modules import ACTIVATIONS, activation, is_layer, listed, or_else
from lpc_core.registry import discover

GRAPHS = ("onnx", "torch.export")  # formats that say themselves how their numbers are used
__all__ = ["ACTIVATIONS", "Choices", "Layout", "Recognised", "layouts", "recognise"]


@functools.cache
def layouts() -> dict[str, Layout]:
    """Every layout by name, in the order in which they are tried."""
    found = discover("lpc_core.inspection.layouts", "LAYOUT")
    return dict(sorted(found.items(), key=lambda item: item[1].order))


def recognise(checkpoint: Checkpoint, *, activation: str | None = None,
              penultimate: str | None = None, order: Sequence[str] | None = None) -> Recognised | None:
    """The network that ``checkpoint``'s tensors belong to, or None when no layout knows it.

    ``activation`` (a name of `ACTIVATIONS`) and ``penultimate`` ("linear" or "nonlinear") replace what the layout
    would assume, where the file does not say; ``order`` names fully connected layers in theirs. What was assumed,
    missing and unexpected is listed in the result; a network that is known but cannot be run carries its ``obstacle``.
    Raises `ValueError` for unknown choices, and for numbers that no network here has (complex, quantised).
    """
    _refuse_numbers(checkpoint)
    choices = _checked(activation, penultimate, order)
    graph = bool(checkpoint.metadata.get("nodes")) and checkpoint.format in GRAPHS
    for layout in layouts().values():
        if graph and not layout.graphs:
            continue  # it would lose what the graph does beside its layers
        found = or_else(functools.partial(layout.recognise, checkpoint, choices), None)  # no head: nothing to look at
        if found is not None:
            return dataclasses.replace(found, warnings=(*found.warnings, *_doubts(found, checkpoint.tensors)))
    return None


def _refuse_numbers(checkpoint: Checkpoint) -> None:
    """`FileRefused` for weights that are no real numbers: read as such they would lose a part of themselves."""
    for name, tensor in checkpoint.tensors.items():
        if tensor.is_complex():
            raise FileRefused(f"expected weights of real numbers, got complex ones ({name}); save real and imaginary "
                              "parts as real tensors, or embeddings of the network")
        whole = not tensor.is_floating_point() and checkpoint.format not in GRAPHS
        if whole and name.endswith("weight") and tensor.ndim > 1:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise FileRefused(f"expected weights of real numbers, got whole ones ({name} in {kind}), as quantised "
                              "networks have; save the model before it is quantised, or dequantise it")


def _checked(name: str | None, penultimate: str | None, order: Sequence[str] | None) -> Choices:
    if name is not None:
        activation(name)
    if penultimate not in (None, "linear", "nonlinear"):
        raise ValueError(f"penultimate: expected linear or nonlinear, got {penultimate!r}; choose one of them")
    return Choices(name, penultimate, None if order is None else tuple(order))


def _doubts(found: Recognised, tensors: Tensors) -> Iterator[str]:
    """Tensors left over that may be layers, and batch norms that have never seen a sample."""
    left = [name for name in found.unexpected if is_layer(name, tensors[name])]
    if left and not found.obstacle:
        yield (f"tensors of the file that may be layers are not used: {listed(left)}; the network as it was trained "
               "may be another one")
    norms = [name.removesuffix(".running_mean") for name in tensors if name.endswith(".running_mean")]
    fresh = [name for name in norms if _untouched(tensors, name)]
    if fresh:
        yield (f"the statistics of {len(fresh)} of {len(norms)} batch norms are still 0 and 1 ({listed(fresh)}), as "
               "before any training: load the trained ones, or take these numbers for those of an untrained network")


def _untouched(tensors: Tensors, name: str) -> bool:
    """Whether a batch norm's means are all 0 and its variances all 1."""
    mean, variance = tensors[f"{name}.running_mean"], tensors.get(f"{name}.running_var")
    return variance is not None and mean.numel() > 0 and bool((mean == 0).all()) and bool((variance == 1).all())
