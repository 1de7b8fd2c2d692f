"""What the method authors put on every backbone: optional head layers, penultimate_layer, output_layer.

``penultimate_layer.weight`` is linear (their lin_pen and LPC networks), ``penultimate_layer.0.weight`` is followed by
the activation (nonlin_pen), none of the two is no_pen. ``output_layer`` may be numbered where dropout stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection.layouts._base import Choices, Tensors
from lpc_core.inspection.layouts.modules import above_0, activation, need

DEFAULT = "silu"  # what their configurations use
PENULTIMATES = ("penultimate_layer", "penultimate_layer.0")
OUTPUTS = ("output_layer", "output_layer.0", "output_layer.1")
NONLINEAR = "No predicted points: after a non-linear penultimate layer not every latent can be reached."
NO_LAYER = "No predicted points: without a penultimate layer the latents are the backbone's activations."


@dataclass(frozen=True)
class Top:
    """The layers after the backbone."""

    tensors: Tensors
    activation: str
    chosen: bool  # whether the user chose the activation
    hidden: tuple[str, ...]  # dense layers and norms of ``head.``, in order
    penultimate: str | None  # "penultimate_layer", "penultimate_layer.0" (non-linear) or None
    output: str

    @property
    def features(self) -> int:
        """How many features the first of these layers reads."""
        dense = [name for name in self.hidden if self.tensors[f"{name}.weight"].ndim == 2]
        first = dense[0] if dense else (self.penultimate or self.output)
        return int(need(self.tensors, f"{first}.weight", 2).shape[1])

    @property
    def layer(self) -> str:
        """The module whose output are the latents; "" when it is the backbone's last one."""
        if self.penultimate:
            return "penultimate_layer" if self.penultimate == "penultimate_layer" else "penultimate_layer.1"
        if not self.hidden:
            return ""
        return list(self._hidden())[-1][0]

    def body(self) -> Iterator[tuple[str, nn.Module]]:
        """The layers up to the latents."""
        yield from self._hidden()
        if self.penultimate:
            yield self.penultimate, self._linear(self.penultimate)
        if self.penultimate == "penultimate_layer.0":
            yield "penultimate_layer.1", activation(self.activation)

    def head(self) -> tuple[str, nn.Module]:
        """The layer that reads the latents."""
        return self.output, self._linear(self.output)

    def known(self, checkpoint: Checkpoint, prefix: str, assumptions: tuple[str, ...]) -> dict[str, Any]:
        """What `finish` wants to know about these layers."""
        bias = f"{prefix}{self.output}.bias"
        theory = {"penultimate_layer": "", "penultimate_layer.0": NONLINEAR, None: NO_LAYER}[self.penultimate]
        source = "chosen" if self.chosen else "assumed: their configurations use it, tensors do not say it"
        gamma = above_0(checkpoint.metadata.get("gamma"))  # averaged over the d nodes; over d it is the paper's
        nodes = int(need(self.tensors, f"{self.output}.weight", 2).shape[1])
        return {"head_weight": f"{prefix}{self.output}.weight",
                "head_bias": bias if bias in checkpoint.tensors else None, "activation": self.activation,
                "theory_note": theory, "gamma": None if gamma is None else gamma / nodes,
                "assumptions": (f"activation {self.activation} ({source})", *assumptions)}

    def _hidden(self) -> Iterator[tuple[str, nn.Module]]:
        """Dense layers, each followed by the activation, then its norm if it has one."""
        for name in self.hidden:
            if self.tensors[f"{name}.weight"].ndim == 2:
                yield name, self._linear(name)
                number = int(name.rpartition(".")[2])
                yield f"head.{number + 1}", activation(self.activation)
            else:
                yield name, nn.BatchNorm1d(len(need(self.tensors, f"{name}.weight", 1)))

    def _linear(self, name: str) -> nn.Linear:
        outside, inside = need(self.tensors, f"{name}.weight", 2).shape
        return nn.Linear(inside, outside, bias=f"{name}.bias" in self.tensors)


def read_top(tensors: Tensors, choices: Choices) -> Top | None:
    """The top that ``tensors`` (prefix taken off) have, or None without an output_layer."""
    output = next((name for name in OUTPUTS if f"{name}.weight" in tensors), None)
    if output is None:
        return None
    penultimate = next((name for name in PENULTIMATES if f"{name}.weight" in tensors), None)
    choices.agree(penultimate="linear" if penultimate == "penultimate_layer" else "nonlinear")
    numbers = sorted(int(found[1]) for name in tensors if (found := re.fullmatch(r"head\.(\d+)\.weight", name)))
    return Top(tensors, choices.activation or DEFAULT, choices.activation is not None,
               tuple(f"head.{number}" for number in numbers), penultimate, output)
