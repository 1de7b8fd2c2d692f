"""Running a recognised network: the same numbers as the model itself, other layers through a hook, clear refusals."""

import numpy as np
import pytest
import torch

from lpc_core.checkpoint import Checkpoint
from lpc_core.config import unflatten
from lpc_core.data import load
from lpc_core.inspection import embed, normalisation, recognise
from lpc_core.inspection.running import MOST_SIDE, thumbnails
from lpc_core.models import build
from tests.core.inspection.networks import torchvision_resnet

RUN = unflatten({"dataset": "digits", "samples": 200, "test_samples": 50, "hidden": (16,), "latent_dim": 3})
DIGITS = load(RUN.data, 0)
MODEL = build(RUN.model, (1, 8, 8), 10, 0).eval()
SCALED = normalisation("lab", DIGITS)


def network(state=None):
    return recognise(Checkpoint("torch", dict(state or MODEL.state_dict())))


def embedded(**changes):
    given = {"normalisation": SCALED, "batch_size": 32, **changes}
    return embed(given.pop("network", None) or network(), given.pop("inputs", DIGITS.train_inputs),
                 given.pop("labels", DIGITS.train_labels), **given)


def test_latents_logits_and_head_are_the_model_s():
    found = embedded(class_names=DIGITS.class_names)
    with torch.no_grad():
        logits, latents = MODEL(SCALED(DIGITS.train_inputs))
    np.testing.assert_allclose(found.latents, latents, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.logits, logits, rtol=1e-5, atol=1e-6)
    assert np.array_equal(found.predictions, logits.argmax(1))
    np.testing.assert_allclose(found.latents @ found.weight.T + found.bias, found.logits, rtol=1e-4, atol=1e-5)
    assert found.class_names == tuple("0123456789")
    assert np.array_equal(found.images, DIGITS.train_inputs)
    assert found.latents.dtype == np.float32


def test_another_layer_through_a_hook():
    found = embedded(layer="backbone.1")
    expected = MODEL.backbone[1](torch.flatten(SCALED(DIGITS.train_inputs), 1)).detach()
    np.testing.assert_allclose(found.latents, expected, rtol=1e-5, atol=1e-6)
    assert (found.weight, found.bias) == (None, None)
    assert found.logits.shape == (200, 10)
    assert "the head is left out: it does not read backbone.1" in found.notes


def test_maps_are_averaged_over_their_positions():
    state = torchvision_resnet((1, 1), "basic", first=8, classes=10, kernel=3)
    pictures = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), np.uint8)
    resnet = network(state)
    found = embed(resnet, pictures, np.arange(6), normalisation=normalisation("0..1"), layer="layer2.0")
    last = embed(resnet, pictures, np.arange(6), normalisation=normalisation("0..1"))
    np.testing.assert_allclose(found.latents, last.latents, rtol=1e-5, atol=1e-6)  # the last block, then the mean
    assert "values of layer2.0 averaged over their 8 × 8 positions" in found.notes


def test_progress_and_an_error_of_its_own():
    shares = []
    embedded(progress=lambda share, what: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) == 7

    def stop(share, what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embedded(progress=stop)


def test_names_for_the_classes_that_data_does_not_name():
    few = DIGITS.train_labels < 3
    names = ("zero", "one", "two")
    found = embedded(inputs=DIGITS.train_inputs[few], labels=DIGITS.train_labels[few], class_names=names)
    assert found.class_names == ("zero", "one", "two", *"3456789")


def broken():
    state = {name: value.clone() for name, value in MODEL.state_dict().items()}
    state["backbone.1.bias"][0] = float("nan")
    return network(state)


@pytest.mark.parametrize(("changes", "message"), [
    ({"inputs": np.zeros((4, 9, 9, 1), np.uint8), "labels": np.zeros(4, int)},
     "expected inputs of shape 64 for LPC Lab MLP 64-16-3-10, got 1 × 9 × 9; choose data of that shape"),
    ({"labels": DIGITS.train_labels + 1}, "expected labels 0 to 9, one of the network's classes each, got 1 to 10"),
    ({"labels": DIGITS.train_labels[:9]}, r"expected pictures \(n, H, W, C\) or vectors \(n, D\) with one label each"),
    ({"labels": DIGITS.train_labels.astype(float)}, "expected labels 0 to 9"),
    ({"inputs": DIGITS.train_inputs[:0], "labels": DIGITS.train_labels[:0]}, "expected pictures"),
    ({"layer": "backbone.9"}, r"layer: expected penultimate or a module .* \(backbone, .*\), got 'backbone.9'; choose"),
    ({"layer": "dropout.x"}, "layer: expected penultimate or a module"),
    ({"network": broken()}, "expected finite values, got NaN or infinity for 200 of 200 samples; the checkpoint's"),
])
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        embedded(**changes)


def test_pictures_of_a_shape_that_a_convnet_cannot_take():
    resnet = network(torchvision_resnet((1, 1), "basic", first=8))
    with pytest.raises(ValueError, match=r"expected inputs of shape 3 × \? × \? for ResNet-6 .*, got 1 × 8 × 8;"):
        embed(resnet, DIGITS.train_inputs, DIGITS.train_labels, normalisation=SCALED)
    convnet = network(build(unflatten({"model": "convnet", "width": 4}).model, (1, 16, 16), 10, 0).state_dict())
    small = np.zeros((2, 2, 2, 1), np.uint8)
    with pytest.raises(ValueError, match=r"expected inputs that pass through every layer, got \(2, 1, 2, 2\): "):
        embed(convnet, small, np.zeros(2, int), normalisation=normalisation("0..1"))


def test_thumbnails_are_block_means_and_bounded():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 150, 130, 3), np.uint8)
    small, note = thumbnails(pictures)
    assert small.shape == (3, 50, 43, 3)
    assert max(small.shape[1:3]) <= MOST_SIDE
    by_hand = pictures[1, 3:6, 6:9, 2].astype(float).mean()
    assert small[1, 1, 2, 2] == round(by_hand)
    assert note == "thumbnails are 50 × 43 pixels, from 150 × 130"
    floats, _ = thumbnails(np.full((2, 4, 4, 1), 0.5, np.float32))
    assert floats.dtype == np.uint8
    assert (floats == 128).all()


@pytest.mark.parametrize(("height", "width", "small"), [(1, 200, (1, 50)), (3, 400, (1, 57)), (640, 2, (64, 1))])
def test_thumbnails_of_thin_pictures(height, width, small):
    assert thumbnails(np.zeros((2, height, width, 3), np.uint8))[0].shape == (2, *small, 3)


def test_many_pictures_become_smaller(monkeypatch):
    monkeypatch.setattr("lpc_core.inspection.running.MOST_THUMBNAIL_BYTES", 10 * 4 * 4 * 3)
    assert thumbnails(np.zeros((10, 8, 8, 3), np.uint8))[0].shape == (10, 4, 4, 3)
