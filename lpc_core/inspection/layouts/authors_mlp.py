"""MLPs under the method authors' names: head.0, head.2, …, penultimate_layer, output_layer."""

from __future__ import annotations

from torch import nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts._authors import OUTPUTS, Top, read_top
from lpc_core.inspection.layouts._base import Choices, Layout, Recognised
from lpc_core.inspection.layouts.modules import Network, finish, scopes, within
from lpc_core.inspection.layouts.plain_mlp import FLATTEN


def _recognise(checkpoint: Checkpoint, choices: Choices) -> Recognised | None:
    found = [prefix for output in OUTPUTS for prefix in scopes(checkpoint.tensors, f"{output}.weight")]
    if not found:
        return None
    prefix = found[0]
    tensors = within(checkpoint.tensors, prefix)
    top = read_top(tensors, choices)
    if top is None or not (top.hidden or top.penultimate) or any(tensor.ndim > 2 for tensor in tensors.values()):
        return None
    return finish(lambda: Network([(FLATTEN, nn.Flatten()), *top.body()], top.head()), checkpoint.tensors, prefix,
                  inside=("head.", "penultimate_layer", "output_layer"), name=_name(top), layer=top.layer,
                  input_shape=(top.features,), **top.known(checkpoint, prefix, ()))


def _name(top: Top) -> str:
    layers = [*top.hidden, *([top.penultimate] if top.penultimate else []), top.output]
    weights = [top.tensors[f"{name}.weight"] for name in layers]  # norms among them
    widths = [str(weight.shape[0]) for weight in weights if weight.ndim == 2]
    return f"MLP {top.features}-{'-'.join(widths)} (method authors' names)"


LAYOUT = Layout(40, _recognise)
