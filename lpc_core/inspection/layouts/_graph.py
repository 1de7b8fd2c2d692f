"""Graphs of operations as modules: what needs to run for the logits, in which order, and what is forgotten when."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts._base import INSTEAD, Choices, LayoutError, Recognised, Tensors
from lpc_core.inspection.layouts.modules import as_array
from lpc_core.inspection.layouts.plain_mlp import AFTER_ACTIVATION

MOST_OUTPUTS = 8  # of a graph that are looked at
MOST_VALUES = 2**28  # numbers that one operation may give; graphs can double their values at every step


@dataclass(frozen=True)
class Node:
    """One operation of a graph."""

    operation: str
    inputs: tuple[str, ...]  # names of values or weights; "" where one is left out
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Head:
    """The last fully connected layer: which values it reads and gives, and its tensors."""

    latents: str
    logits: str
    weight: str
    bias: str | None
    turned: bool  # whether the stored weight is (d, K)


@dataclass(frozen=True)
class Dialect:
    """How one format writes graphs."""

    title: str
    format: str  # of the checkpoint
    read: Callable[[dict[str, Any]], list[Node]]  # a checkpoint's metadata to operations in order
    operations: tuple[str, ...]  # all that are run
    run: Callable[[Node, Sequence[Any]], Any]
    constants: tuple[str, ...]  # operations whose result is a tensor of the checkpoint already
    after_logits: tuple[str, ...]  # what may stand between the head and the output
    nothing: tuple[str, ...]  # what leaves a layer's numbers as they are
    linear: tuple[str, ...]  # fully connected layers, without their addition of a bias
    addition: tuple[str, ...]
    head: Callable[[Node, str, Tensors], Head | None]  # the head that a fully connected node is, if it is a plain one


@dataclass(frozen=True)
class Written:
    """A graph as a checkpoint holds it."""

    dialect: Dialect
    nodes: tuple[Node, ...]
    inputs: Mapping[str, Sequence[Any]]  # name → sizes, free ones as texts
    output: str
    tensors: Tensors

    @property
    def producers(self) -> dict[str, Node]:
        """Which operation gives each value."""
        return {output: node for node in self.nodes for output in node.outputs}

    def source(self, value: str, passed: tuple[str, ...]) -> tuple[str, Node | None]:
        """The value from which ``value`` comes through operations of ``passed`` alone, and what gives it."""
        producers = self.producers
        node = producers.get(value)
        for _ in range(len(self.nodes)):
            if node is None or node.operation not in passed or not node.inputs:
                break
            value = node.inputs[0]
            node = producers.get(value)
        return value, node

    def without_bias(self, node: Node | None) -> tuple[Node | None, str | None]:
        """Past the addition of a weight: the operation it is added to, and the weight's name."""
        if node is None or node.operation not in self.dialect.addition:
            return node, None
        bias = next((name for name in node.inputs if name in self.tensors), None)
        inner = next((self.producers[name] for name in node.inputs if name in self.producers), None)
        return (inner, bias) if bias else (None, None)


def recognise(dialect: Dialect, checkpoint: Checkpoint, choices: Choices) -> Recognised | None:
    """The network of a graph that ends in a fully connected layer; None for other graphs, and formats."""
    graphs = _written(dialect, checkpoint) if checkpoint.format == dialect.format else []
    ends = [(graph, head) for graph in graphs if (head := find_head(graph)) is not None]
    ends = [end for end in ends if not any(  # latents given beside the logits may come from such a layer too
        end[0].output in upstream(graph, head.logits) - {head.logits} for graph, head in ends)]
    if not ends:
        return None
    written, head = ends[0]
    said = f"the graph gives {', '.join(graph.output for graph in graphs)}; {written.output} is taken for the logits"
    doubtful = len({other.logits for _, other in ends}) > 1
    obstacle = ""
    try:
        Graph(written, head)
    except LayoutError as error:
        obstacle = str(error)
    weight = as_array(written.tensors[head.weight])
    weight = weight.T if head.turned else weight
    return Recognised(
        name=f"{dialect.title} of {len(written.nodes)} operations", build=lambda: Graph(written, head).eval(),
        layer=head.latents, head_weight=head.weight, head_bias=head.bias, weight=weight,
        bias=_bias(written.tensors, head, len(weight)), obstacle=obstacle,
        input_shape=tuple(size if isinstance(size, int) and size > 0 else None
                          for size in next(iter(written.inputs.values()), [])[1:]),
        activation="as the graph says", theory_note="" if _is_linear(written, head.latents) else AFTER_ACTIVATION,
        assumptions=(said,) if len(graphs) > 1 and not doubtful else (), warnings=(said,) if doubtful else (),
        parameters=sum(tensor.numel() for name, tensor in written.tensors.items()
                       if tensor.is_floating_point() and "running_" not in name))


def find_head(written: Written) -> Head | None:
    """The layer whose result the graph gives, softmax and the like left aside; None when it is no such layer."""
    logits, node = written.source(written.output, written.dialect.after_logits)
    inner, bias = written.without_bias(node)
    if inner is None or inner.operation not in written.dialect.linear:
        return None
    head = written.dialect.head(inner, logits, written.tensors)
    if head is not None and bias is not None:
        head = None if head.bias else dataclasses.replace(head, bias=bias)
    if head is None or head.bias is None:
        return head
    classes = written.tensors[head.weight].shape[1 if head.turned else 0]
    return head if written.tensors[head.bias].numel() in (1, classes) else None  # one for each sample is none


def _is_linear(written: Written, value: str) -> bool:
    """Whether ``value`` comes straight from a fully connected layer."""
    _, node = written.source(value, written.dialect.nothing)
    inner, _ = written.without_bias(node)
    return inner is not None and inner.operation in written.dialect.linear


