"""Plain multi-layer perceptrons: any chain of fully connected layers under any names, norms between them allowed."""

from __future__ import annotations

from torch import nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts._base import Choices, Layout, Recognised
from lpc_core.inspection.layouts._dense import read_stack
from lpc_core.inspection.layouts.modules import finish

FLATTEN = "flatten"
AFTER_ACTIVATION = ("No predicted points: the latents come after an activation, so not every point of the space can be "
                    "reached.")
INPUT_ITSELF = "No predicted points: the latents are the inputs themselves, which no training moves."


def _recognise(checkpoint: Checkpoint, choices: Choices) -> Recognised | None:
    stack = read_stack(checkpoint.tensors, choices, "relu")
    if stack is None:
        return None
    widths = "-".join(str(checkpoint.tensors[f"{name}.weight"].shape[0]) for name, _ in stack.body
                      if getattr(checkpoint.tensors.get(f"{name}.weight"), "ndim", 0) == 2)
    shape = f"{stack.first.inside}-{widths + '-' if widths else ''}{stack.head.outside}"
    head = stack.head.name
    return finish(
        lambda: stack.network((FLATTEN, nn.Flatten())), checkpoint.tensors, "", inside=("",),
        only="fully connected layers and norms alone", obstacle=stack.obstacle, name=f"MLP {shape}",
        layer=stack.layer or FLATTEN, head_weight=f"{head}.weight",
        head_bias=f"{head}.bias" if stack.head.bias else None,
        input_shape=(stack.first.inside,), activation=choices.activation or "relu",
        theory_note="" if stack.linear else AFTER_ACTIVATION if stack.body else INPUT_ITSELF,
        assumptions=stack.assumptions, orders=stack.orders, warnings=stack.warnings)


LAYOUT = Layout(90, _recognise)
