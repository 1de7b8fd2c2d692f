"""Fully connected networks: this lab's, the method authors', and any chain of layers under any names."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from torch import nn

from lpc_core.checkpoint import Checkpoint
from lpc_core.config import flatten, unflatten
from lpc_core.inspection import recognise
from lpc_core.models import build
from tests.core.inspection.networks import ACTIVATIONS, Names


def found(state, metadata=None, **choices):
    return recognise(Checkpoint("torch", dict(state), metadata=metadata or {}), **choices)


def lab(shape, classes=4, **settings):
    run = unflatten(settings)
    return run, build(run.model, shape, classes, 0, run.loss).eval()


@pytest.mark.parametrize(("shape", "settings", "name"), [
    ((1, 8, 8), {"hidden": (16, 12), "latent_dim": 8}, "LPC Lab MLP 64-16-12-8-4"),
    ((5,), {"hidden": (), "latent_dim": 2}, "LPC Lab MLP 5-2-4"),
    ((5,), {"hidden": (7,), "penultimate": "none"}, "LPC Lab MLP 5-7-4"),
    ((5,), {"hidden": (7,), "penultimate": "nonlinear", "latent_dim": 3}, "LPC Lab MLP 5-7-3-4"),
    ((3, 16, 16), {"model": "convnet", "width": 4, "latent_dim": 3}, "LPC Lab convnet, width 4, 3 latent nodes"),
    ((1, 12, 12), {"model": "convnet", "width": 4, "penultimate": "none"},
     "LPC Lab convnet, width 4, no latent nodes"),
])
@pytest.mark.parametrize("prefix", ["", "model."])
def test_networks_of_this_lab(shape, settings, name, prefix):
    run, model = lab(shape, **settings)
    state = {prefix + key: value for key, value in model.state_dict().items()}
    network = found(state)
    assert network.name == name
    assert (network.missing, network.unexpected, network.obstacle) == ((), (), "")
    assert network.assumptions[0].startswith("activation silu (assumed")
    assert (network.theory_note == "") == (run.model.penultimate == "linear")
    inputs = torch.randn(3, *shape)
    for ours, theirs in zip(network.build()(inputs), model(inputs), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_saved_run_says_everything():
    run, model = lab((5,), hidden=(7,), activation="tanh", convention="mean", latent_dim=4)
    saved = {"run": json.loads(json.dumps(flatten(run))), "gamma": {"value": 20.0}}
    network = found(model.state_dict(), saved)
    assert network.assumptions == ()
    assert network.config == flatten(run)
    assert (network.activation, network.gamma) == ("tanh", 5.0)
    inputs = torch.randn(3, 5)
    assert torch.equal(network.build()(inputs)[0], model(inputs)[0])


def test_settings_that_do_not_fit_the_tensors_are_not_believed():
    run, model = lab((5,), hidden=(7,), latent_dim=4)
    for wrong in ({"hidden": (8,)}, {"latent_dim": 3}, {"penultimate": "none"}, {"model": "convnet"}):
        other = {**flatten(run), **wrong}
        assert found(model.state_dict(), {"run": other}).config is None
    assert found(model.state_dict(), {"run": {"nonsense": 1}}).config is None


def test_a_head_that_reads_angles():
    run, model = lab((5,), hidden=(7,), loss="arcface", latent_dim=4)
    network = found(model.state_dict(), {"run": flatten(run)})
    inputs = torch.randn(3, 5)
    torch.testing.assert_close(network.build()(inputs)[0], model(inputs)[0])
    assert network.theory_note.endswith("this run's loss is arcface.")


@pytest.mark.parametrize("penultimate", ["penultimate_layer", "penultimate_layer.0"])
@pytest.mark.parametrize(("places", "norms"), [((0, 2), ()), ((1, 4), ()), ((0, 3), (2, 5)), ((1, 5), (3, 7))])
def test_the_method_authors_mlps(penultimate, places, norms):
    """Dropout before a layer, and a norm after its activation, shift the numbers of their sequence."""
    state, inside = Names(), 6
    for place in places:
        state.dense(f"head.{place}", 5, inside)
        inside = 5
    for place in norms:
        state.norm(f"head.{place}", 5)
    state.dense(penultimate, 2, inside)
    state.dense("output_layer", 3, 2)
    network = found(state)
    assert network.name == "MLP 6-5-5-2-3 (method authors' names)"
    assert (network.missing, network.unexpected, network.obstacle) == ((), (), "")
    inputs = torch.randn(4, 6)
    x = inputs
    for place, normed in zip(places, norms or (None, None), strict=True):
        x = ACTIVATIONS["silu"](x @ state[f"head.{place}.weight"].T + state[f"head.{place}.bias"])
        if normed:
            mean, var, weight, bias = (state[f"head.{normed}.{part}"]
                                       for part in ("running_mean", "running_var", "weight", "bias"))
            x = (x - mean) / torch.sqrt(var + 1e-5) * weight + bias
    z = x @ state[f"{penultimate}.weight"].T + state[f"{penultimate}.bias"]
    z = ACTIVATIONS["silu"](z) if penultimate.endswith(".0") else z
    torch.testing.assert_close(network.build()(inputs)[1], z)


class Named(nn.Module):
    def __init__(self, last):
        super().__init__()
        self.fc1, self.bn1, self.fc2 = nn.Linear(6, 9), nn.BatchNorm1d(9), nn.Linear(9, 5)
        self.add_module(last, nn.Linear(5, 2))
        self.out, self.last = nn.Linear(2, 4), last
        with torch.no_grad():
            self.bn1.running_mean.normal_()
            self.bn1.running_var.uniform_(0.5, 2)

    def forward(self, x):
        z = getattr(self, self.last)(torch.relu(self.fc2(torch.relu(self.bn1(self.fc1(x))))))
        z = z if self.last == "latent" else torch.relu(z)
        return self.out(z), z


SEQUENCES = {
    "linear before the head": nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 3), nn.Linear(3, 4)),
    "activation before the head": nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 3), nn.ReLU(),
                                                nn.Linear(3, 4)),
    "norm, then activation": nn.Sequential(nn.Linear(6, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 4)),
    "activation, then norm": nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.BatchNorm1d(9), nn.Linear(9, 4)),
    "layer norm": nn.Sequential(nn.Linear(6, 9), nn.LayerNorm(9), nn.ReLU(), nn.Linear(9, 4, bias=False)),
    "a norm of the inputs": nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4)),
    "eleven layers": nn.Sequential(*(layer for _ in range(11) for layer in (nn.Linear(6, 6), nn.ReLU())),
                                   nn.Linear(6, 4)),
    "all linear": nn.Sequential(nn.Linear(6, 9), nn.Linear(9, 3), nn.Linear(3, 4)),
}


@pytest.mark.parametrize("name", SEQUENCES)
@pytest.mark.parametrize("ordered", [True, False], ids=["file order", "sorted by name"])
def test_any_chain(name, ordered):
    net = nn.Sequential(SEQUENCES[name]).eval()
    state = net.state_dict()
    state = state if ordered else {key: state[key] for key in sorted(state)}
    network = found(state)
    assert (network.missing, network.unexpected, network.obstacle) == ((), (), "")
    inputs = torch.randn(5, 6)
    logits, latents = network.build()(inputs)
    torch.testing.assert_close(logits, net(inputs))
    watched = SEQUENCES[name][:-1](inputs)
    torch.testing.assert_close(latents, watched)


@pytest.mark.parametrize("last", ["latent", "fc3"])
def test_layers_with_names_of_their_own(last):
    net = Named(last).eval()
    network = found(net.state_dict())
    assert network.name == "MLP 6-9-5-2-4"
    assert (network.theory_note == "") == (last == "latent")
    inputs = torch.randn(5, 6)
    for ours, theirs in zip(network.build()(inputs), net(inputs), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert any(f"the watched layer {last} is" in words and "assumed" in words for words in network.assumptions)


def test_choices_replace_assumptions():
    net = Named("fc3").eval()
    network = found(net.state_dict(), activation="tanh", penultimate="linear")
    inputs = torch.randn(5, 6)
    hidden = torch.tanh(net.fc2(torch.tanh(net.bn1(net.fc1(inputs)))))
    torch.testing.assert_close(network.build()(inputs)[1], net.fc3(hidden))
    assert network.theory_note == ""
    assert network.assumptions[0] == "activation tanh (chosen)"


def test_names_that_only_shapes_can_order():
    state = Names()
    for name, outside, inside in (("hidden", 5, 7), ("entry", 7, 6), ("verdict", 4, 5)):
        state.dense(name, outside, inside)
    assert found(state).name == "MLP 6-7-5-4"


def test_a_head_alone_has_the_inputs_for_latents():
    state = Names()
    state.dense("fc", 3, 6)
    network = found(state)
    assert (network.name, network.layer, network.latent_dim) == ("MLP 6-3", "flatten", 6)
    assert network.theory_note.startswith("No predicted points: the latents are the inputs themselves")
    inputs = torch.randn(2, 6)
    assert torch.equal(network.build()(inputs)[1], inputs)


def test_half_precision_is_run_in_single():
    net = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4)).half()
    network = found(net.state_dict())
    inputs = torch.randn(3, 6)
    torch.testing.assert_close(network.build()(inputs)[0], net.float()(inputs))
    assert network.weight.dtype == np.float16


@pytest.mark.parametrize("state", [
    {}, {"weight": torch.ones(3, 4)}, {"a.weight": torch.ones(3, 4), "b.weight": torch.ones(3, 5)},
    {"conv.weight": torch.ones(3, 4, 1, 1)}, {"emb.weight": torch.ones(9, 4), "t": torch.ones(2, 2, 2)},
], ids=["nothing", "no module", "no chain", "a convolution", "three dimensions"])
def test_other_tensors_are_not_recognised(state):
    assert found(state) is None


def test_a_part_that_is_not_known_is_an_obstacle():
    state = Names()
    state.dense("a", 5, 6)
    state.dense("b", 3, 5)
    state["gate.weight"] = torch.ones(5)
    network = found(state)
    assert network.obstacle.startswith("expected fully connected layers and norms alone, got gate.weight too; ")
    assert network.unexpected == ("gate.weight",)
    with pytest.raises(ValueError, match="expected fully connected layers and norms alone"):
        network.build()


@pytest.mark.parametrize("name", ["forward", "eval", "train.0", "a..b", "_body"])
def test_names_that_torch_does_not_allow_are_an_obstacle_or_harmless(name):
    state = Names()
    state.dense(name, 5, 6)
    state.dense("out", 3, 5)
    network = found(state)
    if network.obstacle:
        assert network.obstacle.startswith("expected module names that torch allows, got ")
    else:
        assert network.build()(torch.zeros(2, 6))[0].shape == (2, 3)


@pytest.mark.parametrize(("choice", "message"), [
    ({"activation": "swoosh"}, "activation: expected one of silu, relu, gelu, tanh, .*, got 'swoosh'; choose one"),
    ({"penultimate": "curly"}, "penultimate: expected linear or nonlinear, got 'curly'; choose one of them"),
])
def test_unknown_choices(choice, message):
    with pytest.raises(ValueError, match=message):
        found({}, **choice)


def test_a_choice_against_the_run_s_own_settings():
    run, model = lab((5,), hidden=(7,))
    with pytest.raises(ValueError, match="activation: expected silu, which the file itself says, got relu; leave it"):
        found(model.state_dict(), {"run": flatten(run)}, activation="relu")
    other = dataclasses.replace(run.model, activation="relu")
    assert found(build(other, (5,), 4, 0).state_dict(), activation="relu").activation == "relu"


def test_a_larger_network_with_this_lab_s_names_is_a_plain_one():
    state = Names()
    state.dense("backbone.1", 20, 6)
    state.dense("penultimate", 4_096, 20)
    state.dense("head", 3, 4_096)
    assert found(state).name == "MLP 6-20-4096-3"
    run, model = lab((6,), hidden=(7,), latent_dim=2)
    assert found(model.state_dict(), activation="elu").name == "MLP 6-7-2-4"
    assert run.model.latent_dim == 2


def chain(*layers):
    state = Names()
    for name, outside, inside in layers:
        state.dense(name, outside, inside)
    return state


def test_a_norm_that_may_be_another_one_is_said():
    state = chain(("net.0", 8, 12), ("net.3", 3, 8)) | {"net.1.weight": torch.ones(8), "net.1.bias": torch.zeros(8)}
    said = "net.1: layer norms (assumed: group norms, and batch norms without statistics, look the same)"
    assert said in found(state).assumptions


@pytest.mark.parametrize(("layers", "said"), [
    ([("inp", 8, 12), ("fc1", 8, 8), ("fc2", 8, 8), ("out", 3, 8)], True),  # residual ones look the same
    ([("image", 8, 8), ("text", 8, 8), ("out", 3, 8)], True),  # so do two branches that are added
    ([("net.0", 8, 12), ("net.2", 8, 8), ("net.4", 3, 8)], False),
    ([("fc1", 9, 12), ("fc2", 8, 9), ("out", 3, 8)], False)])
def test_that_layers_only_follow_each_other_is_said_where_others_look_the_same(layers, said):
    text = "each layer reads only the one before (assumed: sums, gates and branches of one width look the same)"
    assert (text in found(chain(*layers)).assumptions) == said


@pytest.mark.parametrize("layers", [
    [("fc1", 8, 12), ("gate", 8, 8), ("fc2", 3, 8)],
    [("fc1", 8, 12), ("fc_mu", 8, 8), ("fc_logvar", 8, 8), ("out", 3, 8)],
    [("generator.0", 12, 5), ("discriminator.0", 3, 12)], [("encoder", 8, 12), ("projector.0", 8, 8), ("fc", 3, 8)],
    [("se.0", 4, 8), ("se.2", 8, 4), ("fc", 3, 8)], [("q_proj", 8, 8), ("k_proj", 8, 8), ("fc", 3, 8)]])
def test_names_of_layers_that_seldom_just_follow_are_doubted(layers):
    [doubt] = found(chain(*layers)).warnings
    assert "may not just follow the layers before them" in doubt


def test_an_output_as_wide_as_the_input_may_be_that_of_an_autoencoder():
    [doubt] = found(chain(("a.0", 4, 12), ("a.2", 12, 4))).warnings
    assert doubt.startswith("the last layer gives as many numbers, 12, as the first one reads")
    assert found(chain(("a.0", 4, 12), ("a.2", 11, 4))).warnings == ()
    assert found(chain(("a.0", 16, 2), ("a.2", 2, 16))).warnings == ()
