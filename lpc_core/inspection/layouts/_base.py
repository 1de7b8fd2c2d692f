"""What a recognised network is, what the user may choose about it, and how a layout says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from lpc_core.checkpoint import Checkpoint

Tensors = Mapping[str, Tensor]

INSTEAD = "save embeddings of it, or choose its head alone"  # what to do with a network that cannot be run here


class LayoutError(ValueError):
    """A network that looks like a layout and is built in another way; the message becomes its obstacle."""


@dataclass(frozen=True)
class Choices:
    """What a state dict does not say and the user may. None leaves it to the layout, which states what it assumes."""

    activation: str | None = None  # a name of `ACTIVATIONS`
    penultimate: str | None = None  # "linear" | "nonlinear": whether an activation follows the watched layer
    order: tuple[str, ...] | None = None  # names of the layers, where names and shapes leave their order open

    def agree(self, **known: str) -> None:
        """`ValueError` when the user chose otherwise than what the file itself says."""
        for name, value in known.items():
            chosen = getattr(self, name)
            if chosen is not None and chosen != value:
                raise ValueError(f"{name}: expected {value}, which the file itself says, got {chosen}; leave it out")


@dataclass(frozen=True, eq=False)
class Recognised:
    """A checkpoint whose network is known: how to build it, which layer is watched, what had to be assumed."""

    name: str  # "ResNet-18 (torchvision's names)", …
    build: Callable[[], nn.Module]  # an evaluating module on the CPU: inputs (N, …) → (logits (N, K), latents (N, d))
    layer: str  # the watched module's name, whose output are the latents
    head_weight: str  # tensor names in the checkpoint
    head_bias: str | None
    weight: np.ndarray  # (K, d) the head, in the file's own format
    bias: np.ndarray  # (K,); zeros where the head has none
    input_shape: tuple[int | None, ...]  # of one sample; None where the checkpoint does not say
    activation: str  # assumed or known, see `assumptions`
    parameters: int  # numbers in the network, buffers excluded
    theory_note: str = ""  # why predicted collapse points do not apply; "" where they do
    missing: tuple[str, ...] = ()  # tensors the network needs and the checkpoint lacks
    unexpected: tuple[str, ...] = ()  # tensors of the checkpoint the network has no place for
    assumptions: tuple[str, ...] = ()  # what a state dict does not say, and what was taken instead
    obstacle: str = ""  # why it cannot be run; "" when it can
    orders: tuple[tuple[str, ...], ...] = ()  # of layers, every order that fits, where the user has to choose one
    warnings: tuple[str, ...] = ()  # what makes its numbers doubtful: to be said beside every result
    config: dict[str, Any] | None = None  # the flat settings of a run of this lab
    gamma: float | None = None  # γ at the end of training if the file says so, in the paper's convention (sum)

    @property
    def classes(self) -> int:
        """The number of classes K."""
        return len(self.weight)

    @property
    def latent_dim(self) -> int:
        """The number of latent nodes d."""
        return int(self.weight.shape[1])


@dataclass(frozen=True)
class Layout:
    """One family of networks; every module of this package that defines ``LAYOUT`` is one."""

    order: int  # layouts are tried from the lowest: the more particular ones first
    recognise: Callable[[Checkpoint, Choices], Recognised | None]
    graphs: bool = False  # whether it follows the graph in the file; others go by names and shapes alone
