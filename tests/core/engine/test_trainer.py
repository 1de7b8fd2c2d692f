"""The reference trainer: exact reproducibility, controls, divergence, edge cases, and the collapse itself."""

import math

import numpy as np
import pytest
import torch

import lpc_core
from lpc_core.config import ConfigError, unflatten
from lpc_core.data import Dataset, spread
from lpc_core.engine.batches import Batches
from lpc_core.engine.state import StateError, unpack
from lpc_core.engine.trainer import Trainer

SMALL = {"samples": 400, "test_samples": 100, "steps": 60, "batch_size": 32, "ramp_steps": 60}


def small(**settings):
    return unflatten(SMALL | settings)


def weights(run):
    return np.concatenate([p.detach().numpy().ravel() for p in run.model.parameters()])


def same(a, b):
    assert a.step == b.step
    assert a.metrics == pytest.approx(b.metrics, nan_ok=True, rel=0, abs=0)
    np.testing.assert_array_equal(a.latents, b.latents)
    np.testing.assert_array_equal(a.weight, b.weight)


def test_the_loop_gives_a_snapshot_at_the_start_and_after_every_so_many_steps():
    run = lpc_core.train(small(), every=25)
    assert [snapshot.step for snapshot in run] == [0, 25, 50, 60]
    assert run.finished
    assert not run.diverged


def test_equal_configs_give_equal_runs_and_seeds_matter():
    first, second = (list(lpc_core.train(small(dropout=0.3), every=30)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        same(a, b)
    other = list(lpc_core.train(small(dropout=0.3, seed=1), every=30))
    assert not np.array_equal(first[-1].weight, other[-1].weight)


def test_other_runs_in_between_change_nothing():
    alone, beside, other = Trainer(small(dropout=0.3)), Trainer(small(dropout=0.3)), Trainer(small(dropout=0.3, seed=5))
    alone.advance(40)
    for _ in range(40):
        beside.advance(1)
        other.advance(1)
    np.testing.assert_array_equal(weights(alone), weights(beside))


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3}, {"optimizer": "sgd", "lr": 1e-2}, {"batch_size": 77},
                                      {"dataset": "digits", "latent_dim": 8, "lr_schedule": "cosine"},
                                      {"dataset": "digits", "model": "convnet", "width": 4, "dropout": 0.2}])
def test_a_saved_run_goes_on_exactly(settings):
    config = small(**settings)
    whole, half, rest = Trainer(config), Trainer(config), Trainer(config)
    for run in (whole, half):
        run.advance(17)
        run.set_gamma(3.0)
        run.set_lr(2e-3)
        run.advance(8)
    rest.load_state_bytes(half.state_bytes())
    whole.advance(30)
    rest.advance(30)
    same(whole.snapshot(), rest.snapshot())
    assert whole.gamma == rest.gamma


def test_a_state_of_another_run_and_rubbish_are_refused():
    run = Trainer(small())
    with pytest.raises(StateError, match="expected the state of this configuration"):
        run.load_state_bytes(Trainer(small(seed=2)).state_bytes())
    for rubbish in (b"", b"x" * 100, run.state_bytes()[:-7]):
        with pytest.raises(StateError, match="expected the state of a run"):
            unpack(rubbish)


@pytest.mark.parametrize("every", [0, -1, 2.5, True])
def test_a_loop_that_would_never_go_on_is_refused(every):
    with pytest.raises(ConfigError, match=f"every: expected a whole number of at least 1, got {every}"):
        lpc_core.train(small(), every=every)


def test_pause_stops_after_the_present_snapshot_and_looping_again_goes_on():
    run = lpc_core.train(small(), every=np.int64(10))
    seen = []
    for snapshot in run:
        seen.append(snapshot.step)
        if snapshot.step == 20:
            run.pause()
    assert seen == [0, 10, 20]
    assert next(iter(run)).step == 30


def test_a_finished_run_can_be_extended():
    run = Trainer(small())
    assert run.advance(1_000) == 60
    assert run.advance(5) == 0
    run.extend()
    assert run.advance(1_000) == 60


def test_gamma_and_lr_can_be_taken_while_running():
    run = Trainer(small(steps=2_000, lr_schedule="constant"))
    run.set_gamma(1.0)
    run.set_lr(1e-4)
    run.advance(450)
    snapshot = run.snapshot()
    assert (snapshot.gamma, snapshot.gamma_mode, snapshot.lr, snapshot.head_lr) == (1.0, "hand", 1e-4, 1e-2)
    run.set_auto()
    run.advance(1)
    assert run.snapshot().gamma_mode == "auto"
    with pytest.raises(ConfigError, match="lr: expected a finite number above 0, got -1"):
        run.set_lr(-1)


