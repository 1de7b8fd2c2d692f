"""A network of one's own: ``encoder`` and ``readout``, two fully connected layers."""

from __future__ import annotations

from torch import nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts._base import Choices, Layout, Recognised
from lpc_core.inspection.layouts.modules import Network, finish


def _recognise(checkpoint: Checkpoint, choices: Choices) -> Recognised | None:
    tensors = checkpoint.tensors
    if "encoder.weight" not in tensors or "readout.weight" not in tensors:
        return None
    (d, inputs), classes = tensors["encoder.weight"].shape, len(tensors["readout.weight"])
    return finish(lambda: Network([("encoder", nn.Linear(inputs, d))], ("readout", nn.Linear(d, classes))), tensors,
                  "", inside=("",), name="Stranger's network", layer="encoder", head_weight="readout.weight",
                  head_bias="readout.bias", input_shape=(inputs,), activation="relu")


LAYOUT = Layout(5, _recognise)
