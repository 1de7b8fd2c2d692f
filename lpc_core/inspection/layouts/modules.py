"""Modules put together under a checkpoint's own tensor names, and the strict comparison of the two."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from lpc_core.inspection.layouts._base import INSTEAD, LayoutError, Recognised, Tensors

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "silu": nn.SiLU, "relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": nn.ELU,
    "leaky-relu": nn.LeakyReLU, "identity": nn.Identity}
BESIDE = re.compile(r"(^|[._])(criterion|loss(es|_fn|_func)?|metrics?|\w*acc(uracy)?|confmat|decay)([._]|$)",
                    re.IGNORECASE)  # names of what training keeps beside the network
T = TypeVar("T")
COUNTER = "num_batches_tracked"  # of a batch norm; evaluating does not need it, and old files lack it
BUFFERS = (COUNTER, "running_mean", "running_var")


def activation(name: str) -> nn.Module:
    """A new module of the activation ``name``; `ValueError` lists the names."""
    if name not in ACTIVATIONS:
        raise ValueError(f"activation: expected one of {', '.join(ACTIVATIONS)}, got {name!r}; choose one of them")
    return ACTIVATIONS[name]()


def place(root: nn.Module, name: str, module: nn.Module) -> nn.Module:
    """Put ``module`` at the dotted ``name`` under ``root``, making empty modules on the way; returns ``module``."""
    *path, last = name.split(".")
    try:
        for part in path:
            if part not in root._modules:
                root.add_module(part, nn.Module())
            root = root.get_submodule(part)
        root.add_module(last, module)
    except (KeyError, AttributeError) as error:
        raise LayoutError(f"expected module names that torch allows, got {name!r} ({error}); rename it, or choose the "
                          "head alone") from None
    return module


class Chain(nn.Module):
    """Layers one after the other, each under its own dotted name; names decide the state dict, the list the order."""

    def __init__(self, layers: Iterable[tuple[str, nn.Module]]) -> None:
        super().__init__()
        self._order: list[nn.Module] = []  # before the layers: no layer can take its name
        self._order += [place(self, name, layer) for name, layer in layers]

    def forward(self, values: Tensor) -> Tensor:
        """The last layer's output."""
        for layer in self._order:
            values = layer(values)
        return values