def test_gamma_is_shown_in_the_papers_convention_too():
    snapshot = Trainer(small(convention="mean", latent_dim=4, gamma_start=8.0)).snapshot()
    assert (snapshot.gamma, snapshot.gamma_sum) == (8.0, 2.0)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_a_diverged_run_stops_at_its_last_good_state_and_says_why():
    run = Trainer(small(steps=5_000, optimizer="sgd", lr=1e-2))
    run.advance(250)
    run.set_lr(9e9)
    run.advance(5_000)
    assert run.diverged
    assert run.step == 200
    assert "diverged before step 300" in run.reason
    assert np.isfinite(weights(run)).all()
    snapshot = run.snapshot()
    assert np.isfinite(snapshot.latents).all()
    assert snapshot.reason == run.reason
    assert run.advance(10) == 0


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_a_loaded_run_that_diverges_at_once_goes_back_to_what_was_loaded():
    config = small(steps=5_000, optimizer="sgd", lr=1e-2)
    first, run = Trainer(config), Trainer(config)
    first.advance(150)
    run.load_state_bytes(first.state_bytes())
    run.set_lr(9e9)
    run.advance(5_000)
    assert run.diverged
    assert run.step == 150
    np.testing.assert_array_equal(weights(run), weights(first))


def test_a_snapshot_never_shows_what_is_not_finite():
    run = Trainer(small(steps=5_000))
    run.advance(110)
    with torch.no_grad():
        run.model.head.weight.fill_(math.nan)
        run.model.penultimate.weight.fill_(math.nan)
    assert np.isfinite(run.snapshot().latents).all()
    assert run.diverged


@pytest.mark.parametrize("gamma", [0.0, 1e-4, 1e6, 1e8])
def test_gamma_at_both_ends(gamma):
    run = Trainer(small(gamma_schedule="constant", gamma_end=gamma))
    run.advance(60)
    snapshot = run.snapshot()
    assert not run.diverged
    assert np.isfinite(snapshot.latents).all()
    assert (snapshot.collapse_points is None) == (gamma == 0)


@pytest.mark.parametrize("settings", [
    {"classes": 4, "samples": 4, "test_samples": 4},
    {"classes": 2},
    {"classes": 100, "samples": 1_000, "test_samples": 200},
    {"latent_dim": 1},
    {"latent_dim": 64, "classes": 10},
    {"batch_size": 1},
    {"dataset": "xor", "classes": 2, "hidden": ()},
], ids=str)
def test_unusual_sizes_train_and_measure(settings):
    *_, last = lpc_core.train(small(**settings))
    assert last.step == 60
    assert np.isfinite(last.latents).all()
    assert math.isfinite(last.metrics["loss"])
    assert last.means.shape == last.collapse_points.shape == last.weight.shape


@pytest.mark.parametrize("penultimate", ["nonlinear", "none"])
def test_without_a_linear_penultimate_layer_nothing_is_predicted(penultimate):
    run = Trainer(small(penultimate=penultimate))
    snapshot = run.snapshot()
    assert run.theory_note
    assert snapshot.collapse_points is None
    assert math.isnan(snapshot.metrics["predicted_radius"])


def test_a_missing_device_is_named():
    with pytest.raises(ConfigError, match=r"device: expected one of auto, cpu.* on this machine.*, got 'cuda:99'"):
        Trainer(small(), device="cuda:99")


def test_the_probe_is_stratified_and_shows_every_class():
    labels = np.repeat(np.arange(5), [1_000, 500, 250, 20, 1])
    rows = spread(labels, 200, seed=0)
    counts = np.bincount(labels[rows], minlength=5)
    assert len(rows) == len(set(rows)) == 200
    assert counts.min() >= 1
    np.testing.assert_allclose(counts / 200, np.bincount(labels) / len(labels), atol=0.01)


def test_batches_are_full_and_every_epoch_visits_every_sample_once():
    data = Dataset("x", np.arange(10, dtype=np.float32)[:, None], np.arange(10), np.zeros((1, 1), np.float32),
                   np.zeros(1, int), ("a",))
    batches = Batches(data, 4, 0, torch.device("cpu"))
    drawn = torch.cat([batches.next()[0][:, 0] for _ in range(5)]).reshape(2, 10)
    assert all(sorted(epoch.tolist()) == list(range(10)) for epoch in drawn)
    assert drawn[0].tolist() != drawn[1].tolist()


def test_the_default_run_collapses_onto_the_predicted_points():
    """Figure 1 of the paper, and finding 1: one point per class, on the shell the head's own optimum predicts."""
    snapshots = {snapshot.step: snapshot for snapshot in lpc_core.train(every=3_000)}
    early, late = snapshots[3_000], snapshots[6_000]
    assert late.metrics["train_accuracy"] == 1.0
    assert late.metrics["within_class_spread"] < 0.1
    assert late.metrics["norm_mean"] < early.metrics["norm_mean"] / 3
    assert late.metrics["radius_error"] < 0.05
    assert late.metrics["point_error"] < 0.1
