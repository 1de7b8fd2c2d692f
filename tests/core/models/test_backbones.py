"""The residual networks and the fast one: sizes, stems, forward passes by hand, and what they refuse."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lpc_core.checkpoint import Checkpoint, open_file
from lpc_core.config import ConfigError, flatten, unflatten
from lpc_core.data import load
from lpc_core.data.inputs import Normaliser
from lpc_core.engine.trainer import Trainer
from lpc_core.inspection import recognise, transferred
from lpc_core.models import build
from lpc_core.models.fastnet import NOISE, Whitening
from lpc_core.theory import collapse_points
from tests.conftest import stored
from tests.core.inspection.networks import run_torchvision

SMALL = {"dataset": "digits", "samples": 200, "test_samples": 40, "latent_dim": 4, "batch_size": 32, "steps": 20}


def made(shape=(3, 32, 32), classes=10, device="cpu", **settings):
    with torch.device(device):
        return build(unflatten(settings).model, shape, classes, 0)


@pytest.mark.parametrize(("model", "parameters", "features"), [  # torchvision's, less its classifier and other stem
    ("resnet18", 11_689_512 - 513_000 - 7_680, 512), ("resnet34", 21_797_672 - 513_000 - 7_680, 512),
    ("resnet50", 25_557_032 - 2_049_000 - 7_680, 2048), ("wideresnet50-2", 68_883_240 - 2_049_000 - 7_680, 2048)])
def test_residual_networks_have_the_published_sizes(model, parameters, features):
    small, large = (made((3, side, side), device="meta", model=model) for side in (32, 64))
    assert sum(p.numel() for p in small.backbone.parameters()) == parameters
    assert sum(p.numel() for p in large.backbone.parameters()) == parameters + 7_680
    assert small.penultimate.in_features == features
    assert (small.backbone.conv1.weight.shape[-1], small.backbone.conv1.stride) == (3, (1, 1))
    assert (large.backbone.conv1.weight.shape[-1], large.backbone.conv1.stride) == (7, (2, 2))
    assert isinstance(large.backbone.maxpool, torch.nn.MaxPool2d)


@pytest.mark.parametrize(("model", "activation", "side"), [("resnet18", "silu", 12), ("resnet50", "relu", 10),
                                                           ("resnet18", "relu", 64)])
def test_a_residual_network_is_the_one_by_hand(model, activation, side):
    net = made((3, side, side), model=model, activation=activation, penultimate="none").eval()
    state = {name.replace("backbone.", "").replace("head.", "fc."): value for name, value in net.state_dict().items()}
    pictures = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for ours, theirs in zip(net(pictures), run_torchvision(state, pictures, activation), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_the_stem_of_a_fastnet_whitens_the_training_pictures():
    mixed = torch.randn(400, 3, 9, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pictures = F.avg_pool2d(mixed, 2, 1) @ torch.diag(torch.linspace(1, 2, 8, dtype=torch.float64))
    stem = Whitening(3).double()
    stem.fit(pictures)
    answers = F.conv2d(pictures, stem.weight)
    own = answers[:, :12].permute(1, 0, 2, 3).flatten(1).numpy()
    np.testing.assert_allclose(own @ own.T / own.shape[1], np.eye(12), atol=0.1)  # less the noise that is added
    np.testing.assert_allclose(answers[:, 12:], -answers[:, :12])
    rows = F.unfold(pictures, 2).permute(1, 0, 2).flatten(1).numpy()
    values, vectors = np.linalg.eigh(rows @ rows.T / rows.shape[1])
    expected = vectors.T[::-1] / np.sqrt(values[::-1] + NOISE)[:, None]
    np.testing.assert_allclose(np.abs(stem.weight[:12].flatten(1).numpy()), np.abs(expected), atol=1e-6)


def test_a_run_computes_its_stem_keeps_it_fixed_and_saves_it():
    settings = SMALL | {"model": "fastnet", "hidden": (8, 12), "depth": 3}
    run = Trainer(unflatten(settings), "cpu")
    before = run.model.backbone.stem.weight.clone()
    assert not torch.equal(before, Whitening(1).weight)
    run.advance(3)
    assert torch.equal(run.model.backbone.stem.weight, before)
    again = Trainer(unflatten(settings), "cpu")
    again.load_state_bytes(run.state_bytes())
    for each in (run, again):
        each.advance(2)
    for one, other in zip(run.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_widths_and_depth_of_a_fastnet_are_settings():
    net = made(model="fastnet", hidden=(128, 384, 384), activation="gelu", latent_dim=64)
    convolutions = [tuple(layer.weight.shape[:2]) for layer in net.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert convolutions == [(128, 24), (128, 128), (384, 128), (384, 384), (384, 384), (384, 384)]
    maps = net.backbone.blocks(net.backbone.act(net.backbone.stem(torch.zeros(1, 3, 32, 32))))
    assert maps.shape == (1, 384, 3, 3)
    deeper = made(model="fastnet", hidden=(8, 8), depth=3)
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in deeper.modules()) == 6


@pytest.mark.parametrize(("shape", "settings", "words"), [
    ((3, 7, 32), {"model": "resnet18"}, r"not pictures of at least 8 by 8 pixels, which a resnet18 needs "
                                        r"\(these are 32 by 7 pixels\), got 'resnet18'"),
    ((20,), {"model": "wideresnet50-2"}, r"which a wideresnet50-2 needs \(these are vectors of 20 numbers\)"),
    ((3, 8, 8), {"model": "fastnet", "hidden": (4, 4, 4)}, "at least 9 by 9 pixels, which a fastnet with 3 blocks "),
    ((1, 4, 4), {"model": "convnet"}, "at least 8 by 8 pixels, which a convnet needs"),
    ((3, 32, 32), {"model": "fastnet", "hidden": ()}, "hidden: expected at least one width for a fastnet"),
])
def test_pictures_too_small_for_a_backbone_are_refused(shape, settings, words):
    with pytest.raises(ConfigError, match=words):
        made(shape, **settings)


@pytest.mark.parametrize(("side", "settings", "name"), [
    (8, {"model": "resnet18", "latent_dim": 3}, "LPC Lab resnet18, 3 latent nodes"),
    (64, {"model": "resnet18", "penultimate": "none"}, "LPC Lab resnet18, no latent nodes"),
    (9, {"model": "fastnet", "hidden": (4, 6), "depth": 1}, "LPC Lab fastnet, 2 latent nodes"),
])
def test_a_saved_run_opens_in_inspect(side, settings, name):
    run = unflatten(settings)
    model = made((3, side, side), 4, **settings).eval()
    metadata = {"run": flatten(run), "gamma": {"value": 20.0}}
    network = recognise(Checkpoint("safetensors", model.state_dict(), metadata=metadata))
    assert (network.name, network.obstacle, network.missing, network.unexpected) == (name, "", (), ())
    assert (network.config, network.assumptions) == (flatten(run), ())
    pictures = torch.randn(2, 3, side, side)
    with torch.no_grad():
        torch.testing.assert_close(network.build()(pictures), model(pictures))


def test_an_averaged_gamma_is_divided_by_the_nodes_that_there_are():
    """Without a penultimate layer the latents are the backbone's features, whatever latent_dim says."""
    run = unflatten({"model": "mlp", "hidden": (16,), "penultimate": "none", "convention": "mean", "latent_dim": 2})
    metadata = {"run": flatten(run), "gamma": {"value": 32.0}}
    model = made((20,), 4, model="mlp", hidden=(16,), penultimate="none")
    assert recognise(Checkpoint("safetensors", model.state_dict(), metadata=metadata)).gamma == 2.0


