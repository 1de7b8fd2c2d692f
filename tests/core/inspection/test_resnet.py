"""ResNets of other people: known key counts and parameter numbers, and the same numbers as a slow forward pass."""

import pytest
import torch

from lpc_core.checkpoint import Checkpoint
from lpc_core.inspection import recognise
from tests.core.inspection.networks import authors_resnet, run_authors, run_torchvision, torchvision_resnet


def found(state, metadata=None, **choices):
    return recognise(Checkpoint("torch", dict(state), metadata=metadata or {}), **choices)


@pytest.mark.parametrize(("made", "keys", "parameters", "name", "nodes"), [  # numbers of torchvision's documentation
    ({"blocks": (2, 2, 2, 2), "kind": "basic"}, 122, 11_689_512, "ResNet-18", 512),
    ({"blocks": (3, 4, 6, 3), "kind": "basic"}, 218, 21_797_672, "ResNet-34", 512),
    ({"blocks": (3, 4, 6, 3), "kind": "bottleneck"}, 320, 25_557_032, "ResNet-50", 2048),
    ({"blocks": (3, 4, 23, 3), "kind": "bottleneck"}, 626, 44_549_160, "ResNet-101", 2048),
    ({"blocks": (3, 4, 6, 3), "kind": "bottleneck", "wide": 2}, 320, 68_883_240, "WideResNet-50-2", 2048),
    ({"blocks": (3, 4, 6, 3), "kind": "bottleneck", "groups": 32, "per_group": 4}, 320, 25_028_904,
     "ResNeXt-50, 32 groups", 2048),
    ({"blocks": (2, 2, 2, 2), "kind": "basic", "kernel": 3, "classes": 10}, 122, 11_173_962,
     "ResNet-18 with a small stem", 512),
])
def test_known_networks(made, keys, parameters, name, nodes):
    state = torchvision_resnet(**made, thin=True)
    network = found(state)
    assert len(state) == keys
    assert network.name == f"{name} (torchvision's names)"
    assert network.parameters == parameters
    assert (network.missing, network.unexpected, network.obstacle) == ((), (), "")
    assert (network.classes, network.latent_dim, network.layer) == (made.get("classes", 1000), nodes, "avgpool")
    assert network.input_shape == (3, None, None)


@pytest.mark.parametrize(("made", "act"), [
    ({"blocks": (1, 2, 1, 1), "kind": "basic"}, "relu"),
    ({"blocks": (1, 1, 2), "kind": "bottleneck"}, "relu"),
    ({"blocks": (1, 1), "kind": "bottleneck", "wide": 2}, "silu"),
    ({"blocks": (1, 2, 1), "kind": "basic", "kernel": 3}, "gelu"),
    ({"blocks": (1, 1), "kind": "basic", "kernel": 3, "shortcut": "shortcut", "head": "linear"}, "relu"),
])
def test_the_same_numbers_as_by_hand(made, act):
    state = torchvision_resnet(**made, first=8, classes=5)
    pictures = torch.randn(3, 3, 34, 30, generator=torch.Generator().manual_seed(1))
    logits, latents = found(state, activation=act).build()(pictures)
    names = {key: made[key] for key in ("shortcut", "head") if key in made}
    for ours, theirs in zip((logits, latents), run_torchvision(state, pictures, act, **names), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_grouped_convolutions():
    state = torchvision_resnet((1, 1), "bottleneck", first=16, classes=3, groups=4, per_group=64)
    pictures = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    logits, _ = found(state).build()(pictures)
    torch.testing.assert_close(logits, run_torchvision(state, pictures, groups=4)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kernel", "words"), [
    (5, "a stem of stride 1 without max-pool (its kernel is smaller than 7)"),
    (7, "a stem of stride 2 with a 3×3 max-pool of stride 2 (its kernel is 7)"),
    (9, "a stem of stride 1 without max-pool (its kernel is larger than 7)")])
def test_what_is_said_of_the_stem_is_what_runs(kernel, words):
    network = found(torchvision_resnet((1, 1), "basic", first=8, classes=3, kernel=kernel))
    assert words in network.assumptions
    assert network.build().get_submodule("conv1").stride == ((2, 2) if kernel == 7 else (1, 1))


def test_a_linear_layer_before_the_head_is_the_watched_one():
    state = torchvision_resnet((1, 1), "basic", first=8, classes=5)
    features = state.pop("fc.weight").shape[1]
    del state["fc.bias"]
    state.dense("fc.0", 3, features)
    state.dense("fc.1", 5, 3)
    network = found(state)
    assert (network.layer, network.latent_dim, network.theory_note, network.obstacle) == ("fc.0", 3, "", "")
    pictures = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    logits, latents = network.build()(pictures)
    torch.testing.assert_close(logits, latents @ state["fc.1.weight"].T + state["fc.1.bias"])


def test_a_prefix_in_common_and_a_stray_tensor():
    state = {f"net.{name}": value for name, value in torchvision_resnet((1, 1), "basic", first=8).items()}
    network = found({**state, "ema_decay": torch.tensor(0.9)})
    assert (network.head_weight, network.head_bias) == ("net.fc.weight", "net.fc.bias")
    assert network.unexpected == ("ema_decay",)
    assert network.obstacle == ""


