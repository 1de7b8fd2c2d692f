"""Losses against pytorch-metric-learning called directly and against their formulas written out."""

import math
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lpc_core.config import ConfigError, LossConfig, unflatten
from lpc_core.engine.fused import supports
from lpc_core.engine.state import StateError
from lpc_core.engine.trainer import Trainer
from lpc_core.losses import losses, objective
from lpc_core.models import build

BATCH, WIDTH, CLASSES = 24, 5, 4
SMALL = {"samples": 400, "test_samples": 100, "hidden": (16,), "batch_size": 64, "steps": 60, "noise": 0.5}


def parts(seed=0):
    """A head, latents that want gradients, and labels with every class in them."""
    torch.manual_seed(seed)
    head = nn.Linear(WIDTH, CLASSES).double()
    return head, torch.randn(BATCH, WIDTH, dtype=torch.float64, requires_grad=True), torch.arange(BATCH) % CLASSES


def cosines(latents, head):
    return F.normalize(latents) @ F.normalize(head.weight).T


def value(config, head, latents, labels):
    return objective(config, head)(head(latents), latents, labels)


def test_cross_entropy_is_the_default_and_smooths():
    head, latents, labels = parts()
    config = LossConfig(label_smoothing=0.2)
    expected = F.cross_entropy(head(latents), labels, label_smoothing=0.2)
    assert value(config, head, latents, labels).item() == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize(("loss", "margin"), [("arcface", 0.0), ("arcface", 0.3), ("cosface", 0.0), ("cosface", 0.35)])
def test_margin_losses_by_their_formula(loss, margin):
    head, latents, labels = parts()
    got = value(LossConfig(loss=loss, margin=margin, scale=9.0), head, latents, labels)
    cos = cosines(latents, head).detach()
    logits = 9.0 * cos
    for i, label in enumerate(labels):
        angle = math.acos(cos[i, label])
        easy = angle <= math.pi - margin
        turned = math.cos(angle + margin) if easy else cos[i, label] - margin * math.sin(margin)
        logits[i, label] = 9.0 * (turned if loss == "arcface" else cos[i, label] - margin)
    assert got.item() == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-6)


@pytest.mark.parametrize("loss", ["arcface", "cosface"])
def test_margin_losses_give_the_librarys_value_and_gradients_to_the_heads_own_weights(loss):
    from pytorch_metric_learning.losses import ArcFaceLoss, CosFaceLoss

    head, latents, labels = parts()
    value(LossConfig(loss=loss, margin=0.4, scale=12.0), head, latents, labels).backward()
    theirs, other = parts()[0], parts()[1]
    kind, margin = (ArcFaceLoss, math.degrees(0.4)) if loss == "arcface" else (CosFaceLoss, 0.4)
    direct = kind(CLASSES, WIDTH, margin=margin, scale=12.0).double()
    direct.W.data = theirs.weight.data.T.clone()
    direct(other, labels).backward()
    torch.testing.assert_close(latents.grad, other.grad)
    torch.testing.assert_close(head.weight.grad, direct.W.grad.T)
    assert head.bias.grad is None


def test_supcon_is_the_librarys_and_its_head_learns_beside_it():
    from pytorch_metric_learning.losses import SupConLoss

    head, latents, labels = parts()
    value(LossConfig(loss="supcon", temperature=0.2), head, latents, labels).backward()
    theirs, other, _ = parts()
    SupConLoss(temperature=0.2)(other, labels).backward()
    F.cross_entropy(theirs(other.detach()), labels).backward()
    torch.testing.assert_close(latents.grad, other.grad)
    torch.testing.assert_close(head.weight.grad, theirs.weight.grad)


