"""ResNets and WideResNets under the method authors' names (arXiv 2310.08224): residual_function, penultimate_layer.

Their code numbers the layers of a block in one sequence, in which activations and dropout leave gaps. Convolution first
is the ordinary block; norm first is the pre-activated one of their small WideResNets, which end in ``bn_final``.
"""

from __future__ import annotations

from torch import nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts._authors import Top, read_top
from lpc_core.inspection.layouts._base import INSTEAD, Choices, Layout, LayoutError, Recognised, Tensors
from lpc_core.inspection.layouts._residual import (
    Pool,
    Residual,
    checked_sum,
    convolution,
    norm,
    numbered,
    shortcut,
)
from lpc_core.inspection.layouts.modules import Chain, Network, activation, finish, need, or_else, scopes, within

ANCHOR = "layer1.0.residual_function.0.weight"
LAYERS = 12  # numbers in a block's sequence, at most


def _recognise(checkpoint: Checkpoint, choices: Choices) -> Recognised | None:
    found = scopes(checkpoint.tensors, ANCHOR)
    if not found:
        return None
    prefix = found[0]
    tensors = within(checkpoint.tensors, prefix)
    top = read_top(tensors, choices)
    if top is None:
        return None
    return finish(
        lambda: _make(tensors, top), checkpoint.tensors, prefix, inside=("layer", "bn_final", "head."),
        name=or_else(lambda: _name(tensors), "ResNet (method authors' names)"), layer=top.layer or "avg_pool",
        input_shape=(_channels(tensors), None, None), **top.known(checkpoint, prefix, _assumptions(tensors)))


def _make(tensors: Tensors, top: Top) -> nn.Module:
    chosen = top.activation
    body, channels = _stem(tensors, chosen)
    for stage in range(1, numbered(tensors, "layer", 1) + 1):
        for index in range(numbered(tensors, f"layer{stage}.", 0)):
            name = f"layer{stage}.{index}"
            block, channels = _block(tensors, name, channels, 2 if stage > 1 and index == 0 else 1, chosen)
            body.append((name, block))
    if "bn_final.running_mean" in tensors:
        body += [("bn_final", norm(tensors, "bn_final", channels)), ("act_final", activation(chosen))]
    body.append(("avg_pool", Pool()))
    if top.features != channels:
        raise LayoutError(f"expected a layer that reads {channels} features after the last block, got one that reads "
                          f"{top.features}; {INSTEAD}")
    return Network([*body, *top.body()], top.head())


def _stem(tensors: Tensors, chosen: str) -> tuple[list[tuple[str, nn.Module]], int]:
    weight = need(tensors, "layer0.0.weight", 4)
    large = weight.shape[-1] == 7
    conv = convolution(tensors, "layer0.0", weight.shape[1], 2 if large else 1)
    layers = [("0", conv), ("1", norm(tensors, "layer0.1", conv.out_channels)), ("2", activation(chosen))]
    stem = Chain([*layers, *([("3", nn.MaxPool2d(3, 2, 1))] if large else [])])
    return [("layer0", stem)], conv.out_channels


def _block(tensors: Tensors, name: str, channels: int, stride: int, chosen: str) -> tuple[Residual, int]:
    """The numbered sequence of a block, gaps filled: an activation after each norm, dropout (idle now) after that."""
    inner = f"{name}.residual_function."
    layers: list[tuple[str, nn.Module]] = []
    inside, pending = channels, stride  # the stride still to be spent, on the first kernel larger than 1
    present = [i for i in range(LAYERS) if any(key.startswith(f"{inner}{i}.") for key in tensors)]
    for i in present:
        if getattr(tensors.get(f"{inner}{i}.weight"), "ndim", 0) == 4:
            large = tensors[f"{inner}{i}.weight"].shape[-1] > 1
            conv = convolution(tensors, f"{inner}{i}", inside, pending if large else 1)
            inside, pending = conv.out_channels, 1 if large else pending
            layers.append((str(i), conv))
        else:
            layers.append((str(i), norm(tensors, f"{inner}{i}", inside)))
            if i + 1 not in present and i != present[-1]:
                layers.append((str(i + 1), activation(chosen)))
    short = shortcut(tensors, f"{name}.shortcut", channels, stride)
    checked_sum(name, channels, inside, stride, short is not None)
    first_is_norm = isinstance(layers[0][1], nn.BatchNorm2d)
    after = nn.Identity() if first_is_norm else activation(chosen)
    return Residual([("residual_function", Chain(layers))], ("shortcut", short) if short else None, after), inside


def _channels(tensors: Tensors) -> int | None:
    return or_else(lambda: int(need(tensors, "layer0.0.weight", 4).shape[1]), None)


def _name(tensors: Tensors) -> str:
    stages = numbered(tensors, "layer", 1)
    blocks = sum(numbered(tensors, f"layer{stage}.", 0) for stage in range(1, stages + 1))
    inner = [value for name, value in tensors.items()
             if name.startswith("layer1.0.residual_function.") and value.ndim == 4]
    if "bn_final.running_mean" in tensors and inner:
        return f"WideResNet-{2 * blocks + 4}-{inner[0].shape[0] // inner[0].shape[1]} (method authors' names)"
    if not inner:
        raise LayoutError(f"expected convolutions in layer1.0, got none; {INSTEAD}")
    depth = blocks * len(inner) + 2
    width = inner[0].shape[0] // 64
    return f"{'Wide' if width > 1 else ''}ResNet-{depth}{f'-{width}' if width > 1 else ''} (method authors' names)"


def _assumptions(tensors: Tensors) -> tuple[str, ...]:
    large = or_else(lambda: need(tensors, "layer0.0.weight", 4).shape[-1] == 7, False)
    return ("a stem of stride 2 with a 3×3 max-pool of stride 2 (its kernel is 7)" if large else
            "a stem of stride 1 without max-pool (its kernel is smaller than 7)",
            "stride 2 at the start of every stage but the first, on the block's first large kernel")


LAYOUT = Layout("ResNet and WideResNet under the method authors' names", 20, _recognise)
