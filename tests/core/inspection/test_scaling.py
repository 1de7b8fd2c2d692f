"""Normalisation: asked for, never guessed; the lab's own equals what its trainer does."""

import re

import numpy as np
import pytest
import torch

from lpc_core.config import unflatten
from lpc_core.data import load
from lpc_core.data.inputs import Normaliser
from lpc_core.inspection import normalisation
from lpc_core.inspection.scaling import CHOICES

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)
DIGITS = load(unflatten({"dataset": "digits", "samples": 100, "test_samples": 20}).data, 0)


def test_the_lab_s_own_is_the_trainer_s():
    ours = normalisation("lab", DIGITS)(DIGITS.test_inputs)
    theirs = Normaliser(DIGITS, torch.device("cpu"))(torch.from_numpy(DIGITS.test_inputs))
    assert torch.equal(ours, theirs)
    vectors = load(unflatten({"samples": 50, "test_samples": 50}).data, 0)
    assert torch.equal(normalisation("lab", vectors)(vectors.test_inputs), torch.from_numpy(vectors.test_inputs))


@pytest.mark.parametrize(("text", "expected"), [
    ("none", lambda x: x),
    ("0..1", lambda x: x / 255),
    ("imagenet", lambda x: (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
    ("cifar10", lambda x: (x / 255 - [0.4914, 0.4822, 0.4465]) / [0.2470, 0.2435, 0.2616]),
    ("0.5/0.25", lambda x: (x / 255 - 0.5) / 0.25),
    ("0.1,0.2,0.3/1,2,3", lambda x: (x / 255 - [0.1, 0.2, 0.3]) / [1, 2, 3]),
])
def test_named_choices_and_numbers(text, expected):
    scaled = normalisation(text)(PICTURES)
    assert scaled.shape == (5, 3, 4, 6)
    np.testing.assert_allclose(scaled.permute(0, 2, 3, 1), expected(PICTURES.astype(float)), rtol=1e-5, atol=1e-5)


def test_floats_are_taken_to_be_on_the_scale_to_one():
    floats = (PICTURES / 255).astype(np.float32)
    torch.testing.assert_close(normalisation("imagenet")(floats), normalisation("imagenet")(PICTURES))
    with pytest.raises(ValueError, match="normalisation imagenet: expected floats from 0 to 1 or whole bytes, got"):
        normalisation("imagenet")(PICTURES.astype(np.float32))
    assert normalisation("none")(PICTURES.astype(np.float32)).max() == PICTURES.max()


@pytest.mark.parametrize(("text", "message"), [
    (None, "normalisation: expected one of lab, none, 0..1, imagenet, .*, got none; say how the network's inputs were "
           "scaled in training, this cannot be read from the file"),
    ("", "got none; say how"),
    ("standard", "normalisation: expected one of .*, got 'standard'; numbers look like 0.5,0.5,0.5/0.25,0.25,0.25"),
    ("0.5,0.5/0.1", "normalisation: expected as many standard deviations above 0 as means, got '0.5,0.5/0.1'"),
    ("0.5/0", "normalisation: expected as many standard deviations above 0"),
    ("nan/1", "normalisation: expected as many standard deviations above 0"),
    ("lab", "normalisation lab: expected a built-in data set, got data of your own; give the numbers as MEAN/STD"),
])
def test_refusals(text, message):
    with pytest.raises(ValueError, match=message):
        normalisation(text)


def test_another_number_of_channels():
    with pytest.raises(ValueError, match="normalisation cifar10: expected 3 channels, got 1; choose another"):
        normalisation("cifar10")(DIGITS.test_inputs)


def test_every_choice_is_explained():
    assert all(re.search(r"\w", words) for texts in CHOICES.values() for words in texts)
