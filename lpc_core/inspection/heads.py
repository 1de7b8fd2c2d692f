"""Heads: which tensors of an unknown checkpoint may be one, and where a head's classes would fall, without any data."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from lpc_core.inspection._base import upright
from lpc_core.inspection.layouts.modules import as_array
from lpc_core.metrics import weight_abs_cv
from lpc_core.theory import collapse_points, critical_gamma, predicted_radius

HEAD_NAMES = re.compile(r"(^|[._])(head|fc|classifier|output|out|linear|logits|last|final|cls|pred\w*)\d*([._]|$)",
                        re.IGNORECASE)
KERNEL = re.compile(r"(^|[./])kernel(:0)?$")  # as Flax and Keras call weights, which they store turned, (d, K)
BIASES = (("weight", "bias"), ("kernel", "bias"), ("w", "b"), ("W", "b"), ("coef_", "intercept_"))
MOST_CLASSES, MOST_NODES = 100_000, 100_000
MOST_CANDIDATES = 50
MOST_SOLVED = 30_000_000  # numbers K²·r, r = min(d, K − 1), of the K Newton problems that are solved at once
MOST_CRITICAL = 100  # classes for which the critical γ is searched


@dataclass(frozen=True)
class HeadCandidate:
    """A weight that may be the last layer of a classifier."""

    weight: str  # tensor names
    bias: str | None
    classes: int  # K, rows
    latent_dim: int  # d, columns
    why: str  # what speaks for it


def head_candidates(tensors: Mapping[str, Tensor]) -> list[HeadCandidate]:
    """Weights (K, d) that may be the head, the most plausible first, at most `MOST_CANDIDATES`.

    What counts, in this order: a telling name (head, fc, classifier, output, …), a bias of K numbers, rows that no
    other layer reads on, fewer classes than nodes read, and a place near the end of the file.
    """
    tensors, turned = _upright(tensors)
    matrices = [name for name, tensor in tensors.items() if _may_be_head(name, tensor)]
    read = {int(tensor.shape[1]) for tensor in tensors.values() if tensor.ndim >= 2}  # widths that some layer reads
    judged = [_judge(name, tensors, read, name == matrices[-1]) for name in reversed(matrices)]
    judged = [(points, replace(head, why=f"{head.why}; stored turned") if head.weight in turned else head)
              for points, head in judged]
    return [candidate for _, candidate in sorted(judged, key=lambda one: -one[0])[:MOST_CANDIDATES]]


def _upright(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors with weights as torch stores them, (K, d), and which are stored (d, K): by name, or by the bias."""
    turned = [name for name, tensor in tensors.items() if tensor.ndim == 2 and _is_turned(name, tensor, tensors)]
    return {name: tensor.T if name in turned else tensor for name, tensor in tensors.items()}, turned


def _is_turned(name: str, tensor: Tensor, tensors: Mapping[str, Tensor]) -> bool:
    beside = _beside(name)
    sizes = {tuple(tensors[bias].shape) for bias in beside if bias in tensors}
    return KERNEL.search(name) is not None or ((tensor.shape[1],) in sizes and (tensor.shape[0],) not in sizes)


def _beside(weight: str) -> list[str]:
    """What a bias beside ``weight`` may be called."""
    pairs = [(re.sub(rf"(^|[./]){part}(:0)?$", rf"\g<1>{bias}\g<2>", weight), weight) for part, bias in BIASES]
    return [*(name for name, old in pairs if name != old), f"{weight}.bias"]


def _may_be_head(name: str, tensor: Tensor) -> bool:
    if tensor.ndim != 2 or not tensor.dtype.is_floating_point:
        return False
    classes, nodes = tensor.shape
    return 2 <= classes <= MOST_CLASSES and 1 <= nodes <= MOST_NODES and not name.endswith(("bias", "running_mean"))


def _judge(name: str, tensors: Mapping[str, Tensor], read: set[int], is_last: bool) -> tuple[int, HeadCandidate]:
    classes, nodes = map(int, tensors[name].shape)
    bias = bias_of(name, tensors)
    reasons = [(8, "its name", bool(HEAD_NAMES.search(name))), (4, f"a bias of {classes}", bias is not None),
               (3, f"no layer reads its {classes} outputs", classes not in read),
               (2, f"fewer classes than the {nodes} nodes it reads", classes < nodes),
               (1, "the last matrix of the file", is_last)]
    why = ", ".join(words for _, words, holds in reasons if holds)
    return sum(points for points, _, holds in reasons if holds), \
        HeadCandidate(name, bias, classes, nodes, why or "a matrix of the right kind, nothing else speaks for it")


def bias_of(weight: str, tensors: Mapping[str, Tensor]) -> str | None:
    """The bias beside ``weight`` (K, d), if there is one of K numbers."""
    fit = [name for name in _beside(weight) if name in tensors and tensors[name].shape == tensors[weight].shape[:1]]
    return fit[0] if fit else None


