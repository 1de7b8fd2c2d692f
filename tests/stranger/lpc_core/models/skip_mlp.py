"""An MLP whose one hidden layer is added to its input."""

from __future__ import annotations

import math

from torch import Tensor, nn

from lpc_core.config import ModelConfig
from lpc_core.models._base import Backbone


class Skip(nn.Module):
    """x + W₂ tanh(W₁ x)."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(inside, width), nn.Linear(width, inside)

    def forward(self, inputs: Tensor) -> Tensor:
        """See the class."""
        flat = inputs.flatten(1)
        return flat + self.down(self.up(flat).tanh())


def backbone(config: ModelConfig, shape: tuple[int, ...]) -> tuple[nn.Module, int]:
    """The layer for inputs of ``shape``, and their number of features."""
    inside = math.prod(shape)
    return Skip(inside, config.width), inside


BACKBONE = Backbone(backbone, ("width",))
