"""Models whose nearest boundary is known, and two small trained networks: an ordinary and a collapsed one."""

import pytest
import torch
from torch import nn

from lpc_core.data.inputs import Normaliser
from lpc_core.engine.trainer import Trainer
from lpc_core.parsing import parse_run


class Sphere(nn.Module):
    """Class 1 inside the sphere of radius 2 around the origin, class 0 outside: the boundary is | ‖x‖ − 2 | away."""

    def forward(self, x):
        inside = 4 - x.flatten(1).square().sum(1)
        return torch.stack([torch.zeros_like(inside), inside], dim=1)


@pytest.fixture
def sphere():
    return Sphere()


@pytest.fixture
def linear():
    """A linear classifier of 5 classes on 12 numbers."""
    torch.manual_seed(3)
    return nn.Linear(12, 5)


@pytest.fixture
def inputs():
    return torch.randn(40, 12, generator=torch.Generator().manual_seed(0))


class Trained:
    """A network on the digits, and 120 test pictures as it takes them."""

    def __init__(self, **settings):
        run = Trainer(parse_run({"preset": "fast-digits", "steps": "700", **settings}), "cpu", every=700)
        run.advance(700)
        self.model, data = run.model.eval(), run.dataset
        normalise = Normaliser(data, run.device)
        self.inputs, self.labels = normalise(torch.from_numpy(data.test_inputs[:120])), data.test_labels[:120]
        self.bounds = tuple((end - normalise.mean) / normalise.std for end in (0, 1))

    def logits(self, x):
        """The logits alone."""
        return self.model(x)[0]


@pytest.fixture(scope="session")
def ordinary():
    return Trained(gamma_schedule="constant", gamma_start="0", gamma_end="0")


@pytest.fixture(scope="session")
def collapsed():
    return Trained(gamma_start="1", gamma_end="1")
