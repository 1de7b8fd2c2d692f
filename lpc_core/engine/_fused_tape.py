"""Forward and backward of an MLP as a list of calls on fixed buffers: recorded once, run every step.

Each method of `Tape` records one operation and how to undo it. R replicas are one more leading dimension of
every buffer, (R, B, n); a single model does without it, (B, n), because mm is faster than bmm.

On a GPU a network this small costs what its longest chain of calls costs, each some µs, whatever they compute. So
what the next call does not wait for is marked as `Apart`, and comes as early as it can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from lpc_core.optimizers import Call

aten = torch.ops.aten


@dataclass(frozen=True)
class Apart:
    """A call that may be made beside those that follow it in its list, but not after the list's end."""

    call: Call

    def __call__(self) -> object:
        return self.call()


@dataclass(frozen=True)
class Node:
    """A value and the buffer of the loss's gradient with respect to it (None where nobody needs it)."""

    value: Tensor
    gradient: Tensor | None


@dataclass(frozen=True)
class Linear:
    """Weights (…, n, m) and biases (…, n) of one layer of all replicas, and where their gradients go."""

    weight: Tensor
    bias: Tensor
    weight_gradient: Tensor
    bias_gradient: Tensor


# name → the function, what turns the gradient of its value into that of its argument, and which of these that reads
ACTIVATIONS: dict[str, tuple[Callable[..., object], Callable[..., object], str]] = {
    "silu": (torch._C._nn.silu, aten.silu_backward.grad_input, "argument"),
    "gelu": (torch._C._nn.gelu, aten.gelu_backward.grad_input, "argument"),
    "relu": (partial(torch.clamp_min, min=0), partial(aten.threshold_backward.grad_input, threshold=0), "value"),
    "tanh": (torch.tanh, aten.tanh_backward.grad_input, "value"),
}

ADDS_AT_ONCE = {"cuda"}  # one call less to wait for; a CPU with many replicas is faster at a product and a sum after


class Tape:
    """Records operations on buffers of ``lead`` () or (R,) replicas and ``batch`` samples, like the tensor ``like``."""

    def __init__(self, lead: tuple[int, ...], batch: int, like: Tensor) -> None:
        self.lead, self.batch = lead, batch
        self.empty = partial(torch.empty, dtype=like.dtype, device=like.device)
        self.ones = torch.ones(1, batch, dtype=like.dtype, device=like.device).expand(*lead, 1, batch)
        self.multiply = torch.bmm if lead else torch.mm
        self.multiply_add = torch.baddbmm if lead else torch.addmm
        self.adds_at_once = like.device.type in ADDS_AT_ONCE
        self.forward: list[Call] = []  # from the inputs to the latents
        self.top: list[Call] = []  # from the latents to the loss
        self._undo: list[list[Call]] = []

    @property
    def backward(self) -> list[Call]:
        """The calls that undo what was recorded, last first."""
        return [call for calls in reversed(self._undo) for call in calls]

    def linear(self, below: Node, layer: Linear) -> Node:
        """``below`` Wᵀ + b, (…, B, n)."""
        shape = (*self.lead, self.batch, layer.weight.shape[-2])
        value, gradient = self.empty(shape), self.empty(shape)
        bias = layer.bias.unsqueeze(-2) if self.lead else layer.bias  # of one dimension cuBLAS adds it by itself
        self.forward.append(partial(self.multiply_add, bias, below.value, layer.weight.mT, out=value))
        weights, biases = self._parameters(gradient, below.value, layer)
        if below.gradient is None:  # and nothing follows
            self._undo.append([weights, biases.call])
        else:
            self._undo.append([weights, biases, partial(self.multiply, gradient, layer.weight, out=below.gradient)])
        return Node(value, gradient)

    def _parameters(self, gradient: Tensor, below: Tensor, layer: Linear) -> tuple[Apart, Apart]:
        """∂W = ``gradient``ᵀ × ``below``, (…, n, B) × (…, B, m), and ∂b = 1 × ``gradient``, (…, 1, B) × (…, B, n)."""
        return (Apart(partial(self.multiply, gradient.mT, below, out=layer.weight_gradient)),
                Apart(partial(self.multiply, self.ones, gradient, out=layer.bias_gradient.unsqueeze(-2))))

    def activation(self, below: Node, name: str) -> Node:
        """An element-wise function; the gradient is changed in place."""
        function, backward, reads = ACTIVATIONS[name]
        above = Node(torch.empty_like(below.value), below.gradient)
        self.forward.append(partial(function, below.value, out=above.value))
        if below.gradient is not None:
            seen = above.value if reads == "value" else below.value
            self._undo.append([partial(backward, below.gradient, seen, grad_input=below.gradient)])
        return above

    def dropout(self, below: Node, factors: Tensor, draw: Call) -> Node:
        """``below`` times ``factors`` (broadcast), which ``draw`` renews at every step."""
        above = Node(self.empty((*self.lead, *below.value.shape[-2:])), below.gradient)
        self.forward += [draw, partial(torch.mul, below.value, factors, out=above.value)]
        if below.gradient is not None:
            self._undo.append([partial(below.gradient.mul_, factors)])
        return above

    def penalty(self, latents: Node, pull: Tensor) -> None:
        """½ ``pull`` ‖z‖² over the batch, before `cross_entropy`: adds ``pull`` z, or begins the gradient with it."""
        if latents.gradient is not None and self.adds_at_once:
            self.top.append(Apart(partial(torch.mul, latents.value, pull, out=latents.gradient)))
        elif latents.gradient is not None:
            self._undo.append([partial(latents.gradient.addcmul_, latents.value, pull)])

    def cross_entropy(self, latents: Node, head: Linear, labels: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
        """The head, log-softmax, and the gradient of −Σ target · log p / B; column y of ``table`` (K, K) is −target/B.

        Returns the buffers of −target/B and log p, both (…, K, B). Classes come before samples here, because a softmax
        over a few classes is up to twenty times faster when the samples are the contiguous dimension.
        """
        classes = table.shape[0]
        shape = (*self.lead, classes, self.batch)
        logits, logs, targets = self.empty(shape), self.empty(shape), self.empty(shape)
        columns, index = table.expand(*self.lead, classes, classes), labels.unsqueeze(-2).expand(shape)
        self.forward[:0] = [Apart(partial(torch.gather, columns, -1, index, out=targets)),
                            Apart(partial(logits.copy_, head.bias.unsqueeze(-1)))]  # (…, K, 1)
        self.top += [partial(self.multiply_add, logits, head.weight, latents.value.mT, out=logits),
                     partial(torch.log_softmax, logits, -2, out=logs)]
        gradient = logits  # not needed any more by then
        undo: list[Call] = [
            partial(aten._log_softmax_backward_data.out, targets, logs, -2, logs.dtype, out=gradient),
            *self._parameters(gradient.mT, latents.value, head)]
        if latents.gradient is not None and self.adds_at_once:
            undo.append(partial(self.multiply_add, latents.gradient, gradient.mT, head.weight, out=latents.gradient))
        elif latents.gradient is not None:
            undo.append(partial(self.multiply, gradient.mT, head.weight, out=latents.gradient))
        self._undo.append(undo)
        return targets, logs
