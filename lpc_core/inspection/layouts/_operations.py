"""The operations of an ONNX graph that are run here, each as one torch call: the whole list, and nothing else.

https://onnx.ai/onnx/operators. A function gets the values of its inputs (None where one is left out) and its
attributes, and computes what evaluating needs: dropout does nothing, a batch norm uses its running statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

Values = Sequence[Any]  # tensors, or None
Attributes = dict[str, Any]
MOST_PADDING = 1_024  # zeros on a side; more would only be asked for to fill memory


def _gemm(v: Values, a: Attributes) -> Tensor:
    left = v[0].T if a.get("transA") else v[0]
    right = v[1].T if a.get("transB") else v[1]
    product: Tensor = a.get("alpha", 1.0) * (left @ right)
    return product if len(v) < 3 or v[2] is None else product + a.get("beta", 1.0) * v[2]


def _conv(v: Values, a: Attributes) -> Tensor:
    bias = v[2] if len(v) > 2 else None
    padded, symmetric = _padded(v[0], a, 0.0)
    return F.conv2d(padded, v[1], bias, tuple(a.get("strides", (1, 1))), symmetric, tuple(a.get("dilations", (1, 1))),
                    a.get("group", 1))


def _padded(maps: Tensor, a: Attributes, filling: float) -> tuple[Tensor, tuple[int, int]]:
    """The maps, padded here where top and bottom or left and right differ, and the padding left to the operation."""
    if a.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise ValueError(f"expected paddings in numbers, got auto_pad {a['auto_pad']}; export the model with pads")
    pads = a.get("pads", (0, 0, 0, 0))
    if len(pads) != 4 or not all(0 <= side <= MOST_PADDING for side in pads):
        raise ValueError(f"expected four paddings from 0 to {MOST_PADDING}, got {pads}; export the model again")
    top, left, bottom, right = pads
    if (top, left) == (bottom, right):
        return maps, (top, left)
    return F.pad(maps, (left, right, top, bottom), value=filling), (0, 0)


def _max_pool(v: Values, a: Attributes) -> Tensor:
    padded, symmetric = _padded(v[0], a, -torch.inf)
    return F.max_pool2d(padded, tuple(a["kernel_shape"]), tuple(a.get("strides", (1, 1))), symmetric,
                        tuple(a.get("dilations", (1, 1))), bool(a.get("ceil_mode")))


def _average_pool(v: Values, a: Attributes) -> Tensor:
    padded, symmetric = _padded(v[0], a, 0.0)
    counted = bool(a.get("count_include_pad"))
    if (padded is not v[0] and not counted) or any(step != 1 for step in a.get("dilations", ())):
        raise ValueError("expected average pooling with equal padding on both sides and without dilation, got another; "
                         "export it otherwise")
    return F.avg_pool2d(padded, tuple(a["kernel_shape"]), tuple(a.get("strides", (1, 1))), symmetric,
                        bool(a.get("ceil_mode")), counted)


def _reshape(v: Values, a: Attributes) -> Tensor:
    shape = [int(size) for size in v[1].tolist()]
    kept = [v[0].shape[place] if size == 0 and not a.get("allowzero") else size for place, size in enumerate(shape)]
    if a.get("batch") and kept and kept[0] == a["batch"]:
        kept[0] = v[0].shape[0]  # exported for one fixed number of samples
    return torch.reshape(v[0], kept)


def _flatten(v: Values, a: Attributes) -> Tensor:
    axis = a.get("axis", 1)
    return torch.flatten(v[0] if axis == 1 else torch.flatten(v[0], 0, axis - 1), 1)


def _axes(v: Values, a: Attributes) -> list[int]:
    """The axes of a reduction, which moved from the attributes to the inputs in opset 13 or 18."""
    return [int(axis) for axis in (v[1].tolist() if len(v) > 1 and v[1] is not None else a.get("axes", ()))]


def _squeeze(v: Values, a: Attributes) -> Tensor:
    every = range(v[0].ndim > 1, v[0].ndim)  # but that of the samples, if there are others
    return torch.squeeze(v[0], tuple(_axes(v, a) or every))


def _unsqueeze(v: Values, a: Attributes) -> Tensor:
    out: Tensor = v[0]
    axes = _axes(v, a)
    for axis in sorted(axis % (v[0].ndim + len(axes)) for axis in axes):  # they are those of the result
        out = out.unsqueeze(axis)
    return out


def _clip(v: Values, a: Attributes) -> Tensor:
    low, high = (v[place] if len(v) > place else a.get(name) for place, name in ((1, "min"), (2, "max")))
    return v[0] if low is None and high is None else torch.clamp(v[0], low, high)


def _gather(v: Values, a: Attributes) -> Tensor:
    axis, places = a.get("axis", 0), v[1]
    if places.ndim == 0:
        return torch.select(v[0], axis, int(places))
    return torch.index_select(v[0], axis, torch.where(places < 0, places + v[0].shape[axis], places))  # −1: the last


def _softmax(v: Values, a: Attributes, of: Callable[..., Tensor] = torch.softmax) -> Tensor:
    axis = int(a.get("axis", 1 if a.get("flat") else -1))
    return of(v[0].flatten(axis), axis).reshape(v[0].shape) if a.get("flat") else of(v[0], axis)


def _cast(v: Values, a: Attributes) -> Tensor:
    kinds = {1: torch.float32, 6: torch.int32, 7: torch.int64, 10: torch.float32, 11: torch.float32}
    if a.get("to") not in kinds:
        raise ValueError(f"expected a cast to floats or whole numbers, got type {a.get('to')}; export the model again")
    return torch.as_tensor(v[0], dtype=kinds[a["to"]])


OPERATIONS: dict[str, Callable[[Values, Attributes], Tensor]] = {
    "Gemm": _gemm, "MatMul": lambda v, a: v[0] @ v[1], "Conv": _conv,
    "BatchNormalization": lambda v, a: F.batch_norm(v[0], v[3], v[4], v[1], v[2], eps=a.get("epsilon", 1e-5)),
    "Add": lambda v, a: v[0] + v[1], "Sub": lambda v, a: v[0] - v[1], "Mul": lambda v, a: v[0] * v[1],
    "Div": lambda v, a: v[0] / v[1] if v[0].is_floating_point() else v[0] // v[1],
    "Relu": lambda v, a: F.relu(v[0]), "LeakyRelu": lambda v, a: F.leaky_relu(v[0], a.get("alpha", 0.01)),
    "Elu": lambda v, a: F.elu(v[0], a.get("alpha", 1.0)), "Sigmoid": lambda v, a: torch.sigmoid(v[0]),
    "Tanh": lambda v, a: torch.tanh(v[0]), "Erf": lambda v, a: torch.erf(v[0]),
    "Gelu": lambda v, a: F.gelu(v[0], approximate=a.get("approximate", "none")),
    "HardSwish": lambda v, a: F.hardswish(v[0]), "Clip": _clip, "Swish": lambda v, a: F.silu(v[0]),
    "Sqrt": lambda v, a: torch.sqrt(v[0]), "MaxPool": _max_pool, "AveragePool": _average_pool,
    "GlobalAveragePool": lambda v, a: v[0].mean(dim=(2, 3), keepdim=True),
    "GlobalMaxPool": lambda v, a: v[0].amax(dim=(2, 3), keepdim=True),
    "ReduceMean": lambda v, a: torch.mean(v[0], _axes(v, a) or list(range(v[0].ndim)), bool(a.get("keepdims", 1))),
    "Flatten": _flatten, "Reshape": _reshape, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze,
    "Transpose": lambda v, a: v[0].permute(a.get("perm", tuple(range(v[0].ndim))[::-1])),
    "Concat": lambda v, a: torch.cat(list(v), a["axis"]), "Identity": lambda v, a: v[0], "Dropout": lambda v, a: v[0],
    "Shape": lambda v, a: torch.tensor(v[0].shape), "Cast": _cast,
    "Gather": _gather,
    "Softmax": _softmax, "LogSoftmax": lambda v, a: _softmax(v, a, torch.log_softmax),
}
