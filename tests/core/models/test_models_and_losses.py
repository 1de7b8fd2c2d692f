"""Models give logits and latents of the promised shape; the penalty is the paper's formula."""

import pytest
import torch

from lpc_core.config import ConfigError, ModelConfig
from lpc_core.losses import gamma_sum, latent_l2
from lpc_core.models import build, resolve


@pytest.mark.parametrize("penultimate", ["linear", "nonlinear", "none"])
@pytest.mark.parametrize(("model", "shape"), [("mlp", (20,)), ("mlp", (1, 8, 8)), ("convnet", (3, 32, 32)),
                                              ("convnet", (1, 28, 28))])
def test_logits_and_latents(penultimate, model, shape):
    config = ModelConfig(model=model, penultimate=penultimate, latent_dim=5, hidden=(16, 12), width=4)
    classifier = build(config, shape, classes=7, seed=0)
    logits, latents = classifier(torch.randn(6, *shape))
    features = {"mlp": 12, "convnet": 64}[model] if penultimate == "none" else 5
    assert logits.shape == (6, 7)
    assert latents.shape == (6, features)
    torch.testing.assert_close(logits, latents @ classifier.head.weight.T + classifier.head.bias)


def test_only_the_linear_penultimate_layer_reaches_far_below_zero():
    for penultimate, reaches in [("linear", True), ("nonlinear", False)]:
        model = build(ModelConfig(penultimate=penultimate, activation="relu"), (20,), 4, 0)
        assert bool((model(10 * torch.randn(500, 20))[1] < -0.1).any()) == reaches


def test_equal_seeds_give_equal_weights_whatever_ran_before():
    first = build(ModelConfig(), (20,), 4, 3).state_dict()
    torch.rand(17)
    before = torch.get_rng_state()
    second = build(ModelConfig(), (20,), 4, 3).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.weight"], build(ModelConfig(), (20,), 4, 4).state_dict()["head.weight"])


def test_no_hidden_layers_is_a_linear_model():
    model = build(ModelConfig(hidden=()), (20,), 4, 0)
    assert model.penultimate.in_features == 20


@pytest.mark.parametrize(("shape", "expected"), [((20,), "mlp"), ((1, 28, 28), "mlp"), ((3, 32, 32), "convnet")])
def test_auto_picks_by_the_shape_of_the_data(shape, expected):
    assert resolve(ModelConfig(), shape) == expected


@pytest.mark.parametrize("shape", [(20,), (1, 4, 4)])
def test_a_convnet_needs_pictures(shape):
    with pytest.raises(ConfigError, match="model: expected mlp for data that are not pictures"):
        build(ModelConfig(model="convnet"), shape, 4, 0)


def test_dropout_drops_in_training_only_and_keeps_the_scale():
    model = build(ModelConfig(dropout=0.5), (20,), 4, 0)
    features = torch.ones(400, 50)
    dropped = model.dropout(features)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert dropped.mean() == pytest.approx(1.0, abs=0.05)
    model.eval()
    assert torch.equal(model.dropout(features), features)


def test_the_penalty_in_both_conventions():
    latents = torch.tensor([[3.0, 4.0], [0.0, 1.0]])
    assert latent_l2(latents, "sum").item() == pytest.approx((25 + 1) / 2)
    assert latent_l2(latents, "mean").item() == pytest.approx((25 + 1) / 4)
    for convention in ("sum", "mean"):  # the same penalty, whichever convention γ is in
        gamma = 3.0
        same = gamma_sum(gamma, convention, 2) * latent_l2(latents, "sum")
        assert same.item() == pytest.approx(gamma * latent_l2(latents, convention).item())
