"""torch.export graphs: ATen operations from a fixed list, called by their own names; others are named, not run.

As for ONNX the graph says everything, so nothing is assumed. Operations that write into their input are called in the
version that does not; dropout does nothing and a batch norm uses its running statistics, however it was exported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch

from lpc_core.inspection.layouts._base import INSTEAD, Layout, Tensors
from lpc_core.inspection.layouts._graph import Dialect, Head, Node, is_matrix, recognise

PREFIX = "torch.ops.aten."
OPERATIONS = (
    "linear.default", "addmm.default", "mm.default", "matmul.default", "t.default", "permute.default", "transpose.int",
    "conv2d.default", "batch_norm.default", "layer_norm.default", "relu.default", "silu.default", "gelu.default",
    "tanh.default", "sigmoid.default", "elu.default", "leaky_relu.default", "hardtanh.default", "hardswish.default",
    "max_pool2d.default", "avg_pool2d.default", "adaptive_avg_pool2d.default", "mean.dim", "flatten.using_ints",
    "view.default", "reshape.default", "unsqueeze.default", "squeeze.dim", "squeeze.dims", "add.Tensor", "sub.Tensor",
    "mul.Tensor", "div.Tensor", "cat.default", "clone.default", "contiguous.default", "softmax.int", "log_softmax.int",
    "dropout.default", "sym_size.int",
)
IDLE = ("dropout.default", "contiguous.default", "clone.default")
SIZES = ("padding", "kernel_size", "stride", "dilation", "output_size")
MOST_SIZE = 1_024  # of these; larger ones would only be asked for to fill memory


def _nodes(metadata: dict[str, Any]) -> list[Node]:
    """The graph's operations in order, with everything that they read as inputs."""
    arguments = metadata.get("arguments", [])
    return [Node(_short(str(operation)), tuple(_names(list(given.values()))), tuple(map(str, outputs)), given)
            for (operation, _, outputs), given in zip(metadata.get("nodes", []), arguments, strict=False)]


def _short(operation: str) -> str:
    """``torch.ops.aten.relu_.default`` as ``relu.default``; other libraries' operations keep their names."""
    name, _, overload = operation.removeprefix(PREFIX).partition(".")
    return f"{name.removesuffix('_')}.{overload}" if operation.startswith(PREFIX) else operation


def _names(value: Any) -> list[str]:
    """The values that an argument names."""
    if isinstance(value, Mapping):
        return [str(value["value"])] if "value" in value else []
    return [name for item in value for name in _names(item)] if isinstance(value, list) else []


def _run(node: Node, values: Sequence[Any]) -> Any:
    given = dict(zip(node.inputs, values, strict=True))
    arguments = {name: _filled(value, given) for name, value in node.attributes.items() if name != "batch"}
    if node.operation in IDLE:
        return values[0]
    for name in SIZES:
        numbers = arguments.get(name, 0)
        if not all(0 <= number <= MOST_SIZE for number in (numbers if isinstance(numbers, list) else [numbers])):
            raise ValueError(f"expected {name} from 0 to {MOST_SIZE} in {node.operation}, got {numbers}; export it "
                             "again")
    if node.operation == "batch_norm.default":
        if arguments.get("running_mean") is None:
            raise ValueError(f"expected a batch norm with running statistics, got one that has none; {INSTEAD}")
        arguments["training"] = False
    if node.operation in ("view.default", "reshape.default"):
        return values[0].reshape(_for_all(arguments["size" if "size" in arguments else "shape"], node, values[0]))
    name, _, overload = node.operation.partition(".")
    return getattr(getattr(torch.ops.aten, name), overload)(**arguments)


def _filled(value: Any, given: Mapping[str, Any]) -> Any:
    """The argument with the values it names put in."""
    if isinstance(value, Mapping):
        return given[str(value["value"])]
    return [_filled(item, given) for item in value] if isinstance(value, list) else value


def _for_all(shape: list[int], node: Node, values: torch.Tensor) -> list[int]:
    """A shape that was exported for one fixed number of samples, for as many as there are."""
    batch = node.attributes.get("batch")
    return [values.shape[0], *shape[1:]] if batch is not None and shape and shape[0] == batch else shape


def _head(node: Node, logits: str, tensors: Tensors) -> Head | None:
    if node.operation != "linear.default" or len(node.inputs) < 2 or not is_matrix(tensors, node.inputs[1]):
        return None
    return Head(node.inputs[0], logits, node.inputs[1], node.inputs[2] if len(node.inputs) > 2 else None, False)


DIALECT = Dialect(
    title="torch.export graph", format="torch.export", read=_nodes, operations=OPERATIONS, run=_run, constants=(),
    after_logits=("softmax.int", "log_softmax.int", *IDLE),
    nothing=("flatten.using_ints", "view.default", "reshape.default", *IDLE), linear=("linear.default",), addition=(),
    head=_head)
LAYOUT = Layout(6, partial(recognise, DIALECT), graphs=True)