def test_no_counters_of_batches_are_no_obstacle():
    state = {name: value for name, value in torchvision_resnet((1, 1), "basic", first=8).items()
             if not name.endswith("num_batches_tracked")}
    network = found(state)
    assert len(network.missing) == 6
    assert all(name.endswith("num_batches_tracked") for name in network.missing)
    assert network.build()(torch.zeros(1, 3, 32, 32))[0].shape == (1, 1000)


def changed(**changes):
    """A small network with tensors added, or taken away where the value is None."""
    state = torchvision_resnet((1, 1), "basic", first=8)
    for name, value in changes.items():
        if value is None:
            del state[name.replace("__", ".")]
        else:
            state[name.replace("__", ".")] = value
    return state


@pytest.mark.parametrize(("state", "obstacle"), [
    (changed(layer2__0__bn1__running_mean=None), "expected layer2.0.bn1.running_mean of a batch norm, got none"),
    (changed(layer1__0__bn2__bias=None), "expected layer1.0.bn2.bias, got none of that name"),
    (changed(layer1__0__se__fc1__weight=torch.ones(2, 8, 1, 1)),
     "expected no further tensors in the body, got layer1.0.se.fc1.weight"),
    (changed(conv1__weight=None, conv1__0__weight=torch.ones(8, 3, 3, 3)),
     "expected a stem of one convolution conv1.weight, got a deep stem (conv1.0.weight, …)"),
    (changed(layer2__0__downsample__0__weight=None, layer2__0__downsample__1__weight=torch.ones(16, 8, 1, 1)),
     "expected a convolution layer2.0.downsample.0.weight, got"),
    ({name: value for name, value in changed().items() if ".downsample." not in name},
     "expected a shortcut convolution in layer2.0, which turns 8 channels into 16 with stride 2, got none"),
    (changed(layer2__0__conv1__weight=torch.ones(16, 4, 3, 3)), "expected layer2.0.conv1.weight for 8 channels, got"),
    (changed(layer2__0__bn1__running_mean=torch.ones(8)), "expected layer2.0.bn1 for 16 channels, got 8"),
    (changed(fc__weight=torch.ones(1000, 64)), "expected fc.weight to read 16 features, got 64"),
    (changed(bn1__weight=torch.ones(1)), "expected bn1.weight of shape (8,), got (1,)"),
])
def test_what_is_built_otherwise_is_not_run(state, obstacle):
    network = found(state)
    assert network.obstacle.startswith(obstacle)
    assert "; " in network.obstacle
    with pytest.raises(ValueError, match=r"^expected "):
        network.build()


@pytest.mark.parametrize(("kind", "made"), [
    ("basic", {}), ("bottleneck", {"kernel": 7}), ("pre-activated", {"bias": False}),
    ("basic", {"penultimate": "penultimate_layer.0"}), ("bottleneck", {"penultimate": None}),
    ("basic", {"output": "output_layer.1", "bias": False}), ("pre-activated", {"output": "output_layer.0"})])
def test_the_method_authors_networks(kind, made):
    state = authors_resnet(kind, (1, 2, 1), **made)
    network = found(state)
    assert (network.missing, network.unexpected, network.obstacle) == ((), (), "")
    assert network.activation == "silu"
    assert (network.theory_note == "") == (made.get("penultimate", "penultimate_layer") == "penultimate_layer")
    pictures = torch.randn(2, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    names = {key: made[key] for key in ("penultimate", "output") if key in made}
    for ours, theirs in zip(network.build()(pictures), run_authors(kind, state, pictures, **names), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["basic", "bottleneck"])
def test_dropout_in_the_authors_blocks_shifts_the_numbers(kind):
    state = authors_resnet(kind, dropout=True)
    pictures = torch.randn(2, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    logits, _ = found(state, activation="relu").build()(pictures)
    by_hand, _ = run_authors(kind, state, pictures, "relu", dropout=True)
    torch.testing.assert_close(logits, by_hand, rtol=1e-4, atol=1e-5)


def test_a_block_of_the_authors_without_layers_is_named():
    state = {name: value for name, value in authors_resnet("basic").items() if "layer2.0.residual" not in name}
    assert "expected layers in layer2.0.residual_function, got none" in found(state).obstacle


def test_the_authors_gamma_is_divided_by_the_nodes():
    network = found(authors_resnet("basic", nodes=4), {"gamma": 100.0, "epoch": 3})
    assert network.gamma == 25.0
    assert found(authors_resnet("basic"), {"gamma": "much"}).gamma is None


def test_the_authors_networks_have_names():
    assert found(authors_resnet("basic", (2, 2, 2, 2), first=64)).name == "ResNet-18 (method authors' names)"
    assert found(authors_resnet("pre-activated", (4, 4, 4), first=16)).name == "WideResNet-28-1 (method authors' names)"


def test_a_choice_against_what_the_names_say_is_refused():
    with pytest.raises(ValueError, match="penultimate: expected linear, which the file itself says, got nonlinear"):
        found(authors_resnet("basic"), penultimate="nonlinear")
