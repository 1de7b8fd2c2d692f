"""Muon against a slow float64 reference in NumPy, and what it refuses."""

import numpy as np
import pytest
import torch

from lpc_core.config import ConfigError, unflatten
from lpc_core.engine.autograd import AutogradEngine, make_optimizer, parameters
from lpc_core.engine.fused import FusedEngine
from lpc_core.engine.trainer import Trainer
from lpc_core.models import build
from lpc_core.optimizers.muon import is_matrix, orthogonalised
from tests.core._going_on import check_goes_on

SETTINGS = {"optimizer": "muon", "muon_lr": 0.1, "muon_momentum": 0.6, "muon_steps": 3, "lr": 4e-3, "head_lr": 1e-2,
            "weight_decay": 0.05, "momentum": 0.8, "beta2": 0.98}


def newton_schulz(matrix, steps):
    """Jordan's quintic iteration on one matrix, term by term."""
    flipped = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if flipped else matrix) / (np.sqrt((matrix**2).sum()) + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x - 4.7750 * gram @ x + 2.0315 * gram @ gram @ x
    return x.T if flipped else x


class Reference:
    """One step after the other, one parameter after the other."""

    def __init__(self, named, config):
        self.values = {name: p.detach().double().numpy().copy() for name, p in named.items()}
        self.config, self.step, self.kept = config, 0, {}

    def take(self, gradients, lr):
        self.step += 1
        for name, gradient in gradients.items():
            if name.startswith("backbone.") and gradient.ndim > 1:
                self.muon(name, gradient, self.config.muon_lr * lr / self.config.lr)
            else:
                self.adamw(name, gradient, self.config.head_lr if name.startswith("head.") else lr)

    def muon(self, name, gradient, lr):
        c, value = self.config, self.values[name]
        momentum = self.kept[name] = c.muon_momentum * self.kept.get(name, 0.0) + gradient
        push = (gradient + c.muon_momentum * momentum).reshape(len(gradient), -1)
        if value.ndim > 2:
            value *= np.sqrt(len(value)) / np.linalg.norm(value)
        else:
            value *= 1 - lr * c.weight_decay
        scale = np.sqrt(max(1, push.shape[0] / push.shape[1]))
        value -= lr * scale * newton_schulz(push, c.muon_steps).reshape(value.shape)

    def adamw(self, name, gradient, lr):
        c, (first, second) = self.config, self.kept.get(name, (0.0, 0.0))
        first = c.momentum * first + (1 - c.momentum) * gradient
        second = c.beta2 * second + (1 - c.beta2) * gradient**2
        self.kept[name] = first, second
        self.values[name] *= 1 - lr * c.weight_decay
        rate = lr / (1 - c.momentum**self.step)
        self.values[name] -= rate * first / (np.sqrt(second / (1 - c.beta2**self.step)) + 1e-8)


@pytest.mark.parametrize("model", [{"hidden": (6, 9)}, {"model": "convnet", "width": 4},
                                   {"model": "fastnet", "hidden": (5,), "depth": 1}], ids=str)
def test_thirty_steps_are_the_reference_s(model):
    run = unflatten(SETTINGS | model | {"latent_dim": 3})
    net = build(run.model, (3, 9, 9), 4, 0).double()
    named, optimizer = parameters(net), make_optimizer(net, run.optim)
    reference = Reference(named, run.optim)
    for step in range(30):
        stream, lr = torch.Generator().manual_seed(step), 4e-3 * 0.97**step
        for parameter in named.values():
            parameter.grad = torch.randn(parameter.shape, generator=stream, dtype=torch.float64)
        optimizer.param_groups[0]["lr"] = torch.tensor(lr, dtype=torch.float64)
        optimizer.step()
        reference.take({name: p.grad.numpy() for name, p in named.items()}, lr)
    for name, parameter in named.items():
        np.testing.assert_allclose(parameter.detach().numpy(), reference.values[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (6, 6), (1, 7)])
def test_directions_become_equally_large(shape):
    matrices = torch.randn(3, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    turned = orthogonalised(matrices, 5)
    singular = torch.linalg.svdvals(turned)
    assert float(singular.min()) > 0.6
    assert float(singular.max()) < 1.3
    for one, all_of_them in zip(matrices, turned, strict=True):
        np.testing.assert_allclose(all_of_them, newton_schulz(one.numpy(), 5), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(orthogonalised(one[None].float(), 5)[0], all_of_them, atol=1e-4)


def test_torch_s_own_muon_turns_alike():
    """torch computes in bfloat16, so to its precision."""
    weight = torch.nn.Parameter(torch.zeros(12, 20))
    weight.grad = torch.randn(12, 20, generator=torch.Generator().manual_seed(0))
    torch.optim.Muon([weight], lr=1.0, momentum=0.0, weight_decay=0.0).step()
    torch.testing.assert_close(-weight.detach(), orthogonalised(weight.grad[None], 5)[0], atol=0.03, rtol=0)


def test_no_momentum_moves_nothing():
    assert not orthogonalised(torch.zeros(2, 3, 4), 5).any()


def test_which_parameters_are_matrices():
    net = build(unflatten({"model": "convnet", "width": 4}).model, (3, 8, 8), 4, 0)
    chosen = [name for name, p in net.named_parameters() if is_matrix(name, p.shape)]
    assert chosen == [f"backbone.{place}.weight" for place in (0, 3, 7, 11)]


@pytest.mark.parametrize("engine", ["auto", "autograd"])
def test_a_network_without_matrices_is_refused(engine):
    words = (r"^optimizer: expected adam, adamw or sgd for a network without hidden matrices or convolutions \(or a "
             r"hidden layer more\), got 'muon'$")
    with pytest.raises(ConfigError, match=words):
        Trainer(unflatten({"optimizer": "muon", "hidden": (), "samples": 50}), "cpu", engine=engine)


@pytest.mark.parametrize("settings", [{"hidden": (8,)}, {"dataset": "digits", "model": "fastnet", "hidden": (4,)}],
                         ids=str)
@pytest.mark.parametrize("block", [0, 4])
def test_a_saved_run_goes_on_exactly(settings, block):
    run = unflatten(SETTINGS | {"samples": 100, "test_samples": 20, "batch_size": 16, "steps": 40} | settings)
    check_goes_on(lambda: Trainer(run, "cpu", block=block), 9, 11)


def test_all_of_a_restored_state_lies_where_the_weights_are():
    """On a GPU a count of steps left on the CPU would stop the next step; torch's "meta" device stands in for one."""
    run = unflatten(SETTINGS | {"hidden": (8,)})
    here, there = (build(run.model, (5,), 3, 0).to(device) for device in ("cpu", "meta"))
    first, second = (AutogradEngine(run, net) for net in (here, there))
    sum(p.sum() for p in here.parameters()).backward()
    first.optimizer.step()
    second.restore_optimizer(first.optimizer_tensors())
    places = [kept.device.type for state in second.optimizer.state.values() for kept in state.values()]
    assert places == ["meta"] * len(first.optimizer_tensors())


@pytest.mark.parametrize(("kind", "settings"), [(AutogradEngine, {"model": "fastnet", "hidden": (4, 6)}),
                                                (FusedEngine, {"hidden": (6, 9)})])
def test_a_step_reads_no_number_back_and_stays_on_the_device(kind, settings, monkeypatch):
    """On "meta" nothing has a value to be read, and what lies elsewhere is refused; only AdamW has no kernel there."""
    def adamw(*lists, lr, **factors):
        told.append({t.device.type for tensors in (*lists, [lr]) for t in tensors
                     if isinstance(t, torch.Tensor)})

    told = []
    monkeypatch.setattr(torch, "_fused_adamw_", adamw)
    run = unflatten(SETTINGS | settings)
    net = build(run.model, (1, 9, 9), 4, 0).to("meta")
    engine = kind(run, net) if kind is AutogradEngine else kind(run, net, 8)
    inputs, labels = torch.zeros(8, 1, 9, 9, device="meta"), torch.zeros(8, dtype=torch.int64, device="meta")
    for _ in range(2):
        engine.take(inputs, labels, torch.zeros_like(engine.pull), torch.zeros_like(engine.lr))
    assert told == [{"meta"}] * 4
