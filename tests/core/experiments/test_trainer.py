"""The row's trainer: courses reach the steps, margins and contrast the loss, and a state goes on exactly."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lpc_core.data import Dataset
from lpc_core.experiments import plan
from lpc_core.experiments._trainer import RowTrainer
from tests.core._going_on import check_goes_on


def trainer(name, scale=0.05, **options):
    run = plan([name], scale=scale, options=options)[0]
    return RowTrainer(run.row, run.config, scale, "cpu")


def test_gamma_and_rates_are_those_of_the_course_at_every_step():
    run = trainer("digits/lpc")
    row, seen = run.row, []
    while not run.finished:
        published = int((run.epoch - 1) / 0.05) + 1
        run.advance(1)
        seen.append((run.gamma.value, row.gamma.at(published)))
        assert run.lr == row.lr.at(run.config.optim.lr, published)
    assert all(a == b for a, b in seen)
    assert max(seen)[0] == row.gamma.end
    assert run.step_of_epoch(1) == 0
    assert run.step_of_epoch(run.epochs + 1) == run.config.steps


@pytest.mark.parametrize("name", ["digits/no-pen-arcface", "digits/lpc-scl", "digits/no-pen-dropout"])
def test_a_restored_state_goes_on_exactly(name):
    check_goes_on(lambda: trainer(name), 31, 29)


def test_arcfaces_margin_and_scale_grow_with_the_epochs():
    run = trainer("digits/no-pen-arcface", scale=1.0)
    run.advance(run.step_of_epoch(6) + 1)
    scale, margin = run.row.margins.at(6)
    assert run.model.head.scale == scale == 28.5
    assert margin > run.config.loss.margin
    torch.manual_seed(0)
    latents, labels = torch.randn(16, 64), torch.randint(0, 10, (16,))
    weight = run.model.head.weight.detach()
    cosines = F.normalize(latents) @ F.normalize(weight).T
    turned = torch.where(F.one_hot(labels, 10).bool(), (cosines.acos() + margin).cos(), cosines)
    expected = F.cross_entropy(scale * turned, labels)
    assert run.engine.objective(None, latents, labels).item() == pytest.approx(float(expected), rel=1e-4)


def test_a_restored_state_answers_with_the_scale_it_was_trained_with():
    run, again = trainer("digits/no-pen-arcface"), trainer("digits/no-pen-arcface")
    run.advance(run.config.steps)
    again.load_state_bytes(run.state_bytes())
    assert again.model.head.scale == run.model.head.scale > run.config.loss.scale
    for a, b in zip(run.look()[1].logits, again.look()[1].logits, strict=True):
        np.testing.assert_array_equal(a, b)


def test_contrast_acts_on_the_backbones_features():
    run = trainer("digits/lpc-scl")
    inputs, labels = run.batches.peek()
    logits, latents = run.model(inputs)
    found = run.engine.objective(logits, latents, labels)
    z = F.normalize(run.model.backbone(inputs))  # (B, 64)
    scores = (z @ z.T / 0.05).fill_diagonal_(-math.inf)
    same = (labels[:, None] == labels).fill_diagonal_(False)
    logs = scores - scores.logsumexp(1, keepdim=True)
    contrast = -(logs.where(same, torch.zeros(())).sum(1) / same.sum(1).clamp(min=1)).mean()
    assert found.item() == pytest.approx((F.cross_entropy(logits, labels) + contrast).item(), rel=1e-4)


def test_noise_is_what_the_row_says():
    pictures = np.random.default_rng(0).integers(0, 255, (40, 12, 12, 3), np.uint8)
    labels = np.arange(40) % 10
    data = Dataset("pictures", pictures, labels, pictures, labels, tuple("0123456789"))
    for noise in ("0", "0.01"):
        run = plan(["cifar10-small/lpc"], options={"noise": noise})[0]
        batches = RowTrainer(run.row, run.config, 1.0, "cpu", data).batches
        assert batches.augment.noise == float(noise)
        values = (batches.next()[0] * batches.normalise.std + batches.normalise.mean) * 255
        assert (float((values - values.round()).abs().max()) < 0.01) == (noise == "0")  # whole pixels without noise
