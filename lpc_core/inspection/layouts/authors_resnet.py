"""ResNets and WideResNets under the method authors' names (arXiv 2310.08224): residual_function, penultimate_layer.

Their code numbers the layers of a block in one sequence, in which activations and dropout leave gaps. Convolution first
is the ordinary block; norm first is the pre-activated one of their small WideResNets, which end in ``bn_final``.
"""

from __future__ import annotations

from torch import nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts import _residual as parts
from lpc_core.inspection.layouts._authors import Top, read_top
from lpc_core.inspection.layouts._base import INSTEAD, Choices, Layout, LayoutError, Recognised, Tensors
from lpc_core.inspection.layouts.modules import Chain, Network, activation, finish, or_else, scopes, within

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
        input_shape=(parts.colours(tensors, "layer0.0"), None, None),
        **top.known(checkpoint, prefix, parts.strides(tensors, "layer0.0")))


def _make(tensors: Tensors, top: Top) -> nn.Module:
    chosen = top.activation
    first, channels = parts.stem(tensors, [f"layer0.{number}" for number in range(4)], chosen)
    body: list[tuple[str, nn.Module]] = [
        ("layer0", Chain((name.removeprefix("layer0."), layer) for name, layer in first))]
    for name, stride in parts.blocks(tensors):
        block, channels = _block(tensors, name, channels, stride, chosen)
        body.append((name, block))
    if "bn_final.running_mean" in tensors:
        body += [("bn_final", parts.norm(tensors, "bn_final", channels)), ("act_final", activation(chosen))]
    body.append(("avg_pool", parts.Pool()))
    if top.features != channels:
        raise LayoutError(f"expected a layer that reads {channels} features after the last block, got one that reads "
                          f"{top.features}; {INSTEAD}")
    return Network([*body, *top.body()], top.head())


def _block(tensors: Tensors, name: str, channels: int, stride: int, chosen: str) -> tuple[parts.Residual, int]:
    """The numbered sequence of a block, gaps filled: an activation after each norm, dropout (idle now) after that."""
    inner = f"{name}.residual_function."
    layers: list[tuple[str, nn.Module]] = []
    inside, pending = channels, stride  # the stride still to be spent, on the first kernel larger than 1
    present = [i for i in range(LAYERS) if any(key.startswith(f"{inner}{i}.") for key in tensors)]
    if not present:
        raise LayoutError(f"expected layers in {name}.residual_function, got none; {INSTEAD}")
    for i in present:
        if getattr(tensors.get(f"{inner}{i}.weight"), "ndim", 0) == 4:
            large = tensors[f"{inner}{i}.weight"].shape[-1] > 1
            conv = parts.convolution(tensors, f"{inner}{i}", inside, pending if large else 1)
            inside, pending = conv.out_channels, 1 if large else pending
            layers.append((str(i), conv))
        else:
            layers.append((str(i), parts.norm(tensors, f"{inner}{i}", inside)))
            if i + 1 not in present and i != present[-1]:
                layers.append((str(i + 1), activation(chosen)))
    short = parts.shortcut(tensors, f"{name}.shortcut", channels, stride)
    parts.checked_sum(name, channels, inside, stride, short is not None)
    first_is_norm = isinstance(layers[0][1], nn.BatchNorm2d)
    after = nn.Identity() if first_is_norm else activation(chosen)
    return parts.Residual([("residual_function", Chain(layers))], ("shortcut", short) if short else None, after), inside


def _name(tensors: Tensors) -> str:
    count = len([*parts.blocks(tensors)])
    inner = [value for name, value in tensors.items()
             if name.startswith("layer1.0.residual_function.") and value.ndim == 4]
    if "bn_final.running_mean" in tensors and inner:
        return f"WideResNet-{2 * count + 4}-{inner[0].shape[0] // inner[0].shape[1]} (method authors' names)"
    if not inner:
        raise LayoutError(f"expected convolutions in layer1.0, got none; {INSTEAD}")
    depth = count * len(inner) + 2
    width = inner[0].shape[0] // 64
    return f"{'Wide' if width > 1 else ''}ResNet-{depth}{f'-{width}' if width > 1 else ''} (method authors' names)"


LAYOUT = Layout(20, _recognise)