def pick_head(tensors: Mapping[str, Tensor], weight: str, bias: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The head's weight (K, d) and bias (K,); without a name for the bias the one beside the weight, else zeros.

    Raises `ValueError` for names that are not there or tensors that do not fit.
    """
    if weight not in tensors:
        some = ", ".join(candidate.weight for candidate in head_candidates(tensors)[:5]) or "no matrix at all"
        raise ValueError(f"head weight: expected a tensor of the file, such as {some}, got {weight!r}; choose one")
    tensors, _ = _upright(tensors)
    if not _may_be_head(weight, tensors[weight]):
        raise ValueError(f"head weight: expected numbers (K, d) with K >= 2, got {weight} of shape "
                         f"{tuple(tensors[weight].shape)}; choose another tensor")
    bias = bias or bias_of(weight, tensors)
    if bias is None:
        return as_array(tensors[weight]), np.zeros(len(tensors[weight]))
    if bias not in tensors or tuple(tensors[bias].shape) != (len(tensors[weight]),):
        found = f"shape {tuple(tensors[bias].shape)}" if bias in tensors else "no such tensor"
        raise ValueError(f"head bias: expected {len(tensors[weight])} numbers in {bias!r}, got {found}; choose another")
    return as_array(tensors[weight]), as_array(tensors[bias])


@dataclass(frozen=True, eq=False)
class HeadView:
    """What a head alone says at one γ, without any data. K classes, d nodes."""

    gamma: float  # the factor of ‖z‖² (the paper's convention, summed over nodes)
    collapse_points: np.ndarray  # (K, d), predicted
    predicted_radius: float  # their mean norm
    critical_gamma: float  # the γ at which the first class stops being sure of itself; NaN where it was not searched
    weight_abs_cv: np.ndarray  # (d,) std/mean of |W_kj| over the classes: 0 where the head reads a node as ±a
    notes: tuple[str, ...] = ()


def head_view(weight: np.ndarray, bias: np.ndarray | None, gamma: float, *, convention: str = "sum") -> HeadView:
    """Where this head's classes would fall under ``gamma`` (> 0), and how evenly it reads its nodes.

    ``convention`` "sum" is the paper's γ‖z‖², "mean" the authors' code's (divided by d here). Raises `ValueError` for
    bad numbers, and for heads too large to be solved while someone waits.
    """
    weight = np.asarray(weight, np.float64)
    if weight.ndim != 2 or len(weight) < 2:
        raise ValueError(f"expected a head weight (K, d), got {weight.shape}; choose another tensor")
    bias = np.zeros(len(weight)) if bias is None else np.asarray(bias, np.float64)
    gamma = in_sum_convention(gamma, convention, weight.shape[1])
    points, searched = solved(weight, bias, gamma), len(weight) <= MOST_CRITICAL
    notes = () if searched else (f"the critical γ is not searched for more than {MOST_CRITICAL} classes",)
    return HeadView(gamma, points, predicted_radius(points), critical_gamma(weight, bias) if searched else math.nan,
                    weight_abs_cv(weight), notes)


def in_sum_convention(gamma: float, convention: str, nodes: int) -> float:
    """``gamma`` as the factor of ‖z‖²; `ValueError` for a γ that is not above 0 or an unknown convention."""
    if convention not in ("sum", "mean"):
        raise ValueError(f"convention: expected sum or mean, got {convention!r}; sum is the paper's, mean its code's")
    if not (math.isfinite(gamma) and gamma > 0):
        raise ValueError(f"gamma: expected a finite number above 0, got {gamma}; without the penalty there is no "
                         "collapse point")
    return gamma / nodes if convention == "mean" else gamma


def solved(weight: np.ndarray, bias: np.ndarray, gamma: float, start: np.ndarray | None = None) -> np.ndarray:
    """`theory.collapse_points` (K, d), from ``start`` (K, d), for heads that can be solved while someone waits."""
    classes, nodes = weight.shape
    if classes ** 2 * min(nodes, classes - 1) > MOST_SOLVED:
        raise ValueError("expected a head of at most about 300 classes, or 1,000 of 30 nodes, for predicted points, "
                         f"got {classes:,} of {nodes:,}; choose a smaller head")
    try:
        return collapse_points(weight, bias, gamma, start=start)
    except RuntimeError as error:  # no answer within the steps allowed
        raise ValueError(str(error)) from None


def head_axes(weight: np.ndarray) -> np.ndarray:
    """The directions (d, p) to draw in: the nodes themselves for d ≤ 3, else the two main ones of the centred rows."""
    nodes = weight.shape[1]
    if nodes <= 3:
        return np.eye(nodes)
    return upright(np.linalg.svd(weight - weight.mean(axis=0), full_matrices=False)[2][:2].T)
