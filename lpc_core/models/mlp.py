"""A multi-layer perceptron on flattened inputs."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import nn

from lpc_core.config import ModelConfig
from lpc_core.models._base import Backbone
from lpc_core.models._classifier import ACTIVATIONS


def backbone(config: ModelConfig, shape: tuple[int, ...]) -> tuple[nn.Module, int]:
    """Hidden layers of ``config.hidden`` for inputs of ``shape`` (without the batch), and their number of features."""
    widths = (math.prod(shape), *config.hidden)
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), ACTIVATIONS[config.activation]())]
    return nn.Sequential(nn.Flatten(), *layers), widths[-1]


BACKBONE = Backbone(backbone, ("hidden",))
