"""ONNX graphs: run operation by operation with torch, from a fixed list; an operation outside it is named, not run.

The graph itself says activations, strides and paddings, so nothing is assumed. The head is the fully connected layer at
the end, the latents are what it reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts._base import INSTEAD, Choices, Layout, LayoutError, Recognised, Tensors
from lpc_core.inspection.layouts._modules import as_array
from lpc_core.inspection.layouts._operations import OPERATIONS
from lpc_core.inspection.layouts.plain_mlp import AFTER_ACTIVATION

MOST_VALUES = 2**28  # numbers that one operation may give; graphs can double their values at every step
AFTER_LOGITS = ("Softmax", "LogSoftmax", "Identity", "Flatten", "Cast")  # may stand between the head and the output
NOTHING = ("Flatten", "Reshape", "Identity", "Dropout", "Squeeze", "Cast")  # what leaves a layer's numbers as they are
KNOWN = (*OPERATIONS, "Constant")


@dataclass(frozen=True)
class Node:
    """One operation of a graph."""

    operation: str
    inputs: tuple[str, ...]  # "" where one is left out
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Head:
    """The last fully connected layer: which values it reads and gives, and its tensors."""

    latents: str
    logits: str
    weight: str
    bias: str | None
    turned: bool  # whether the stored weight is (d, K)


def _recognise(checkpoint: Checkpoint, choices: Choices) -> Recognised | None:
    metadata = checkpoint.metadata
    if checkpoint.format != "onnx" or not metadata.get("nodes") or not metadata.get("outputs"):
        return None
    nodes = read_nodes(metadata)
    producers = {output: node for node in nodes for output in node.outputs}
    head = find_head(str(metadata["outputs"][0]), producers, checkpoint.tensors)
    if head is None:
        return None
    obstacle = ""
    try:
        build(checkpoint, nodes, producers, head)
    except LayoutError as error:
        obstacle = str(error)
    weight = as_array(checkpoint.tensors[head.weight])
    return Recognised(
        name=f"ONNX graph of {len(nodes)} operations", layer=head.latents, head_weight=head.weight, head_bias=head.bias,
        build=lambda: build(checkpoint, nodes, producers, head),
        weight=weight.T if head.turned else weight, bias=_bias(checkpoint.tensors, head, weight),
        input_shape=input_shape(dict(metadata.get("inputs", {}))), activation="as the graph says", obstacle=obstacle,
        parameters=sum(tensor.numel() for tensor in checkpoint.tensors.values() if tensor.is_floating_point()),
        theory_note="" if is_linear(head.latents, producers, checkpoint.tensors) else AFTER_ACTIVATION)


def read_nodes(metadata: dict[str, Any]) -> list[Node]:
    """The graph's operations in order."""
    attributes = metadata.get("attributes") or [{}] * len(metadata["nodes"])
    return [Node(str(operation), tuple(map(str, inputs)), tuple(map(str, outputs)), dict(words))
            for (operation, inputs, outputs), words in zip(metadata["nodes"], attributes, strict=True)]


def find_head(output: str, producers: dict[str, Node], tensors: Tensors) -> Head | None:
    """The layer whose result the graph gives, softmax and the like left aside; None when it is no such layer."""
    node = producers.get(output)
    while node is not None and node.operation in AFTER_LOGITS:
        output = node.inputs[0]
        node = producers.get(output)
    if node is not None and node.operation == "Gemm" and _is_matrix(tensors, node.inputs[1]):
        plain = node.attributes.get("alpha", 1.0) == node.attributes.get("beta", 1.0) == 1.0
        bias = node.inputs[2] if len(node.inputs) > 2 and node.inputs[2] in tensors else None
        turned = not node.attributes.get("transB")
        return Head(node.inputs[0], output, node.inputs[1], bias, turned) if plain else None
    bias = None
    if node is not None and node.operation == "Add":
        bias = next((name for name in node.inputs if name in tensors), None)
        node = next((producers[name] for name in node.inputs if name in producers), None) if bias else None
    if node is not None and node.operation == "MatMul" and _is_matrix(tensors, node.inputs[1]):
        return Head(node.inputs[0], output, node.inputs[1], bias, True)
    return None


def _is_matrix(tensors: Tensors, name: str) -> bool:
    return name in tensors and tensors[name].ndim == 2 and tensors[name].is_floating_point()


def _bias(tensors: Tensors, head: Head, weight: Any) -> Any:
    classes = weight.shape[1] if head.turned else weight.shape[0]
    own = as_array(tensors[head.bias]).reshape(-1) if head.bias else torch.zeros(1).numpy()
    return own if len(own) == classes else own.repeat(classes)[:classes]


