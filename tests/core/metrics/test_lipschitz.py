"""Input-gradient norms of the lead: closed forms, a slow loop, and models of other kinds."""

import numpy as np
import pytest
import torch
from torch import nn

from lpc_core.metrics.lipschitz import METRICS, lipschitz, slopes


@pytest.fixture
def net():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 16), nn.SiLU(), nn.Dropout(0.5), nn.Linear(16, 4))


@pytest.fixture
def samples():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(23, 6, generator=generator), torch.randint(0, 4, (23,), generator=generator)


def test_a_linear_models_slope_is_the_difference_of_two_rows(samples):
    x, y = samples
    model = nn.Linear(6, 4)
    logits, weight = model(x).detach(), model.weight.detach().double()
    rival = logits.scatter(1, y[:, None], -torch.inf).argmax(1)
    np.testing.assert_allclose(slopes(model, x, y), (weight[y] - weight[rival]).norm(dim=1), rtol=1e-6)


def test_it_is_the_slow_loop(net, samples):
    x, y = samples
    slow = []
    net.eval()
    for one, label in zip(x, y, strict=True):
        leaf = one.clone().requires_grad_(True)
        logits = net(leaf[None])[0]
        others = torch.cat([logits[:label], logits[label + 1:]])
        (logits[label] - others.max()).backward()
        slow.append(leaf.grad.norm().item())
    net.train()
    found = slopes(net, x, y, batch_size=5)
    np.testing.assert_allclose(found, slow, rtol=1e-5)
    assert net.training
    assert net[2].training
    both = lipschitz(net, x, y, batch_size=5)
    assert {name: reading.value for name, reading in both.items()} == {"lipschitz_max": found.max(),
                                                                       "lipschitz_mean": found.mean()}


def test_it_grows_with_the_logits_and_falls_with_the_inputs(net, samples):
    x, y = samples
    net.eval()
    plain = slopes(net, x, y)
    np.testing.assert_allclose(slopes(lambda x: 3 * net(x), x, y), 3 * plain, rtol=1e-5)
    np.testing.assert_allclose(slopes(lambda x: net(x / 8), 8 * x, y), plain / 8, rtol=1e-5)


def test_zero_gradients_count_and_are_named(samples):
    x, y = samples
    given = lambda x: torch.relu(x[:, :4]), x.clone().index_fill_(0, torch.arange(5), -1.0), y
    norms, mean = slopes(*given), lipschitz(*given)["lipschitz_mean"]
    assert (norms[:5] == 0).all()
    assert mean.value == pytest.approx(norms.mean())
    assert mean.reason == f"the gradient is exactly 0 at {(norms == 0).sum()} of 23 samples"


def test_gradients_below_the_squares_of_float32_are_not_lost(samples):
    x, y = samples
    found = slopes(lambda x: 1e-30 * x[:, :4], x, y)
    np.testing.assert_allclose(found, 1e-30 * np.sqrt(2), rtol=1e-6)


@pytest.mark.parametrize(("model", "words"), [
    (lambda x: {"out": x}, "expected logits .* got a dict with keys out"),
    (lambda x: (x, x), "got a tuple of"),
    (lambda x: x.detach(), "expected logits that can be differentiated"),
])
def test_other_models_are_refused(model, words, samples):
    with pytest.raises(ValueError, match=words):
        lipschitz(model, *samples)


def test_labels_are_needed_for_every_input(net, samples):
    with pytest.raises(ValueError, match=r"expected labels \(23,\), one per input, got \(22,\)"):
        lipschitz(net, samples[0], samples[1][1:])


def test_both_numbers_have_words():
    assert [metric.name for metric in METRICS] == ["lipschitz_max", "lipschitz_mean"]