class Network(nn.Module):
    """Body → latents → head, each step a module under the checkpoint's own name; see `Recognised.build`."""

    def __init__(self, body: Iterable[tuple[str, nn.Module]], head: tuple[str, nn.Module]) -> None:
        super().__init__()
        self._order: list[nn.Module] = []  # before the layers: no layer can take its name
        self._order += [place(self, name, layer) for name, layer in (*body, head)]

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, K) and latents (N, d) of inputs (N, …)."""
        latents = inputs
        for layer in self._order[:-1]:
            latents = layer(latents)
        return self._order[-1](latents), latents


def need(tensors: Tensors, name: str, dimensions: int) -> Tensor:
    """The tensor ``name`` with that many dimensions, none of them empty; `LayoutError` when there is no such tensor."""
    tensor = tensors.get(name)
    if tensor is None or tensor.ndim != dimensions or not tensor.numel():
        found = "none of that name" if tensor is None else f"shape {tuple(tensor.shape)}"
        raise LayoutError(f"expected {name} with {dimensions} dimensions, got {found}; choose a whole checkpoint, or "
                          "its head alone")
    return tensor


def or_else(words: Callable[[], T], otherwise: T) -> T:
    """What ``words`` finds out about a network; ``otherwise`` when the network is built in another way."""
    try:
        return words()
    except LayoutError:
        return otherwise


def scopes(tensors: Tensors, anchor: str) -> list[str]:
    """Every prefix p ("" or ending in a dot) for which ``p + anchor`` is a tensor, shortest first."""
    found = [name[: len(name) - len(anchor)] for name in tensors if name == anchor or name.endswith("." + anchor)]
    return sorted(found, key=len)


def within(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    """The tensors under ``prefix``, with it taken off."""
    return {name[len(prefix):]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def finish(make: Callable[[], nn.Module], tensors: Tensors, prefix: str, *, inside: tuple[str, ...] = (),
           only: str = "no further tensors in the body", obstacle: str = "", harmless: tuple[str, ...] = (),
           elsewhere: Iterable[str] = (), **known: Any) -> Recognised:
    """`Recognised` for the module that ``make`` builds, compared with all ``tensors`` by name and shape.

    ``prefix`` goes before the module's names, but not before those that are ``elsewhere``. An unexpected tensor that
    may be a layer and whose name (without prefix) begins with one of ``inside`` lies in the forward path of a network
    we do not know, and is an obstacle (``only`` says what was expected); so is a missing tensor or another shape. Names
    (with prefix) that begin with one of ``harmless`` are the training's own and not listed. Where ``make`` raises
    `LayoutError` there is nothing to build and nothing to compare. Raises it for a head that is none.
    """
    outside = frozenset(elsewhere)
    wanted: dict[str, tuple[int, ...]] = {}
    try:
        with torch.device("meta"):
            wanted = {name if name in outside else prefix + name: tuple(value.shape)
                      for name, value in make().state_dict().items()}
    except LayoutError as error:
        obstacle = str(error)
    missing = tuple(name for name in wanted if name not in tensors)
    unexpected = tuple(name for name in tensors if wanted and name not in wanted and not name.startswith(harmless))
    foreign = [name for name in unexpected if name.startswith(tuple(prefix + part for part in inside)) and
               is_layer(name, tensors[name])]
    obstacle = obstacle or _obstacle(wanted, tensors, missing)
    if foreign and not obstacle:
        obstacle = (f"expected {only}, got {listed(foreign)} too; this network has parts that this layout does not "
                    f"know: {INSTEAD}")
    weight = as_array(need(tensors, known["head_weight"], 2))
    bias = np.zeros(len(weight)) if known["head_bias"] is None else as_array(need(tensors, known["head_bias"], 1))
    return Recognised(
        build=lambda: _loaded(make, tensors, prefix, outside, obstacle), missing=missing, unexpected=unexpected,
        obstacle=obstacle, weight=weight, bias=bias,
        parameters=sum(tensors[name].numel() for name in wanted if name in tensors and not name.endswith(BUFFERS)),
        **known)


def _obstacle(wanted: dict[str, tuple[int, ...]], tensors: Tensors, missing: tuple[str, ...]) -> str:
    needed = [name for name in missing if not name.endswith(COUNTER)]
    if needed:
        return f"expected {listed(needed)}, got none of that name; choose a whole checkpoint, or the head alone"
    for name, shape in wanted.items():
        if name in tensors and tuple(tensors[name].shape) != shape:
            return (f"expected {name} of shape {shape}, got {tuple(tensors[name].shape)}; this network is built in "
                    f"another way than its names say: {INSTEAD}")
    return ""


def is_layer(name: str, tensor: Tensor) -> bool:
    """Whether a tensor that no module of the network wants may be a layer of the network that the file is from."""
    return tensor.is_floating_point() and tensor.numel() > 0 and not BESIDE.search(name)


def above_0(value: Any) -> float | None:
    """``value``, of a file's own words, where it is a finite number above 0; else None."""
    return float(value) if type(value) in (int, float) and 0 < value < 2**1023 else None


def listed(names: Iterable[str], most: int = 4) -> str:
    """The first names and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def as_array(tensor: Tensor) -> np.ndarray:
    """A tensor as an array of its own format; as float32 where NumPy does not have that format."""
    kept = tensor.dtype in (torch.float64, torch.float32, torch.float16)
    return tensor.detach().to("cpu", tensor.dtype if kept else torch.float32).numpy()


def _loaded(make: Callable[[], nn.Module], tensors: Tensors, prefix: str, outside: frozenset[str],
            obstacle: str) -> nn.Module:
    """The module in float32 with the checkpoint's numbers in it, ready to evaluate."""
    if obstacle:
        raise ValueError(obstacle)
    with torch.device("meta"):  # no numbers are drawn only to be overwritten
        module = make()
    state = {}
    for name, empty in module.state_dict().items():
        value = tensors.get(name if name in outside else prefix + name)
        if value is None:
            value = torch.zeros(empty.shape, dtype=empty.dtype)
        state[name] = value.detach().to(empty.dtype) if empty.dtype.is_floating_point else value.detach()
    module.load_state_dict(state, strict=True, assign=True)
    return module.requires_grad_(False).eval()
