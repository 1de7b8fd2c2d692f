"""Flips and crops against a slow loop; exact repetition; where pictures are needed, it is said."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lpc_core.config import ConfigError, unflatten
from lpc_core.data import load
from lpc_core.engine._augment import NOISE, PADDING, SMALL_PADDING, FlipCrop, flip_crop
from lpc_core.engine.batches import Batches
from lpc_core.engine.trainer import Trainer

SMALL = {"dataset": "digits", "samples": 300, "test_samples": 60, "steps": 60, "batch_size": 32, "ramp_steps": 60,
         "latent_dim": 4, "augment": "flip-crop", "hidden": (16,)}
CPU = torch.device("cpu")


def slowly(picture, variant):
    """One picture (C, H, W) padded, cut out and mirrored."""
    _, height, width = picture.shape
    flip, down, right = variant % 2, variant // 2 % 9, variant // 18
    padded = F.pad(picture[None], [PADDING] * 4, mode="reflect")[0]
    crop = padded[:, down : down + height, right : right + width]
    return crop.flip(2) if flip else crop


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 9), (3, 32, 32)])
def test_every_variant_is_what_a_slow_loop_gives(shape):
    variants = torch.arange(2 * 9 * 9)
    pictures = torch.randn(len(variants), *shape)
    expected = torch.stack([slowly(p, int(v)) for p, v in zip(pictures, variants, strict=True)])
    for given in (pictures, pictures.contiguous(memory_format=torch.channels_last)):
        torch.testing.assert_close(flip_crop(given, variants), expected, rtol=0, atol=0)


def test_all_variants_come_up_equally_often_and_the_noise_is_small():
    changed = FlipCrop(0, CPU)(torch.arange(8.0).expand(20_000, 1, 8, 8))
    corner = changed[:, 0, 0, 0].round()  # its column: |shift − 4| unflipped
    assert torch.equal(corner.unique(), torch.arange(8.0))
    assert (changed - changed.round()).std() == pytest.approx(NOISE, rel=0.05)
    tilted = (changed[:, 0, 0, 4] - changed[:, 0, 0, 3]).round()
    assert (tilted < 0).float().mean() == pytest.approx(0.5, abs=0.02)


def test_pictures_come_back_channels_last_and_the_given_ones_are_untouched():
    pictures = torch.randn(6, 3, 8, 8)
    before = pictures.clone()
    changed = FlipCrop(0, CPU)(pictures)
    assert changed.is_contiguous(memory_format=torch.channels_last)
    assert changed.shape == pictures.shape
    assert torch.equal(pictures, before)


def test_its_numbers_are_its_own():
    torch.manual_seed(1)
    pictures = torch.randn(4, 1, 8, 8)
    first = FlipCrop(3, CPU)(pictures)
    torch.rand(10)
    assert torch.equal(first, FlipCrop(3, CPU)(pictures))
    assert not torch.equal(first, FlipCrop(4, CPU)(pictures))


@pytest.mark.parametrize("block", [0, 4])
def test_a_saved_run_goes_on_exactly(block):
    config = unflatten(SMALL)
    whole, half, rest = (Trainer(config, "cpu", block=block) for _ in range(3))
    whole.advance(17)
    half.advance(17)
    rest.load_state_bytes(half.state_bytes())
    whole.advance(20)
    rest.advance(20)
    for a, b in zip(whole.model.parameters(), rest.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_it_changes_training_but_not_what_is_measured():
    plain, changed = Trainer(unflatten(SMALL | {"augment": "none"}), "cpu"), Trainer(unflatten(SMALL), "cpu")
    assert torch.equal(plain.probe.inputs, changed.probe.inputs)
    np.testing.assert_array_equal(plain.snapshot().latents, changed.snapshot().latents)
    plain.advance(5)
    changed.advance(5)
    assert not np.array_equal(plain.snapshot().latents, changed.snapshot().latents)


def test_vectors_cannot_be_flipped():
    with pytest.raises(ConfigError, match=r"augment: expected none for data that are not pictures .* got 'flip-crop'"):
        Trainer(unflatten({"augment": "flip-crop", "samples": 100}), "cpu")
    with pytest.raises(ConfigError, match="augment: expected one of none, flip-crop, alternate-flip, got 'mixup'"):
        unflatten({"augment": "mixup"})


def test_alternating_flips_turn_every_picture_in_every_other_epoch():
    data = load(unflatten({"dataset": "digits", "samples": 50, "test_samples": 20}).data, 0)
    batches = Batches(data, 16, 0, CPU, "alternate-flip")
    rows, seen = [], []
    served = batches._rows
    batches._rows = lambda: rows.append(served()) or rows[-1]
    for _ in range(25):  # eight epochs of fifty samples, in batches that cross their borders
        seen.append(batches.next()[0])
    numbers, pictures = torch.cat(rows), torch.cat(seen)
    plain = batches.normalise(batches.inputs)
    flips = {}
    for place, (number, picture) in enumerate(zip(numbers.tolist(), pictures, strict=True)):
        variants = torch.arange(2 * 25)
        same = (flip_crop(plain[number].expand(50, -1, -1, -1), variants, SMALL_PADDING) == picture).flatten(1).all(1)
        flips.setdefault(number, []).append(((place // 50) % 2, set((variants[same] % 2).tolist())))
    for turns in flips.values():
        assert len(turns) == 8
        assert any(all((odd + first) % 2 in possible for odd, possible in turns) for first in (0, 1))
    assert batches.augment._first.float().mean() == pytest.approx(0.5, abs=0.25)


def test_alternating_flips_go_on_where_a_saved_run_stood():
    run = unflatten(SMALL | {"augment": "alternate-flip"})
    whole, part, rest = (Trainer(run, "cpu") for _ in range(3))
    whole.advance(30)
    part.advance(13)
    rest.load_state_bytes(part.state_bytes())
    rest.advance(17)
    assert all(torch.equal(a, b) for a, b in zip(whole.model.parameters(), rest.model.parameters(), strict=True))