def is_matrix(tensors: Tensors, name: str) -> bool:
    """Whether ``name`` is a weight of a fully connected layer."""
    return name in tensors and tensors[name].ndim == 2 and tensors[name].is_floating_point()


def _bias(tensors: Tensors, head: Head, classes: int) -> np.ndarray:
    if head.bias is None:
        return np.zeros(classes)
    return np.broadcast_to(as_array(tensors[head.bias]).reshape(-1), (classes,)).copy()


class Step(nn.Module):
    """One operation; a module so that its values can be watched through a hook."""

    def __init__(self, node: Node, run: Callable[[Node, Sequence[Any]], Any]) -> None:
        super().__init__()
        self.node, self._run = node, run

    def forward(self, *values: Any) -> Any:
        """The operation's first result."""
        try:
            return self._run(self.node, values)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(f"expected {self.node.operation} with its inputs and attributes, got one on which it "
                             f"fails ({type(error).__name__}: {str(error)[:100]}); {INSTEAD}") from None


class Graph(nn.Module):
    """The operations one after the other: inputs (N, …) → (logits (N, K), latents (N, d)).

    Raises `LayoutError` for an operation that is not known, and for graphs that do not have one input.
    """

    def __init__(self, written: Written, head: Head) -> None:
        super().__init__()
        if len(written.inputs) != 1:
            raise LayoutError(f"expected a graph with one input, got {len(written.inputs)}; {INSTEAD}")
        (self._input, sizes), self._head = next(iter(written.inputs.items())), head
        self._rank = len(sizes)
        batch = sizes[0] if sizes and isinstance(sizes[0], int) else None
        self._steps: list[Step] = []
        for number, node in enumerate(needed(written, head)):
            step = Step(dataclasses.replace(node, attributes={**node.attributes, "batch": batch}), written.dialect.run)
            self.add_module(f"{node.operation.replace('.', '_')}{number}", step)
            self._steps.append(step)
        self._weights = self._kept(written.tensors)
        self._last = {name: number for number, step in enumerate(self._steps) for name in step.node.inputs}

    def _kept(self, tensors: Tensors) -> dict[str, str]:
        """The weights that the operations read, as buffers: {name in the graph: name of the buffer}."""
        read = {name for step in self._steps for name in step.node.inputs}
        names = sorted(read & set(tensors))
        given = {self._input, "", *names, *(name for step in self._steps for name in step.node.outputs)}
        if read - given:
            raise LayoutError(f"expected the value {min(read - given)[:60]!r} to come from an earlier operation, got "
                              f"none, as of a constant beside the weights; {INSTEAD}")
        for number, name in enumerate(names):
            value = tensors[name]
            self.register_buffer(f"tensor{number}", value.float() if value.is_floating_point() else value)
        return {name: f"tensor{number}" for number, name in enumerate(names)}

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        values: dict[str, Any] = {self._input: inputs.flatten(1) if self._rank == 2 else inputs}
        keep = {self._head.latents, self._head.logits}
        for number, step in enumerate(self._steps):
            node = step.node
            result = step(*(self._value(name, values) for name in node.inputs))
            if isinstance(result, Tensor) and result.numel() > MOST_VALUES:
                raise ValueError(f"expected at most {MOST_VALUES:,} values from {node.operation}, got "
                                 f"{result.numel():,}; choose fewer samples at once, or another model")
            values[node.outputs[0]] = result
            for name in set(node.inputs) - keep:
                if self._last[name] == number:
                    values.pop(name, None)  # nobody reads it any more
        if (logits := values[self._head.logits]).ndim != 2:
            kind = ("without the axis of the samples" if logits.ndim < 2 else
                    "as of a network that judges every position of a sample")
            raise ValueError(f"expected logits (n, K), got {tuple(logits.shape)}, {kind}; {INSTEAD}")
        return logits, values[self._head.latents].flatten(1)

    def _value(self, name: str, values: dict[str, Any]) -> Any:
        if name == "":
            return None
        if name in values:
            return values[name]
        if name not in self._weights:
            raise ValueError(f"expected the value {name[:60]!r} to come from an earlier operation, got none; {INSTEAD}")
        return getattr(self, self._weights[name])


def upstream(written: Written, value: str) -> set[str]:
    """``value`` and all that it is computed from."""
    producers, wanted, open_ = written.producers, set(), [value]
    while open_:
        value = open_.pop()
        if value in producers and value not in wanted:
            open_ += producers[value].inputs
        wanted.add(value)
    return wanted


def needed(written: Written, head: Head) -> list[Node]:
    """The operations that the logits need, in the graph's order; `LayoutError` for one that is not known."""
    wanted = upstream(written, head.logits)
    chosen = [node for node in written.nodes if wanted & set(node.outputs)]
    known = {*written.dialect.operations, *written.dialect.constants}
    unknown = sorted({node.operation for node in chosen} - known)
    if unknown:
        raise LayoutError(f"expected operations among {', '.join(sorted(written.dialect.operations))}, got "
                          f"{', '.join(unknown)[:200]}; {INSTEAD}")
    return [node for node in chosen if node.operation not in written.dialect.constants]


def _written(dialect: Dialect, checkpoint: Checkpoint) -> list[Written]:
    """The checkpoint's graph, for each of its outputs (of the first `MOST_OUTPUTS`)."""
    nodes, outputs = dialect.read(checkpoint.metadata), checkpoint.metadata.get("outputs")
    if not nodes or not outputs:
        return []
    inputs = {str(name): list(sizes) for name, sizes in dict(checkpoint.metadata.get("inputs", {})).items()}
    return [Written(dialect, tuple(nodes), inputs, str(output), checkpoint.tensors)
            for output in outputs[:MOST_OUTPUTS]]
