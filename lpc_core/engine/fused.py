"""Fused engine for MLPs: the same step as autograd's, written out on flat buffers, for R replicas at once.

A step is a fixed list of tensor calls with ``out=``: no graph is built, next to nothing is allocated, and the host
never waits for the device. γ and the learning rate are device tensors that are written before a step, so a captured
`take` follows them. Left out: convnets, and whatever branches on a value, such as clipping; autograd does those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from lpc_core.config import RunConfig
from lpc_core.engine._fused_flat import Update, adopt, layout_of
from lpc_core.engine._fused_look import Forward
from lpc_core.engine._fused_tape import Apart, Linear, Node, Tape
from lpc_core.models import Classifier, resolve
from lpc_core.optimizers import Block, optimizer


def supports(config: RunConfig, input_shape: tuple[int, ...]) -> str:
    """Why the fused engine cannot run ``config`` on inputs of ``input_shape`` (without the batch); "" if it can."""
    if config.loss.loss != "cross-entropy":
        return f"the fused engine knows cross-entropy only, and this run's loss is {config.loss.loss}"
    if optimizer(config.optim).kernel is None:
        return f"the fused engine has no step of its own for {config.optim.optimizer}"
    backbone = resolve(config.model, input_shape)
    return "" if backbone == "mlp" else f"the fused engine trains MLPs only, and this model is a {backbone}"


class StreamAside:
    """Runs calls on a second CUDA stream, beside what follows them on the present one, until `join`."""

    def __init__(self, stream: torch.cuda.Stream) -> None:
        self._stream = stream

    def do(self, call: Callable[[], object]) -> None:
        """Run ``call`` after all that came before it."""
        self._stream.wait_stream(torch.cuda.current_stream(self._stream.device))
        with torch.cuda.stream(self._stream):
            call()

    def join(self) -> None:
        """Let what follows wait for the calls."""
        torch.cuda.current_stream(self._stream.device).wait_stream(self._stream)


class FusedEngine:
    """Trains R models of one configuration in place: their parameters become views into one flat buffer.

    ``models`` may differ in their weights, and `step` takes one γ for each; all see the same batch and the first one's
    dropout (runs with one seed and several γ). Precision and device are those of the models: copy into the parameters,
    but don't replace them.
    """

    def __init__(self, config: RunConfig, models: Classifier | Sequence[Classifier], batch: int) -> None:
        self.config, self.batch = config, batch
        self.models = [models] if isinstance(models, Classifier) else list(models)
        self.layout = layout_of(self.models[0], len(self.models))
        self.values = adopt(self.models, self.layout)
        self.gradients = torch.zeros_like(self.values)
        self._lead = (len(self.models),) if len(self.models) > 1 else ()
        self._layers = [(self.layout[f"{name}.weight"], self.layout[f"{name}.bias"])  # in the order they are applied
                        for name, module in self.models[0].named_modules() if isinstance(module, nn.Linear)]
        self.inputs = self.values.new_zeros((batch, self._layers[0][0].shape[1]))
        self.labels = torch.zeros((*self._lead, batch), dtype=torch.int64, device=self.values.device)
        self.pull = self.values.new_zeros((*self._lead, 1, 1))  # what the penalty adds to ∂loss/∂z is pull · z
        self.update = Update(config.optim, self.values, self.gradients, self.layout)
        self.lr = self.update.lr  # the backbone's, on the device
        self.aside: StreamAside | None = None  # where `take` makes the calls that are apart
        self._record()
        self._weights = [(weight.of(self.values), bias.of(self.values)) for weight, bias in self._layers]
        self._forward = Forward(config.model, self._weights)

    # ---- one step ------------------------------------------------------------------------------------------------

    def step(self, inputs: Tensor, labels: Tensor, gamma: float | Tensor, lr: float) -> None:
        """One step on ``inputs`` (B, …) and ``labels`` (B,); ``gamma`` is a number or (R,), in the run's convention."""
        self.inputs.copy_(inputs.reshape(self.inputs.shape))
        self.labels.copy_(labels)
        if isinstance(gamma, Tensor):
            torch.mul(gamma.to(self.pull).view(-1, 1, 1).view_as(self.pull), self.pull_per_gamma, out=self.pull)
        else:
            self.pull.fill_(gamma * self.pull_per_gamma)
        self.lr.fill_(lr)
        for call in self._calls:
            call()

    def take(self, inputs: Tensor, labels: Tensor, pull: Tensor, lr: Tensor) -> None:
        """`step` with everything on the device; ``pull`` is γ times `pull_per_gamma`, shaped like ``self.pull``.

        With `aside` the calls that are apart are made there, and joined where a part of the step ends.
        """
        self._make(Apart(partial(self.labels.copy_, labels)))
        torch._foreach_copy_([self.inputs, self.pull, self.lr], [inputs.reshape(self.inputs.shape), pull, lr])
        for part in self._parts:
            for call in part:
                self._make(call)
            if self.aside is not None:
                self.aside.join()

    def _make(self, call: Callable[[], object]) -> None:
        """Make a call of a step, in its place or aside."""
        if self.aside is not None and isinstance(call, Apart):
            self.aside.do(call)
        else:
            call()

    def loss(self) -> Tensor:
        """The last step's loss before its update: (R,), or a scalar for one model."""
        entropy = (self._targets * self._logs).sum((-2, -1))
        return entropy + (self.pull / 2 * self._latents.square()).sum((-2, -1))

    @torch.no_grad()
    def look(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (R, K, N) and latents (R, d, N) for ``inputs`` (N, …), without dropout."""
        for model in self.models:
            if model.training:
                model.eval()
        return self._forward(inputs)

    def heads(self) -> tuple[Tensor, Tensor]:
        """Weights (R, K, d) and biases (R, K) of the heads, where they are trained."""
        return self._weights[-1]

    def finite(self) -> Tensor:
        """Which replicas have only finite parameters: (R,) bool."""
        parts = [block.of(self.values).flatten(1).isfinite().all(dim=1) for block in self.layout.values()]
        return torch.stack(parts).all(dim=0)

    # ---- saving --------------------------------------------------------------------------------------------------

    def optimizer_tensors(self, replica: int = 0) -> dict[str, Tensor]:
        """One replica's optimiser state, under the names that `AutogradEngine` uses."""
        tensors: dict[str, Tensor] = {}
        for i, block in enumerate(self.layout.values()):
            tensors |= {f"optim.{i}.{slot}": block.of(flat)[replica] for slot, flat in self.update.slots.items()
                        if slot in self.update.kept[i]}
            if "step" in self.update.kept[i]:
                tensors[f"optim.{i}.step"] = self.update.count.clone()
        return tensors

    def restore_optimizer(self, tensors: dict[str, Tensor], replica: int = 0) -> None:
        """The inverse of `optimizer_tensors`; what is missing (a state saved before its first step) becomes 0.

        All replicas share one count of steps.
        """
        counts = [tensor for name, tensor in tensors.items() if name.startswith("optim.") and name.endswith(".step")]
        self.update.count.copy_(counts[0] if counts else torch.zeros(()))
        for i, block in enumerate(self.layout.values()):
            for slot, flat in self.update.slots.items():
                block.of(flat)[replica] = tensors.get(f"optim.{i}.{slot}", torch.zeros(()))

    # ---- recording -----------------------------------------------------------------------------------------------

    def _record(self) -> None:
        """Write down the forward pass, the backward pass and the update as lists of calls."""
        tape, model = Tape(self._lead, self.batch, self.values), self.config.model
        *hidden, head = map(self._linear, self._layers)
        penultimate = [] if model.penultimate == "none" else [hidden.pop()]
        node = Node(self.inputs.expand(*self._lead, *self.inputs.shape), None)
        for layer in hidden:
            node = tape.activation(tape.linear(node, layer), model.activation)
        if model.dropout > 0:
            node = self._dropout(tape, node)
        for layer in penultimate:
            node = tape.linear(node, layer)
        if model.penultimate == "nonlinear":
            node = tape.activation(node, model.activation)
        tape.penalty(node, self.pull)
        self._latents = node.value  # (…, B, d)
        nodes = node.value.shape[-1] if self.config.loss.convention == "mean" else 1
        self.pull_per_gamma = 2 / (self.batch * nodes)
        self._targets, self._logs = tape.cross_entropy(node, head, self.labels, self._table(head.bias.shape[-1]))
        self._parts = ([*self.update.before, *tape.forward], tape.top, tape.backward, self.update.calls)
        self._calls = [call.call if isinstance(call, Apart) else call for part in self._parts for call in part]

    def _linear(self, blocks: tuple[Block, Block]) -> Linear:
        """The views of one layer; a single model has no leading dimension."""
        views = [block.of(flat) for flat in (self.values, self.gradients) for block in blocks]
        return Linear(*(view if self._lead else view[0] for view in views))

    def _table(self, classes: int) -> Tensor:
        """(K, K): column y is −1/B of the smoothed target for label y."""
        smoothing = self.config.loss.label_smoothing
        targets = torch.eye(classes, dtype=self.values.dtype, device=self.values.device) * (1 - smoothing)
        return -(targets + smoothing / classes) / self.batch

    def _dropout(self, tape: Tape, node: Node) -> Node:
        """Factors (B, n) from the first model's own random stream, which all replicas share."""
        source = self.models[0].dropout
        noise = torch.zeros(node.value.shape[-2:], device=self.values.device)
        factors = torch.zeros_like(noise, dtype=self.values.dtype)

        def draw() -> None:
            """0 for a share of the features and 1/(1 − share) for the others, as `SeededDropout` draws them."""
            noise.uniform_(generator=source.stream or source.open_stream(noise.device))
            torch.ge(noise, source.share, out=factors)
            factors.div_(1 - source.share)

        return tape.dropout(node, factors, draw)
