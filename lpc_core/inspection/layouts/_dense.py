"""Fully connected layers from names and shapes alone: their order, what may lie between them, and the head at the end.

A state dict holds a layer's numbers, not what happens between layers. Numbered neighbours (``net.0``, ``net.1``) leave
no room for an activation; everything else is an assumption, which is stated so that the user can choose otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from lpc_core.inspection.layouts._base import Choices, Tensors
from lpc_core.inspection.layouts._order import Layer, is_chain, orders, says_nothing
from lpc_core.inspection.layouts.modules import Network, activation, listed

MOST_LAYERS = 64
FEW = 8  # inputs, up to which as many classes are nothing unusual
LINEAR_NAMES = re.compile(r"penultimate|latent|bottleneck|embed", re.IGNORECASE)  # of layers usually left linear

APART = re.compile(
    r"(^|[._])(gates?|[qkv]_?proj|query|key|value|mu|log_?var|logvars?|decoder|generator|discriminator|critic|projector|"
    r"proj(ection)?_head|arcface|cosface|se|excitation|squeeze|skip|shortcut|residual|aux|w3|up_proj)([._\d]|$)|"
    r"(?<![a-z])(netG|netD)(?![a-z])", re.IGNORECASE)  # of layers that seldom just follow the one before them

Part = tuple[str, Callable[[], nn.Module]]  # a module's name and how to make it


@dataclass(frozen=True)
class Stack:
    """Fully connected layers in order, as far as names and shapes tell."""

    body: tuple[Part, ...]  # up to and including the watched layer
    first: Layer  # the first fully connected layer; the head itself when there is no other
    head: Layer
    linear: bool  # whether the latents come straight from a linear layer
    assumptions: tuple[str, ...]
    orders: tuple[tuple[str, ...], ...] = ()  # names of the layers in every order that fits, if these are several
    warnings: tuple[str, ...] = ()  # what speaks against layers that only follow each other

    @property
    def obstacle(self) -> str:
        """Why it cannot be run before an order is chosen; "" where there is no doubt."""
        if not self.orders:
            return ""
        one, other = (",".join(order) for order in self.orders[:2])
        return (f"expected layers in an order that names or shapes tell, got {len(self.orders)} that fit, {one} and "
                f"{other}{' among them' if len(self.orders) > 2 else ''}; choose one of them (--order {one})")

    @property
    def layer(self) -> str:
        """The name of the module whose output are the latents; "" when they are the input itself."""
        return self.body[-1][0] if self.body else ""

    def network(self, *before: tuple[str, nn.Module]) -> Network:
        """New modules of all the layers, behind those that come ``before`` them."""
        body = [*before, *((name, make()) for name, make in self.body)]
        return Network(body, (self.head.name, _maker(self.head)()))


def read_stack(tensors: Tensors, choices: Choices, default: str) -> Stack | None:
    """The stack that ``tensors`` form, or None when they do not: other shapes among them, or no chain.

    ``default`` is the activation where ``choices`` names none. Tensors that belong to no layer are left out; the
    comparison of `finish` lists them.
    """
    if any(tensor.ndim > 2 for tensor in tensors.values()):
        return None
    layers = _layers(tensors)
    if not any(layer.kind == "dense" for layer in layers) or len(layers) > MOST_LAYERS:
        return None
    found, why = _ordered(layers, choices, sorted_by_name=says_nothing(tensors))
    if not found:
        return None
    open_ = tuple(tuple(layer.name for layer in order) for order in found) if len(found) > 1 else ()
    return _with_activations(found[0], choices, default, why, open_)


def _ordered(layers: list[Layer], choices: Choices, *, sorted_by_name: bool) -> tuple[list[list[Layer]], str]:
    """The orders in which the layers may follow each other, the first to be taken, and in words why that one.

    What the user chose; else the file's own order, which counts unless it is only that of the names; else whatever
    shapes and numbers allow.
    """
    if choices.order is not None:
        by_name = {layer.name: layer for layer in layers}
        chosen = [by_name[name] for name in choices.order if name in by_name]
        if sorted(choices.order) != sorted(by_name) or not is_chain(chosen):
            raise ValueError(f"order: expected {', '.join(by_name)} in an order in which each layer reads what the one "
                             f"before gives, got {', '.join(choices.order)[:300]}; correct it")
        return [chosen], "chosen"
    if not sorted_by_name and is_chain(layers):
        return [layers], ""
    found = orders(layers)
    return found, "" if found == [layers] else "the file keeps none; the one that shapes and numbers in names allow"


def _layers(tensors: Tensors) -> list[Layer]:
    modules: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        module, _, part = name.rpartition(".")
        if module:
            modules.setdefault(module, {})[part] = tensor
    return [layer for name, parts in modules.items() if (layer := _layer(name, parts)) is not None]


def _layer(name: str, parts: dict[str, Tensor]) -> Layer | None:
    weight, bias, mean = (parts.get(part) for part in ("weight", "bias", "running_mean"))
    if weight is not None and weight.ndim == 2:
        outside, inside = weight.shape
        return Layer(name, "dense", inside, outside, bias is not None)
    if mean is not None and mean.ndim == 1 and "running_var" in parts:
        return Layer(name, "batch-norm", len(mean), len(mean), weight is not None)
    if weight is not None and bias is not None and weight.ndim == bias.ndim == 1 and set(parts) == {"weight", "bias"}:
        return Layer(name, "layer-norm", len(weight), len(weight), True)
    return None


def _with_activations(ordered: Sequence[Layer], choices: Choices, default: str, why_so: str,
                      open_: tuple[tuple[str, ...], ...]) -> Stack:
    *hidden, head = ordered
    chosen = choices.activation or default
    body: list[Part] = []
    assumptions: list[str] = []
    for index, layer in enumerate(hidden):
        following = ordered[index + 1]
        body.append((layer.name, _maker(layer)))
        last = following is head
        wanted, why = _activation_after(layer, following, ordered[index - 1] if index else None)
        if last:
            wanted, why = _at_the_end(layer, wanted, why, choices)
            kind = "followed by an activation" if wanted else "linear"
            assumptions.append(f"the watched layer {layer.name} is {kind} ({why})")
        if wanted:
            body.append((_free_name(layer, {other.name for other in ordered}), lambda: activation(chosen)))
    if hidden:
        source = "chosen" if choices.activation else "assumed: tensors do not say it"
        assumptions.insert(0, f"activation {chosen} ({source})")
    if why_so and not open_:
        assumptions.append(f"layers in the order {', '.join(layer.name for layer in ordered)} ({why_so})")
    linear = bool(body) and body[-1][0] in {layer.name for layer in hidden}
    first = next(layer for layer in ordered if layer.kind == "dense")
    return Stack(tuple(body), first, head, linear, (*assumptions, *_unsaid(hidden)), open_, tuple(_doubts(ordered)))


def _unsaid(hidden: Sequence[Layer]) -> Iterator[str]:
    """What other networks share these tensors: said where there are any."""
    norms = [layer.name for layer in hidden if layer.kind == "layer-norm"]
    if norms:
        yield f"{listed(norms)}: layer norms (assumed: group norms, and batch norms without statistics, look the same)"
    dense = [layer for layer in hidden if layer.kind == "dense"]
    numbered = {layer.name.rpartition(".")[0] for layer in dense if layer.name.rpartition(".")[2].isdigit()}
    in_a_row = len(numbered) == 1 and all(layer.name.rpartition(".")[2].isdigit() for layer in dense)
    if len({layer.outside for layer in dense}) < len(dense) and not in_a_row:
        yield "each layer reads only the one before (assumed: sums, gates and branches of one width look the same)"


def _doubts(ordered: Sequence[Layer]) -> Iterator[str]:
    """Names and widths of networks in which layers do more than follow each other to a classifier."""
    dense = [layer for layer in ordered if layer.kind == "dense"]
    apart = [layer.name for layer in dense if APART.search(layer.name)]
    if apart and len(dense) > 1:
        yield (f"by their names {listed(apart)} may not just follow the layers before them (a gate, a branch, a "
               "projector, a decoder, a second network): the network as it was trained may be another one")
    widths = [dense[0].inside, *(layer.outside for layer in dense)]
    if len(dense) > 1 and widths == widths[::-1] and min(widths) < widths[0] > FEW:
        yield (f"the last layer gives as many numbers, {widths[0]}, as the first one reads: of an autoencoder they are "
               "no logits")


def _activation_after(layer: Layer, following: Layer, before: Layer | None) -> tuple[bool, str]:
    """Whether an activation follows ``layer``, and why: once between two dense layers, where the names leave room."""
    if before is None and layer.kind != "dense":
        return False, "a norm of the inputs"
    if before is not None and layer.kind != "dense":  # the activation comes after the norm, unless it came before
        return _gap(before, layer) <= 1, "after the norm"
    gap = _gap(layer, following)
    if following.kind != "dense":
        return gap > 1, "the names leave room before the norm"
    if gap == 1:
        return False, "the next layer follows it without a gap"
    return True, "assumed"


def _at_the_end(layer: Layer, wanted: bool, why: str, choices: Choices) -> tuple[bool, str]:
    if choices.penultimate:
        return choices.penultimate == "nonlinear", "chosen"
    if wanted and LINEAR_NAMES.search(layer.name):
        return False, "assumed from its name; choose --penultimate nonlinear where that is wrong"
    return wanted, why if why != "assumed" else "assumed; choose --penultimate linear where that is wrong"


def _gap(layer: Layer, following: Layer) -> int:
    """How far apart two numbered modules of one parent are; 0 where names do not number them."""
    (parent, _, number), (other, _, next_) = layer.name.rpartition("."), following.name.rpartition(".")
    return int(next_) - int(number) if parent == other and number.isdigit() and next_.isdigit() else 0


def _free_name(layer: Layer, taken: set[str]) -> str:
    """Where the activation after ``layer`` goes: the next number if it is free, else a name of its own."""
    parent, dot, last = layer.name.rpartition(".")
    if last.isdigit() and (name := f"{parent}{dot}{int(last) + 1}") not in taken:
        return name
    return f"{parent}{dot}act_{last}"


def _maker(layer: Layer) -> Callable[[], nn.Module]:
    if layer.kind == "dense":
        return lambda: nn.Linear(layer.inside, layer.outside, bias=layer.bias)
    if layer.kind == "batch-norm":
        return lambda: nn.BatchNorm1d(layer.inside, affine=layer.bias)
    return lambda: nn.LayerNorm(layer.inside)
