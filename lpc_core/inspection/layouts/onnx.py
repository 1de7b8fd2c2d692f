"""ONNX graphs: run operation by operation with torch, from a fixed list; an operation outside it is named, not run.

The graph itself says activations, strides and paddings, so nothing is assumed. The head is the fully connected layer at
the end, the latents are what it reads.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from lpc_core.inspection.layouts._base import Layout, Tensors
from lpc_core.inspection.layouts._graph import Dialect, Head, Node, is_matrix, recognise
from lpc_core.inspection.layouts._operations import OPERATIONS


def _nodes(metadata: dict[str, Any]) -> list[Node]:
    """The graph's operations in order."""
    nodes = metadata.get("nodes", [])
    attributes = metadata.get("attributes") or [{}] * len(nodes)
    before_13 = any(f"ai.onnx {opset}" in metadata.get("opset", ()) for opset in range(1, 13))
    older = {"flat": 1} if before_13 else {}  # what follows a softmax's axis is one axis there
    return [Node(str(operation), tuple(map(str, inputs)), tuple(map(str, outputs)), {**words, **older})
            for (operation, inputs, outputs), words in zip(nodes, attributes, strict=True)]


def _head(node: Node, logits: str, tensors: Tensors) -> Head | None:
    if len(node.inputs) < 2 or not is_matrix(tensors, node.inputs[1]):
        return None
    if node.operation == "MatMul":
        return Head(node.inputs[0], logits, node.inputs[1], None, True)
    plain = node.attributes.get("alpha", 1.0) == node.attributes.get("beta", 1.0) == 1.0
    bias = node.inputs[2] if len(node.inputs) > 2 and node.inputs[2] in tensors else None
    return Head(node.inputs[0], logits, node.inputs[1], bias, not node.attributes.get("transB")) if plain else None


DIALECT = Dialect(
    title="ONNX graph", format="onnx", read=_nodes, operations=tuple(OPERATIONS), constants=("Constant",),
    run=lambda node, values: OPERATIONS[node.operation](values, dict(node.attributes)),
    after_logits=("Softmax", "LogSoftmax", "Identity", "Flatten", "Cast"),
    nothing=("Flatten", "Reshape", "Identity", "Dropout", "Squeeze", "Cast"), linear=("Gemm", "MatMul"),
    addition=("Add",), head=_head)
LAYOUT = Layout(5, partial(recognise, DIALECT), graphs=True)