def test_supcon_by_its_formula():
    head, latents, labels = parts()
    got = value(LossConfig(loss="supcon", temperature=0.5), head, latents, labels)
    unit, terms = F.normalize(latents.detach()), []
    for i in range(BATCH):
        scores = {j: float(unit[i] @ unit[j]) / 0.5 for j in range(BATCH) if j != i}
        total = math.log(sum(math.exp(s) for s in scores.values()))
        own = [total - s for j, s in scores.items() if labels[j] == labels[i]]
        terms.append(sum(own) / len(own))
    expected = sum(terms) / BATCH + F.cross_entropy(head(latents), labels).item()
    assert got.item() == pytest.approx(expected, rel=1e-6)


def test_arcface_stays_finite_where_latents_lie_on_their_class_direction():
    head, _, labels = parts()
    head = head.float()
    latents = (3 * head.weight.detach()[labels]).requires_grad_()
    value(LossConfig(loss="arcface"), head, latents, labels).backward()
    assert bool(latents.grad.isfinite().all())
    assert bool(head.weight.grad.isfinite().all())


def test_the_head_of_a_margin_loss_reads_angles_and_starts_from_the_same_weights():
    config = unflatten({"loss": "arcface", "scale": 7.0})
    plain, by_angle = build(config.model, (20,), 4, 3), build(config.model, (20,), 4, 3, config.loss)
    logits, latents = by_angle(torch.randn(6, 20))
    torch.testing.assert_close(logits, 7.0 * cosines(latents, by_angle.head))
    assert torch.equal(plain.head.weight, by_angle.head.weight)
    assert not by_angle.head.bias.any()
    assert losses()["arcface"].by_angle
    assert not losses()["cross-entropy"].by_angle


@pytest.mark.parametrize("gamma", [0.0, 1.0])
@pytest.mark.parametrize("loss", ["arcface", "cosface", "supcon"])
def test_each_loss_trains_alone_and_with_the_penalty(loss, gamma):
    config = unflatten({"loss": loss, "gamma_schedule": "constant", "gamma_end": gamma, **SMALL, "steps": 300})
    trainer = Trainer(config, "cpu")
    before = trainer.snapshot()
    trainer.advance(300)
    after = trainer.snapshot()
    assert after.metrics["train_accuracy"] > max(0.8, before.metrics["train_accuracy"])
    assert after.collapse_points is None
    assert after.forces is None
    assert loss in trainer.theory_note
    assert loss in trainer.engine_note
    assert (after.metrics["penalty"] > 0) == (gamma > 0)


def test_the_penalty_shrinks_the_latents_of_every_loss():
    for loss in losses():
        radii = []
        for gamma in (0.0, 5.0):
            config = unflatten({"loss": loss, "gamma_schedule": "constant", "gamma_end": gamma, **SMALL})
            trainer = Trainer(config, "cpu")
            trainer.advance(60)
            radii.append(trainer.snapshot().metrics["norm_mean"])
        assert radii[1] < radii[0] / 2, loss


@pytest.mark.parametrize("loss", ["arcface", "supcon"])
def test_a_run_goes_on_exactly_from_its_state(loss):
    config = unflatten({"loss": loss, **SMALL})
    first, second = Trainer(config, "cpu"), Trainer(config, "cpu")
    first.advance(20)
    second.load_state_bytes(first.state_bytes())
    for trainer in (first, second):
        trainer.advance(20)
    assert (first.snapshot().latents == second.snapshot().latents).all()
    with pytest.raises(StateError):
        Trainer(unflatten(SMALL), "cpu").load_state_bytes(first.state_bytes())


def test_the_fused_engine_says_why_it_cannot():
    assert supports(unflatten({"loss": "cosface"}), (20,)) == (
        "the fused engine knows cross-entropy only, and this run's loss is cosface")
    with pytest.raises(ConfigError, match="engine: expected auto or autograd, because the fused engine knows"):
        Trainer(unflatten({"loss": "supcon", **SMALL}), "cpu", engine="fused")


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytorch_metric_learning.losses", None)
    with pytest.raises(ConfigError, match=r"loss: expected cross-entropy, or the package .*pip install pytorch-metric"):
        objective(LossConfig(loss="arcface"), nn.Linear(2, 3))
    objective(LossConfig(), nn.Linear(2, 3))
