"""What ResNets are made of: convolutions read off their weights' shapes, and blocks under the checkpoint's names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from torch import Tensor, nn

from lpc_core.inspection.layouts._base import INSTEAD, LayoutError, Tensors
from lpc_core.inspection.layouts.modules import Chain, activation, need, or_else, place

LARGE = 7  # pixels: the kernel of a stem that makes pictures four times smaller


class Pool(nn.Module):
    """Mean over all positions: (N, C, H, W) → (N, C)."""

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        return maps.mean(dim=(2, 3))


class Residual(nn.Module):
    """after(branch(x) + shortcut(x)); the shortcut is the identity where there is none (He et al. 2015)."""

    def __init__(self, branch: Iterable[tuple[str, nn.Module]], shortcut: tuple[str, nn.Module] | None,
                 after: nn.Module) -> None:
        super().__init__()
        self._branch = [place(self, name, layer) for name, layer in branch]
        self._shortcut = [place(self, *shortcut)] if shortcut else []  # in a list: it has its name already
        self.after = after

    def forward(self, maps: Tensor) -> Tensor:
        """See the class."""
        values = maps
        for layer in self._branch:
            values = layer(values)
        out: Tensor = self.after(values + (self._shortcut[0](maps) if self._shortcut else maps))
        return out


def convolution(tensors: Tensors, name: str, channels: int, stride: int, *, grouped: bool = False) -> nn.Conv2d:
    """The convolution whose weight is ``name.weight`` for maps of ``channels``; padding keeps the size at stride 1.

    `LayoutError` when that weight takes another number of channels, unless it is ``grouped`` and the groups come out
    even.
    """
    weight = need(tensors, f"{name}.weight", 4)
    outside, per_group, height, width = weight.shape
    groups = channels // per_group
    if channels % per_group or groups < 1 or outside % groups or (groups > 1 and not grouped):
        raise LayoutError(f"expected {name}.weight for {channels} channels, got shape {tuple(weight.shape)}; this "
                          f"network is connected in another way: {INSTEAD}")
    return nn.Conv2d(channels, outside, (height, width), stride, (height // 2, width // 2), groups=groups,
                     bias=f"{name}.bias" in tensors)


def norm(tensors: Tensors, name: str, channels: int) -> nn.BatchNorm2d:
    """The batch norm ``name`` for ``channels``; `LayoutError` without running statistics or for another size."""
    if f"{name}.running_mean" not in tensors:
        raise LayoutError(f"expected {name}.running_mean of a batch norm, got none; networks with another norm are not "
                          f"known: {INSTEAD}")
    mean = need(tensors, f"{name}.running_mean", 1)
    if len(mean) != channels:
        raise LayoutError(f"expected {name} for {channels} channels, got {len(mean)}; blocks that normalise first are "
                          f"known in the method authors' names only: {INSTEAD}")
    return nn.BatchNorm2d(channels, affine=f"{name}.weight" in tensors)


def stem(tensors: Tensors, names: Sequence[str], chosen: str) -> tuple[list[tuple[str, nn.Module]], int]:
    """Convolution, norm, activation, and for a kernel of 7 the max-pool, under four ``names``; how many channels come
    out.
    """
    first, second, third, last = names
    weight = need(tensors, f"{first}.weight", 4)
    large = weight.shape[-1] == LARGE
    conv = convolution(tensors, first, weight.shape[1], 2 if large else 1)
    body = [(first, conv), (second, norm(tensors, second, conv.out_channels)), (third, activation(chosen))]
    return [*body, *([(last, nn.MaxPool2d(3, 2, 1))] if large else [])], conv.out_channels


def colours(tensors: Tensors, name: str) -> int | None:
    """How many channels the pictures have for a stem whose weight is ``name.weight``; None where there is no such."""
    return or_else(lambda: int(need(tensors, f"{name}.weight", 4).shape[1]), None)


def kernel(tensors: Tensors, name: str) -> int:
    """The size of the stem's kernel, whose weight is ``name.weight``; `LARGE` where there is no such convolution."""
    return or_else(lambda: int(need(tensors, f"{name}.weight", 4).shape[-1]), LARGE)


def strides(tensors: Tensors, name: str) -> tuple[str, str]:
    """What is assumed of the strides in a network whose stem is the convolution ``name``."""
    size = kernel(tensors, name)
    start = ("a stem of stride 2 with a 3×3 max-pool of stride 2 (its kernel is 7)" if size == LARGE else
             f"a stem of stride 1 without max-pool (its kernel is {'smaller' if size < LARGE else 'larger'} than 7)")
    return start, "stride 2 at the start of every stage but the first, on the block's first large kernel"


def blocks(tensors: Tensors) -> Iterator[tuple[str, int]]:
    """Every block by its name, with its stride."""
    for stage in range(1, numbered(tensors, "layer", 1) + 1):
        for index in range(numbered(tensors, f"layer{stage}.", 0)):
            yield f"layer{stage}.{index}", 2 if stage > 1 and index == 0 else 1


def shortcut(tensors: Tensors, name: str, channels: int, stride: int) -> Chain | None:
    """The 1×1 convolution ``name.0`` and, if there, the norm ``name.1``; None when the block has no such tensors."""
    inside = [key for key in tensors if key.startswith(f"{name}.")]
    if not inside:
        return None
    if f"{name}.0.weight" not in tensors or tensors[f"{name}.0.weight"].ndim != 4:
        raise LayoutError(f"expected a convolution {name}.0.weight, got {inside[0]}; pooled shortcuts (ResNet-D) "
                          f"are not known: {INSTEAD}")
    first = convolution(tensors, f"{name}.0", channels, stride)
    layers: list[tuple[str, nn.Module]] = [("0", first)]
    if f"{name}.1.running_mean" in tensors:
        layers.append(("1", norm(tensors, f"{name}.1", first.out_channels)))
    return Chain(layers)


def numbered(tensors: Tensors, prefix: str, first: int) -> int:
    """How many modules ``prefix + number`` there are, counted on from ``first`` without a gap."""
    names = {name[len(prefix):].split(".")[0] for name in tensors if name.startswith(prefix)}
    count = 0
    while str(first + count) in names:
        count += 1
    return count


def checked_sum(name: str, inside: int, outside: int, stride: int, has_shortcut: bool) -> None:
    """`LayoutError` when a block changes channels or size and has no shortcut that does so too."""
    if not has_shortcut and (inside != outside or stride != 1):
        raise LayoutError(f"expected a shortcut convolution in {name}, which turns {inside} channels into {outside} "
                          f"with stride {stride}, got none; padded shortcuts are not known: {INSTEAD}")
