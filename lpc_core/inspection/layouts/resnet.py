"""ResNets under torchvision's names: torchvision and timm, wide and grouped ones, and those with a stem for 32 × 32.

He et al. 2015, in torchvision's version 1.5 (a bottleneck's stride lies on its 3 × 3 convolution); block kind, depth,
width and groups are read off the shapes. `modules.finish` compares every name and shape.
"""

from __future__ import annotations

import re

from torch import nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts import _residual as parts
from lpc_core.inspection.layouts._base import INSTEAD, Choices, Layout, LayoutError, Recognised, Tensors
from lpc_core.inspection.layouts._dense import Stack, read_stack
from lpc_core.inspection.layouts.modules import activation, finish, need, or_else, scopes, within
from lpc_core.inspection.layouts.plain_mlp import AFTER_ACTIVATION

ANCHOR = "layer1.0.conv1.weight"
SHORTCUTS = ("downsample", "shortcut")
BODY = re.compile(r"(conv1|bn1|layer\d+)\.")


def _recognise(checkpoint: Checkpoint, choices: Choices) -> Recognised | None:
    found = scopes(checkpoint.tensors, ANCHOR)
    if not found:
        return None
    prefix = found[0]
    tensors = within(checkpoint.tensors, prefix)
    stack, elsewhere = _top(checkpoint.tensors, tensors, prefix, choices)
    if stack is None:
        return None
    chosen = choices.activation or "relu"
    head = stack.head.name if elsewhere else prefix + stack.head.name
    return finish(
        lambda: _make(tensors, stack, chosen), checkpoint.tensors, prefix, inside=("layer", "conv1", "bn1"),
        obstacle=stack.obstacle, elsewhere=elsewhere, orders=stack.orders, warnings=stack.warnings,
        name=or_else(lambda: _name(tensors), "ResNet (torchvision's names)"), layer=stack.layer or "avgpool",
        head_weight=f"{head}.weight", head_bias=f"{head}.bias" if stack.head.bias else None,
        input_shape=(parts.colours(tensors, "conv1" if "conv1.weight" in tensors else "conv1.0"), None, None),
        activation=chosen, theory_note="" if stack.linear else AFTER_ACTIVATION,
        assumptions=_assumptions(tensors, stack, choices))


def _top(every: Tensors, tensors: Tensors, prefix: str, choices: Choices) -> tuple[Stack | None, tuple[str, ...]]:
    """The layers after the blocks, and their tensors' names where they lie beside the backbone (classifier., head.)."""
    inside = {name: value for name, value in tensors.items() if not BODY.match(name)}
    if (stack := read_stack(inside, choices, "relu")) is not None or not prefix:
        return stack, ()
    beside = {name: value for name, value in every.items() if not name.startswith(prefix)}
    return read_stack(beside, choices, "relu"), tuple(beside)


def _make(tensors: Tensors, stack: Stack, chosen: str) -> nn.Module:
    body, channels = _stem(tensors, chosen)
    for name, stride in parts.blocks(tensors):
        block, channels = _block(tensors, name, channels, stride, chosen)
        body.append((name, block))
    body.append(("avgpool", parts.Pool()))
    if stack.first.inside != channels:
        raise LayoutError(f"expected {stack.first.name}.weight to read {channels} features, got {stack.first.inside}; "
                          f"the features are not pooled to one per channel: {INSTEAD}")
    return stack.network(*body)


def _stem(tensors: Tensors, chosen: str) -> tuple[list[tuple[str, nn.Module]], int]:
    if "conv1.weight" not in tensors:
        deep = sorted(name for name in tensors if name.startswith("conv1."))
        raise LayoutError("expected a stem of one convolution conv1.weight, got "
                          f"{'a deep stem (' + deep[0] + ', …)' if deep else 'none'}; deep stems are not known: "
                          f"{INSTEAD}")
    return parts.stem(tensors, ("conv1", "bn1", "act1", "maxpool"), chosen)


def _block(tensors: Tensors, name: str, channels: int, stride: int, chosen: str) -> tuple[parts.Residual, int]:
    """A basic (two convolutions) or bottleneck block (three), with the stride on the first kernel larger than 1."""
    count = parts.numbered(tensors, f"{name}.conv", 1)
    wide = [i for i in range(1, count + 1) if need(tensors, f"{name}.conv{i}.weight", 4).shape[-1] > 1]
    if count not in (2, 3) or not wide:
        raise LayoutError(f"expected two or three convolutions in {name}, got {count}; such blocks are not known: "
                          f"{INSTEAD}")
    branch: list[tuple[str, nn.Module]] = []
    inside = channels
    for i in range(1, count + 1):
        conv = parts.convolution(tensors, f"{name}.conv{i}", inside, stride if i == wide[0] else 1, grouped=count == 3)
        inside = conv.out_channels
        branch += [(f"conv{i}", conv), (f"bn{i}", parts.norm(tensors, f"{name}.bn{i}", inside)),
                   (f"act{i}", activation(chosen))]
    branch.pop()  # the last activation comes after the sum
    short = next(((key, chain) for key in SHORTCUTS
                  if (chain := parts.shortcut(tensors, f"{name}.{key}", channels, stride))), None)
    parts.checked_sum(name, channels, inside, stride, short is not None)
    return parts.Residual(branch, short, activation(chosen)), inside


def _name(tensors: Tensors) -> str:
    per_block = parts.numbered(tensors, "layer1.0.conv", 1)
    middle = need(tensors, f"layer1.0.conv{min(per_block, 2)}.weight", 4)
    outside = need(tensors, f"layer1.0.conv{per_block}.weight", 4).shape[0]
    groups = need(tensors, "layer1.0.conv1.weight", 4).shape[0] // middle.shape[1] if per_block == 3 else 1
    width = 4 * middle.shape[0] // outside if per_block == 3 else 1
    depth, small = len([*parts.blocks(tensors)]) * per_block + 2, parts.kernel(tensors, "conv1") < parts.LARGE
    kind = f"ResNet-{depth}"
    if groups > 1:
        kind = f"ResNeXt-{depth}, {groups} groups"
    elif width > 1:
        kind = f"WideResNet-{depth}-{width}"
    return f"{kind}{' with a small stem' if small else ''} (torchvision's names)"


def _assumptions(tensors: Tensors, stack: Stack, choices: Choices) -> tuple[str, ...]:
    source = "chosen" if choices.activation else "assumed: tensors do not say it"
    end = "fully connected layers follow" if stack.body else "latents are"
    return (f"activation {choices.activation or 'relu'} in the blocks ({source})", *parts.strides(tensors, "conv1"),
            f"{end} the features averaged over all positions", *stack.assumptions)


LAYOUT = Layout(30, _recognise)