def test_a_tensor_inside_a_layer_is_no_layer():
    state = made((20,), 4, model="mlp", hidden=(16,)).state_dict() | {"backbone.1.scale.weight": torch.tensor(1.0)}
    network = recognise(Checkpoint("torch", state))
    assert (network.name, network.unexpected) == ("LPC Lab MLP 20-16-2-4", ("backbone.1.scale.weight",))


def test_a_bare_fastnet_is_recognised_too():
    model = made((1, 9, 9), 4, model="fastnet", hidden=(4, 6), depth=3, latent_dim=5)
    network = recognise(Checkpoint("torch", dict(model.state_dict())))
    assert (network.name, network.obstacle) == ("LPC Lab fastnet, 5 latent nodes", "")


@pytest.mark.parametrize(("model", "words"), [
    ("resnet34", r"^weights: expected those of this run's network, got those of another network \(LPC Lab resnet18, 3 "
                 r"latent nodes\): without backbone.layer1.2.conv1.weight, .* more; choose the run's model"),
    ("convnet", r"got those of another network .*: without backbone.0.weight.* also backbone.conv1.weight"),
])
def test_a_checkpoint_of_another_backbone_is_refused(model, words):
    run = unflatten({"model": "resnet18", "latent_dim": 3})
    checkpoint = Checkpoint("torch", made((3, 8, 8), model="resnet18", latent_dim=3).state_dict(),
                            metadata={"run": flatten(run)})
    with pytest.raises(ValueError, match=words):
        transferred(checkpoint, made((3, 8, 8), model=model, latent_dim=3))


def test_weights_come_before_the_first_step():
    run = Trainer(unflatten(SMALL | {"hidden": (5,)}), "cpu")
    weights = {name: value + 1 for name, value in run.model.state_dict().items()}
    run.start_from(weights)
    assert torch.equal(run.model.head.weight, weights["head.weight"])
    assert torch.equal(run.engine.values[: 5 * 64], weights["backbone.1.weight"].flatten())
    run.advance(1)
    with pytest.raises(ValueError, match="expected a run before its first step, got step 1; make a new one"):
        run.start_from(weights)


def test_the_method_authors_network_gives_its_known_numbers(real_cifar10, monkeypatch):
    monkeypatch.setenv("LPC_DATA", str(real_cifar10))
    file = open_file(stored("resnet18_lpc8_cifar10.pth.tar"))
    run = unflatten({"dataset": "cifar10", "model": "resnet18", "latent_dim": 8, "samples": 50_000})
    model = made(model="resnet18", latent_dim=8)
    model.load_state_dict(transferred(file, model.eval()))
    weight, bias = (p.detach().double().numpy() for p in model.head.parameters())
    points = collapse_points(weight, bias, file.metadata["gamma"] / 8)
    assert np.linalg.norm(points, axis=1).mean() == pytest.approx(0.000675, abs=5e-7)
    data = load(run.data, 0)
    look = Normaliser(data, torch.device("cpu"))
    with torch.no_grad():
        fitted, (logits, _) = (model(look(torch.from_numpy(part[:100])))
                               for part in (data.train_inputs, data.test_inputs))
        elsewhere = recognise(file).build()(look(torch.from_numpy(data.train_inputs[:5])))
    torch.testing.assert_close((fitted[0][:5], fitted[1][:5]), elsewhere)
    assert np.array_equal(fitted[0].argmax(1).numpy(), data.train_labels[:100])
    assert 0.00066 < float(fitted[1].norm(dim=1).mean()) < 0.00068
    assert 0.83 < float((logits.argmax(1).numpy() == data.test_labels[:100]).mean()) < 0.98  # 91.1 % of all 10,000
