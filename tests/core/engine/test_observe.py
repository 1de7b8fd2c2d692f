"""A look at a run: equal to the public functions one by one, one pass over the probe, and clear when numbers end."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lpc_core import theory
from lpc_core.config import unflatten
from lpc_core.engine import observe
from lpc_core.engine._fused_look import Forward
from lpc_core.engine.observe import Observer, Outputs
from lpc_core.engine.probe import Probe
from lpc_core.engine.trainer import Trainer
from lpc_core.losses import latent_l2
from lpc_core.metrics import binarity, measure, node_peak_distance
from lpc_core.theory import collapse_points, forces

SMALL = {"samples": 400, "test_samples": 100, "steps": 200, "ramp_steps": 100, "batch_size": 32}
SAME = ("norm_mean", "norm_cv", "within_class_spread", "nc1_pinv", "separation_ratio", "weight_norm", "weight_abs_cv",
        "abs_cv", "node_peak_distance_mean", "node_peak_distance_min")


def sets(count=5, n=90, m=30, classes=6, d=3, missing=()):  # noqa: PLR0917
    """Outputs of ``count`` networks, a probe whose classes ``missing`` have no samples, and γ."""
    rng = np.random.default_rng(0)
    kinds = np.setdiff1d(np.arange(classes), missing)
    labels = rng.permutation(np.resize(kinds, n))
    weight, bias = 3 * rng.normal(size=(count, classes, d)), rng.normal(size=(count, classes))
    latents = (np.einsum("gkd->gdk", weight)[:, :, np.append(labels, np.zeros(m, int))]
               + rng.normal(size=(count, d, n + m))).astype(np.float32)
    logits = (weight @ latents + bias[:, :, None]).astype(np.float32)
    probe = Probe(torch.zeros(n + m, 1), labels, None, rng.integers(0, classes, m))
    return Outputs(logits, latents, weight, bias), probe, 10.0 ** np.linspace(-3, 2, count)


def means_by_loop(latents, labels, classes):
    nothing = np.full((1, latents.shape[1]), np.nan)
    return np.stack([(latents[labels == c] if c in labels else nothing).mean(axis=0) for c in range(classes)])


@pytest.mark.parametrize("shape", [{}, {"classes": 4, "d": 2}, {"classes": 3, "d": 8}, {"missing": (2,)},
                                   {"n": 6, "classes": 6}], ids=str)
@pytest.mark.parametrize("loss", [{}, {"convention": "mean"}, {"label_smoothing": 0.1}], ids=str)
@pytest.mark.parametrize("block", [1, 1 << 15])
def test_many_runs_at_once_are_measured_as_each_alone(shape, loss, block, monkeypatch):
    monkeypatch.setattr(binarity, "BLOCK", block)
    outputs, probe, gammas = sets(**shape)
    config, n = unflatten(loss).loss, len(probe.labels)
    look = Observer(config, True).look(probe, outputs, gammas, True)
    for g, gamma in enumerate(gammas):
        z, logits = outputs.latents[g, :, :n].T, outputs.logits[g]
        head = outputs.weight[g], outputs.bias[g]
        paper = gamma / z.shape[1] if config.convention == "mean" else gamma
        points = collapse_points(*head, paper, label_smoothing=config.label_smoothing)
        means = means_by_loop(z.astype(float), probe.labels, len(head[0]))
        np.testing.assert_array_equal(look.latents[g], z)
        np.testing.assert_array_equal(look.predictions[g], logits[:, :n].argmax(0))
        np.testing.assert_allclose(look.means[g], means, rtol=1e-10)
        np.testing.assert_allclose(look.collapse_points[g], points, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(look.forces[g], forces(means, *head, paper, label_smoothing=config.label_smoothing),
                                   rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(look.node_peak_distance[g], node_peak_distance(z), rtol=1e-9)
        found = {name: values[g] for name, values in look.metrics.items()}
        expected = measure(z, probe.labels, look.predictions[g], weight=head[0], bias=head[1], only=SAME)
        for name in SAME:
            assert found[name] == pytest.approx(expected[name], rel=1e-6, nan_ok=True), name
        _losses_agree(found, logits, z, probe, config, gamma)
        radius = np.linalg.norm(points, axis=1)
        assert found["predicted_radius"] == pytest.approx(radius[probe.labels].mean(), rel=1e-6)
        misses = np.linalg.norm(means - points, axis=1) / radius
        assert found["point_error"] == pytest.approx(np.nanmean(misses), rel=1e-5)


def _losses_agree(found, logits, z, probe, config, gamma):  # noqa: PLR0917
    n = len(probe.labels)
    ce = F.cross_entropy(torch.from_numpy(logits[:, :n].T.astype(float)), torch.from_numpy(probe.labels),
                         label_smoothing=config.label_smoothing)
    penalty = gamma * latent_l2(torch.from_numpy(z.astype(float)), config.convention)
    assert found["ce"] == pytest.approx(float(ce), rel=1e-9)
    assert found["penalty"] == pytest.approx(float(penalty), rel=1e-9)
    assert found["loss"] == pytest.approx(found["ce"] + found["penalty"])
    assert found["train_accuracy"] == (logits[:, :n].argmax(0) == probe.labels).mean()
    assert found["test_accuracy"] == (logits[:, n:].argmax(0) == probe.test_labels).mean()


@pytest.mark.parametrize("part", ["logits", "latents", "weight", "bias"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_run_that_is_not_finite_is_told_as_nan_and_harms_no_other(part, value):
    outputs, probe, gammas = sets()
    known = Observer(unflatten({}).loss, True).look(probe, outputs, gammas, True)
    getattr(outputs, part)[1].flat[0] = value
    outputs = Outputs(outputs.logits, outputs.latents, outputs.weight, outputs.bias)
    look = Observer(unflatten({}).loss, True).look(probe, outputs, gammas, True)
    others = [0, 2, 3, 4]
    for name, values in look.metrics.items():
        assert math.isnan(values[1]), name
        np.testing.assert_allclose(values[others], known.metrics[name][others], rtol=1e-9)
    for name in ("means", "collapse_points", "forces", "node_peak_distance"):
        assert np.isnan(getattr(look, name)[1]).all()
        np.testing.assert_allclose(getattr(look, name)[others], getattr(known, name)[others], rtol=1e-9)


def test_numbers_too_large_to_square_are_finite_all_the_same():
    outputs, _, _ = sets()
    outputs.logits[2] *= 1e30
    outputs = Outputs(outputs.logits, outputs.latents, outputs.weight, outputs.bias)
    assert outputs.finite.all()
    outputs.latents[3, 0, 0] = math.inf
    outputs = Outputs(outputs.logits, outputs.latents, outputs.weight, outputs.bias)
    assert outputs.finite.tolist() == [True, True, True, False, True]


@pytest.mark.parametrize("classes", [2, 10, 255, 256, 300])
def test_of_equal_logits_the_first_class_is_predicted(classes):
    logits = np.random.default_rng(0).integers(-3, 3, (2, classes, 500)).astype(np.float32)
    predictions = observe._largest(logits)
    assert predictions.dtype == np.int64
    assert np.array_equal(predictions, logits.argmax(axis=1))


def test_a_look_keeps_its_numbers_when_the_next_one_comes():
    (outputs, probe, gammas), observer = sets(), Observer(unflatten({}).loss, True)
    first = observer.look(probe, outputs, gammas, True)
    arrays = {"means": first.means, "collapse_points": first.collapse_points, "forces": first.forces,
              "node_peak_distance": first.node_peak_distance,
              "latents": first.latents, **first.metrics}
    kept = {name: array.copy() for name, array in arrays.items()}
    moved = Outputs(2 * outputs.logits, -outputs.latents, 2 * outputs.weight, outputs.bias)
    observer.look(probe, moved, gammas, True)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, kept[name], err_msg=name)


def test_what_labels_alone_say_is_worked_out_once(monkeypatch):
    made = []
    labels = observe.Labels
    monkeypatch.setattr(observe, "Labels", lambda *given: (made.append(given), labels(*given))[1])
    outputs, probe, gammas = sets()
    observer = Observer(unflatten({}).loss, True)
    made.clear()
    for _ in range(3):
        observer.look(probe, outputs, gammas, True)
    assert len(made) == 1
    other = Probe(probe.everything, np.sort(probe.labels), None, probe.test_labels)
    assert not np.allclose(observer.look(other, outputs, gammas, True).means, observer.look(probe, outputs, gammas,
                                                                                            True).means)
    assert len(made) == 3


def test_a_head_of_nan_alone_sends_the_run_back_to_its_last_good_state():
    run = Trainer(unflatten(SMALL), "cpu")
    run.advance(110)
    with torch.no_grad():
        run.model.head.weight.fill_(math.nan)
    snapshot = run.snapshot()
    assert run.diverged
    assert snapshot.reason.startswith("The run diverged")
    assert all(np.isfinite(array).all() for array in (snapshot.weight, snapshot.latents, snapshot.collapse_points))


# ---- one pass ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["fused", "autograd"])
@pytest.mark.parametrize("metrics", [True, False])
def test_a_snapshot_passes_over_the_probe_once(engine, metrics, monkeypatch):
    run = Trainer(unflatten(SMALL), "cpu", engine=engine)
    seen = []
    look = run.engine.look
    monkeypatch.setattr(run.engine, "look", lambda inputs: (seen.append(len(inputs)), look(inputs))[1])
    run.snapshot(metrics=metrics)
    assert seen == [500 if metrics else 400]


@pytest.mark.parametrize("settings", [
    {}, {"penultimate": "nonlinear"}, {"penultimate": "none"}, {"hidden": ()}, {"hidden": (), "penultimate": "none"},
    {"dropout": 0.5}, {"activation": "tanh", "latent_dim": 5}], ids=str)
def test_the_fused_pass_gives_what_the_model_gives(settings, monkeypatch):
    run = Trainer(unflatten({**SMALL, **settings}), "cpu", engine="fused")
    run.advance(20)
    monkeypatch.setattr("lpc_core.engine._fused_look.SCRATCH", 1_000)  # several pieces, the last one short
    logits, latents = run.engine.look(run.probe.everything)
    with torch.no_grad():
        expected = run.model.eval()(run.probe.everything)
    torch.testing.assert_close(logits[0].T, expected[0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(latents[0].T, expected[1], rtol=1e-5, atol=1e-5)
    assert isinstance(run.engine._forward, Forward)


# ---- theory --------------------------------------------------------------------------------------------------------


def steps_taken(monkeypatch, work):
    taken = []
    damped = theory._damped
    with monkeypatch.context() as patch:
        patch.setattr(theory, "_damped", lambda *given: (taken.append(1), damped(*given))[1])
        result = work()
    return result, len(taken)


def test_points_start_from_the_last_frame_and_equal_cold_ones(monkeypatch):
    run = Trainer(unflatten({**SMALL, "steps": 1_000, "gamma_end": 1e-3}), "cpu")  # far out, where cold starts are long
    run.advance(600)
    run.snapshot(metrics=False)
    run.advance(1)
    warm, few = steps_taken(monkeypatch, lambda: run.snapshot(metrics=False))
    run._observer.forget()
    cold, many = steps_taken(monkeypatch, lambda: run.snapshot(metrics=False))
    assert few < many
    np.testing.assert_allclose(warm.collapse_points, cold.collapse_points, rtol=1e-6)
    _, none = steps_taken(monkeypatch, lambda: run.snapshot(metrics=False))
    assert none == 0


@pytest.mark.parametrize(("classes", "d"), [(4, 2), (5, 9)])
def test_points_that_move_evenly_are_looked_for_where_they_go(classes, d, monkeypatch):
    rng = np.random.default_rng(2)
    weight, turn = rng.normal(size=(2, 1, classes, d)) * np.array([1, 0.01]).reshape(2, 1, 1, 1)
    probe = Probe(torch.zeros(classes, 1), np.arange(classes), None, np.arange(classes))
    nothing = np.zeros((1, classes, classes), np.float32), np.zeros((1, d, classes), np.float32)
    gamma, bias = np.array([0.01]), np.zeros((1, classes))

    def look(observer, moment):
        return observer.look(probe, Outputs(*nothing, weight + moment * turn, bias), gamma, False)

    moved, last = Observer(unflatten({}).loss, True), Observer(unflatten({}).loss, True)
    for moment in range(3):
        look(moved, moment)
    look(last, 2)  # knows where the points were, but not where they came from
    found, few = steps_taken(monkeypatch, lambda: look(moved, 3))
    same, many = steps_taken(monkeypatch, lambda: look(last, 3))
    assert few < many
    np.testing.assert_allclose(found.collapse_points, same.collapse_points, rtol=1e-6)


@pytest.mark.parametrize(("classes", "d"), [(2, 1), (4, 2), (10, 3), (5, 9)])
@pytest.mark.parametrize("block", [1, 1 << 18])
def test_many_heads_at_once_have_the_points_of_each_alone(classes, d, block, monkeypatch):
    monkeypatch.setattr(theory, "BLOCK", block)
    rng = np.random.default_rng(1)
    weight = rng.normal(size=(7, classes, d)) * 10.0 ** np.linspace(-3, 3, 7)[:, None, None]
    weight[3] = 1.0  # a head that tells nothing apart
    bias, gamma = rng.normal(size=(7, classes)), 10.0 ** rng.uniform(-6, 4, 7)
    start = rng.normal(size=weight.shape)
    for given in (None, start):
        found = collapse_points(weight, bias, gamma, given)
        for g in range(7):
            alone = collapse_points(weight[g], bias[g], gamma[g], None if given is None else given[g])
            np.testing.assert_allclose(found[g], alone, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(collapse_points(weight, bias, 0.5)[2], collapse_points(weight[2], bias[2], 0.5))


def test_what_is_not_solved_is_nan_where_that_is_wanted(monkeypatch):
    monkeypatch.setattr(theory, "MAX_STEPS", 2)
    rng = np.random.default_rng(0)
    weight = np.stack([np.ones((4, 2)), rng.normal(size=(4, 2))])
    with pytest.raises(RuntimeError, match="after 2 Newton steps"):
        collapse_points(weight, np.zeros((2, 4)), 1e-4)
    found = collapse_points(weight, np.zeros((2, 4)), 1e-4, unsolved_as_nan=True)
    assert np.isnan(found).all(axis=(1, 2)).tolist() == [False, True]


def test_one_gamma_per_head_or_one_for_all():
    with pytest.raises(ValueError, match=r"expected one gamma, or one per head, got \(2,\) for weight \(3, 4, 2\)"):
        collapse_points(np.ones((3, 4, 2)), np.ones((3, 4)), np.ones(2))
