"""What makes the numbers of a recognised network doubtful, to be said beside every result."""

from __future__ import annotations

from collections.abc import Iterator

from lpc_core.inspection.layouts._base import Recognised, Tensors
from lpc_core.inspection.layouts.modules import is_layer, listed


def doubts(found: Recognised, tensors: Tensors) -> Iterator[str]:
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