def is_linear(value: str, producers: dict[str, Node], tensors: Tensors) -> bool:
    """Whether ``value`` comes straight from a fully connected layer."""
    node = producers.get(value)
    while node is not None and node.operation in NOTHING:
        node = producers.get(node.inputs[0])
    if node is not None and node.operation == "Add":
        node = next((producers[name] for name in node.inputs if name in producers), None) if any(
            name in tensors for name in node.inputs) else None
    return node is not None and node.operation in ("Gemm", "MatMul")


def needed(nodes: list[Node], producers: dict[str, Node], head: Head) -> list[Node]:
    """The operations that the logits need, in the graph's order; `LayoutError` for one that is not known."""
    wanted, open_ = set(), [head.logits]
    while open_:
        value = open_.pop()
        if value in producers and value not in wanted:
            open_ += producers[value].inputs
        wanted.add(value)
    chosen = [node for node in nodes if wanted & set(node.outputs)]
    unknown = sorted({node.operation for node in chosen} - set(KNOWN))
    if unknown:
        raise LayoutError(f"expected operations among {', '.join(sorted(OPERATIONS))}, got {', '.join(unknown)[:200]}; "
                          f"{INSTEAD}")
    return [node for node in chosen if node.operation != "Constant"]


def input_shape(inputs: dict[str, Any]) -> tuple[int | None, ...]:
    """The shape of one sample; None for free sizes."""
    sizes = next(iter(inputs.values()), [])
    return tuple(size if isinstance(size, int) and size > 0 else None for size in sizes[1:])


def build(checkpoint: Checkpoint, nodes: list[Node], producers: dict[str, Node], head: Head) -> Graph:
    """The graph as a module; `LayoutError` when it cannot be run."""
    inputs = dict(checkpoint.metadata.get("inputs", {}))
    return Graph(needed(nodes, producers, head), checkpoint.tensors, inputs, head).eval()


class Step(nn.Module):
    """One operation; a module so that its values can be watched through a hook."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node

    def forward(self, *values: Tensor | None) -> Tensor:
        """The operation's first output."""
        try:
            return OPERATIONS[self.node.operation](values, self.node.attributes)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(f"expected {self.node.operation} with its inputs and attributes, got one on which it "
                             f"fails ({type(error).__name__}: {str(error)[:100]}); {INSTEAD}") from None


class Graph(nn.Module):
    """The operations one after the other: inputs (N, …) → (logits (N, K), latents (N, d))."""

    def __init__(self, nodes: list[Node], tensors: Tensors, inputs: dict[str, Any], head: Head) -> None:
        super().__init__()
        if len(inputs) != 1:
            raise LayoutError(f"expected a graph with one input, got {len(inputs)}; {INSTEAD}")
        (self._input, sizes), self._head = next(iter(inputs.items())), head
        self._rank = len(sizes)
        batch = sizes[0] if sizes and isinstance(sizes[0], int) else None
        self._weights: dict[str, str] = {}
        for number, name in enumerate(sorted({name for node in nodes for name in node.inputs} & set(tensors))):
            value = tensors[name]
            self._weights[name] = f"tensor{number}"
            self.register_buffer(f"tensor{number}", value.float() if value.is_floating_point() else value)
        self._steps: list[tuple[Node, Step]] = []
        for number, node in enumerate(nodes):
            step = Step(Node(node.operation, node.inputs, node.outputs, {**node.attributes, "batch": batch}))
            self.add_module(f"{node.operation}{number}", step)
            self._steps.append((node, step))
        self._last = {name: number for number, node in enumerate(nodes) for name in node.inputs}

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        values = {self._input: inputs.flatten(1) if self._rank == 2 else inputs}
        keep = {self._head.latents, self._head.logits}
        for number, (node, step) in enumerate(self._steps):
            result = step(*(self._value(name, values) for name in node.inputs))
            if result.numel() > MOST_VALUES:
                raise ValueError(f"expected at most {MOST_VALUES:,} values from {node.operation}, got "
                                 f"{result.numel():,}; choose fewer samples at once, or another model")
            values[node.outputs[0]] = result
            for name in set(node.inputs) - keep:
                if self._last[name] == number:
                    values.pop(name, None)  # nobody reads it any more
        logits, latents = (values[name] for name in (self._head.logits, self._head.latents))
        return logits, latents.flatten(1)

    def _value(self, name: str, values: dict[str, Tensor]) -> Tensor | None:
        if name == "":
            return None
        if name in values:
            return values[name]
        if name not in self._weights:
            raise ValueError(f"expected the value {name[:60]!r} to come from an earlier operation, got none; {INSTEAD}")
        return getattr(self, self._weights[name])


LAYOUT = Layout("ONNX graph", 5, _recognise)
