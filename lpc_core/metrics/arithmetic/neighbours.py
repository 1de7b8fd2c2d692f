"""Distances to the k-th nearest of many samples, to a relative 1e-6 however near they are, block by block."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

TREE_NODES = 12  # up to here a k-d tree is quicker than all distances
_QUERIES_AT_ONCE = 128
_FEW = 0.15  # share of pairs up to which they are subtracted one by one
_TRUSTED = 1e-6  # relative error up to which a squared distance may come from a product of matrices

Blocks = Callable[[], Iterable[np.ndarray]]  # all samples, (m, d) float64 at a time, from the first


def kth_distances(points: np.ndarray, blocks: Blocks, k: int,
                  near: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
    """Distance of each of ``points`` (q, d) to its ``k``-th nearest of the samples: (q,). Best centred: what lies far
    out takes longer. ``near`` does the same for points that have so many so near that products cannot tell how near;
    without it those are subtracted.
    """
    picked = torch.from_numpy(points)
    rough, reach = _smallest(blocks, picked, k, _by_products)
    doubt = _error_of_products(picked, reach)
    unsure = torch.nonzero(rough * _TRUSTED < doubt)[:, 0]
    if len(unsure) and near is not None:
        rough[unsure] = torch.from_numpy(near(points[unsure.numpy()])) ** 2
    elif len(unsure):
        limits = (rough + 2 * doubt)[unsure]  # no sample that rough distances put farther away can be that near
        rough[unsure] = _smallest(blocks, picked[unsure], k, functools.partial(_refined, limits))[0]
    return rough.sqrt().numpy()


def _smallest(blocks: Blocks, points: Tensor, k: int,
              squared: Callable[[Tensor, Tensor, slice], Tensor]) -> tuple[Tensor, float]:
    """The k-th smallest squared distance of each point (q, d) to all samples: (q,). Also the largest ‖sample‖."""
    best, reach = torch.full((len(points), k), math.inf, dtype=torch.float64), 0.0
    for block in blocks():
        others = torch.from_numpy(block)
        reach = max(reach, float(others.norm(dim=1).max()))
        for start in range(0, len(points), _QUERIES_AT_ONCE):
            part = slice(start, start + _QUERIES_AT_ONCE)
            found = squared(points[part], others, part).topk(min(k, len(others)), largest=False).values
            best[part] = torch.cat([best[part], found], 1).topk(k, largest=False).values
    return best.amax(1), reach


def _by_products(x: Tensor, y: Tensor, _: slice) -> Tensor:
    """Squared distances (q, m) as ‖x‖² + ‖y‖² − 2xy: quick, but of two near points far out nothing is left."""
    return torch.addmm((y * y).sum(1), x, y.T, alpha=-2) + (x * x).sum(1, keepdim=True)


def _error_of_products(points: Tensor, reach: float) -> Tensor:
    """Bound of the rounding in `_by_products` for each point (q,) and samples of norm up to ``reach``."""
    longest: Tensor = points.norm(dim=1) + reach
    return (points.shape[1] + 8) * torch.finfo(torch.float64).eps * longest ** 2


def _refined(limits: Tensor, x: Tensor, y: Tensor, part: slice) -> Tensor:
    """Squared distances (q, m) by subtraction, where products put them within ``limits``; infinite elsewhere."""
    near = _by_products(x, y, part) <= limits[part, None]
    if near.count_nonzero() > _FEW * near.numel():
        return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2
    found = torch.full(near.shape, math.inf, dtype=torch.float64)
    i, j = near.nonzero(as_tuple=True)
    found[i, j] = ((x[i] - y[j]) ** 2).sum(1)
    return found
