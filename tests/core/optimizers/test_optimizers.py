"""Every optimiser keeps what it declares, and its step on flat buffers is torch's."""

import pytest
import torch

from lpc_core.config import ModelConfig, OptimConfig
from lpc_core.engine._fused_flat import Update, layout_of
from lpc_core.engine.autograd import make_optimizer, parameters
from lpc_core.models import build
from lpc_core.optimizers import optimizers


def small():
    return build(ModelConfig(hidden=(4,), latent_dim=4), (4,), 3, 0)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("name", optimizers())
def test_it_keeps_what_it_declares(name, momentum):
    config, model = OptimConfig(optimizer=name, momentum=momentum), small()
    optimizer = make_optimizer(model, config)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    for place, parameter in parameters(model).items():
        kept = {key: value for key, value in optimizer.state[parameter].items() if isinstance(value, torch.Tensor)}
        assert set(kept) == set(optimizers()[name].keeps(config, place, parameter.shape))
        assert all(value.shape == (() if key == "step" else parameter.shape) for key, value in kept.items())


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("name", [name for name, kind in optimizers().items() if kind.kernel])
def test_its_kernel_takes_the_same_steps(name, momentum):
    config, model = OptimConfig(optimizer=name, momentum=momentum, weight_decay=0.1), small()
    optimizer, weights = make_optimizer(model, config), list(parameters(model).values())
    values = torch.cat([parameter.detach().flatten() for parameter in weights])
    gradients = torch.zeros_like(values)
    update = Update(config, values, gradients, layout_of(model, 1))
    for seed in range(3):
        gradients.copy_(torch.randn(values.shape, generator=torch.Generator().manual_seed(seed)))
        for parameter, part in zip(weights, gradients.split([p.numel() for p in weights]), strict=True):
            parameter.grad = part.view_as(parameter).clone()
        optimizer.step()
        for call in (*update.before, *update.calls):
            call()
    torch.testing.assert_close(values, torch.cat([parameter.detach().flatten() for parameter in weights]))


@pytest.mark.parametrize("name", optimizers())
def test_it_uses_what_it_says(name):
    """A setting makes a difference to two steps exactly if it is declared."""
    for setting, value in (("momentum", 0.3), ("beta2", 0.5), ("weight_decay", 0.5), ("muon_lr", 0.3),
                           ("muon_momentum", 0.3), ("muon_steps", 2)):
        moved = []
        for config in (OptimConfig(optimizer=name), OptimConfig(optimizer=name, **{setting: value})):
            model = small()
            optimizer = make_optimizer(model, config)
            for factor in (1.0, 3.0):
                for parameter in model.parameters():
                    numbers = torch.arange(parameter.numel(), dtype=torch.float32).view_as(parameter)
                    parameter.grad = 1 + torch.sin(factor * numbers)
                optimizer.step()
            moved.append(torch.cat([parameter.detach().flatten() for parameter in model.parameters()]))
        assert (setting in optimizers()[name].uses) == (not torch.equal(*moved))
