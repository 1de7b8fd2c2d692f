"""DeepFool: closed forms, the one-picture loop, foolbox; who leaves the batch when; where it cannot move."""

import importlib
import math
import warnings

import numpy as np
import pytest
import torch
from scipy.stats import binom
from torch import nn

from lpc_core.robustness import deepfool
from tests.core.robustness._known import deepfool_one, linear_distances

MODULE = importlib.import_module("lpc_core.robustness.deepfool")  # the package's own `deepfool` is the function
TINY = 1e-4  # what the published code adds to every step


def test_a_linear_model_falls_in_one_step_of_known_length(linear, inputs):
    found = deepfool(linear, inputs, overshoot=0.02)
    np.testing.assert_allclose(found.norms, 1.02 * (linear_distances(linear, inputs) + TINY), rtol=1e-4)
    assert found.success.all()
    assert (found.backwards <= 4).all()
    assert (found.forwards == 1 + found.backwards).all()  # the input's own pass is the first linearisation's


def test_the_pass_of_the_inputs_is_repeated_only_for_several_batches_or_wrong_samples(linear, inputs):
    whole, parts = deepfool(linear, inputs), deepfool(linear, inputs, batch_size=30)
    np.testing.assert_allclose(whole.norms, parts.norms, rtol=1e-5)
    assert (parts.forwards == 2 + parts.backwards).all()
    labels = linear(inputs).argmax(1)
    labels[3] = (labels[3] + 1) % 5
    told = deepfool(linear, inputs, labels)
    np.testing.assert_allclose(told.norms[told.attacked], whole.norms[told.attacked], rtol=1e-5)
    assert (told.forwards[told.attacked] == 2 + told.backwards[told.attacked]).all()


def test_it_is_the_loop_over_single_pictures(collapsed):
    found = deepfool(collapsed.model, collapsed.inputs[:60], trust=math.inf)
    norms = [deepfool_one(collapsed.logits, picture) for picture in collapsed.inputs[:60]]
    np.testing.assert_allclose(found.norms, norms, rtol=2e-3)
    np.testing.assert_allclose(found.norms.mean(), np.mean(norms), rtol=1e-4)


def test_it_is_foolbox_within_bounds(ordinary):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Please import `gaussian_filter`", DeprecationWarning)
        import foolbox
    low, high = float(ordinary.bounds[0]), float(ordinary.bounds[1])
    theirs = foolbox.PyTorchModel(_Logits(ordinary.model).eval(), bounds=(low, high), device="cpu")
    x, y = ordinary.inputs.clamp(low, high), torch.from_numpy(ordinary.labels)
    _, perturbed, _ = foolbox.attacks.L2DeepFoolAttack(steps=50, candidates=10, overshoot=0.02)(
        theirs, x, y, epsilons=None)
    found = deepfool(ordinary.model, x, y, bounds=(low, high), trust=math.inf)
    right = found.attacked
    np.testing.assert_allclose(found.norms[right], (perturbed - x).flatten(1).norm(dim=1).numpy()[right], rtol=2e-3)


class _Logits(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)[0]


@pytest.mark.parametrize("network", ["ordinary", "collapsed"])
def test_rivals_that_are_left_out_hardly_matter(network, request):
    net = request.getfixturevalue(network)
    few, all_ = deepfool(net.model, net.inputs), deepfool(net.model, net.inputs, trust=math.inf)
    assert few.norms.mean() == pytest.approx(all_.norms.mean(), rel=0.02)
    assert few.backwards.sum() < 0.9 * all_.backwards.sum()


@pytest.mark.parametrize("count", [1, 40, 1000])
def test_a_far_larger_gap_does_not_hide_the_nearest_boundary(count):
    """To the second class the gap is 10 and the gradient 1 long; to the third 50 and 20."""
    model = nn.Linear(6, 3)
    with torch.no_grad():
        model.weight.copy_(torch.eye(3, 6) * torch.tensor([[0.0], [1.0], [20.0]]))
        model.bias.copy_(torch.tensor([50.0, 40.0, 0.0]))
    x = 0.1 * torch.randn(count, 6, generator=torch.Generator().manual_seed(0))
    found = deepfool(model, x)
    np.testing.assert_allclose(found.norms, 1.02 * (linear_distances(model, x) + TINY), rtol=1e-4)
    assert (found.norms < 3).all()


@pytest.mark.parametrize("trust", [1.75, math.inf])
@pytest.mark.parametrize("apart", [0.0, 1e-3])
def test_a_rival_without_a_gradient_does_not_hide_the_others(trust, apart):
    """Classes 0 and 1 have one and the same logit, or logits that differ by a constant only."""
    model = nn.Linear(6, 3)
    with torch.no_grad():
        model.weight.copy_(torch.eye(3, 6))
        model.weight[1] = model.weight[0]
        model.bias.copy_(torch.tensor([2.0, 2.0 - apart, 0.0]))
    x = 0.1 * torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
    found = deepfool(model, x, torch.zeros(200, dtype=torch.int64), trust=trust)
    assert found.success[found.attacked].all()
    away = (model(x)[:, 0] - model(x)[:, 2]).detach().numpy() / math.sqrt(2)
    np.testing.assert_allclose(found.norms[found.attacked], 1.02 * (away + TINY)[found.attacked], rtol=1e-4)


@pytest.mark.parametrize("near", [1e-1, 1e-2, 1e-3])
def test_a_few_samples_with_uncommonly_short_gradients_are_seen(near):
    """Classes 0 and 1 are nearly the same, and a sixteenth of the samples are theirs: the limit does not know them."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 10))
    with torch.no_grad():
        model[2].weight[1] = model[2].weight[0] + near * model[2].weight[5]
        model[2].bias[1] = model[2].bias[0] - 0.05
    torch.manual_seed(1)
    x = torch.randn(256, 20)
    some, every = deepfool(model, x), deepfool(model, x, trust=math.inf)
    assert some.norms.mean() == pytest.approx(every.norms.mean(), rel=0.02)
    assert some.norms.max() < 1.5 * every.norms.max()


def test_an_infinite_gradient_leaves_the_model_alone():
    def strict(x):
        assert x.isfinite().all()
        return torch.stack([x.abs().sqrt().sum(1) - 3, x[:, 0]], 1)

    x = torch.randn(30, 6, generator=torch.Generator().manual_seed(0)).abs() + 0.1
    x[7, 3] = 0.0
    found = deepfool(strict, x)
    assert not found.success[7]
    assert found.success[np.arange(30) != 7].all()


@pytest.mark.parametrize("count", [0, 1, 28, 29, 50, 179, 4000])
def test_the_limit_is_above_nine_tenths_with_a_confidence_of_95_percent(count):
    reach = MODULE._Reach(0.0)
    ratios = torch.arange(1.0, count + 1)[torch.randperm(count, generator=torch.Generator().manual_seed(0))]
    assert reach.learn(torch.cat([ratios, torch.tensor([math.nan])]))
    if count < 29:
        assert reach.limit == math.inf
    else:  # the r-th of n lies above the quantile when fewer than r of them lie below that
        rank = int(reach.limit)
        assert binom.cdf(rank - 1, count, 0.9) >= 0.95 > binom.cdf(rank - 2, count, 0.9)


def test_the_limit_follows_all_that_was_measured():
    reach = MODULE._Reach(1.75)
    assert reach.learn(torch.full((28,), 1.2))  # too few to tell
    assert reach.limit == math.inf
    assert not reach.learn(torch.full((32,), 1.2))
    assert reach.limit == 1.75
    assert reach.learn(torch.full((20,), 3.0))
    assert reach.limit == 3.0
    assert not reach.learn(torch.full((900,), 1.0))
    assert reach.limit == 1.75


def test_pairs_may_be_asked_about_in_pieces(collapsed, monkeypatch):
    once = deepfool(collapsed.model, collapsed.inputs)
    monkeypatch.setattr(MODULE, "SMALL", 0)
    pieces = deepfool(collapsed.model, collapsed.inputs)
    np.testing.assert_allclose(once.norms, pieces.norms, rtol=1e-3)
    assert (once.backwards == pieces.backwards).all()


def test_graphs_hold_no_more_samples_than_the_batch(collapsed, monkeypatch):
    monkeypatch.setattr(MODULE, "SMALL", 0)
    sizes = []

    def watched(inputs):
        if inputs.requires_grad:
            sizes.append(len(inputs))
        return collapsed.model(inputs)[0]

    deepfool(watched, collapsed.inputs, batch_size=7)
    assert max(sizes) == 7


def test_without_labels_every_sample_leaves_the_class_it_was_given(ordinary):
    wrong = ordinary.labels.copy()
    wrong[:5] = (wrong[:5] + 1) % 10
    blind, told = (deepfool(ordinary.model, ordinary.inputs, labels, trust=math.inf) for labels in (None, wrong))
    assert not blind.initially_wrong.any()
    assert (blind.norms > 0).all()
    assert told.initially_wrong[:5].all()
    assert (told.norms[told.initially_wrong] == 0).all()
    assert (told.evaluations[told.initially_wrong] == 1).all()
    np.testing.assert_allclose(told.norms[told.attacked], blind.norms[told.attacked], rtol=1e-4)


def test_pieces_of_the_batch_give_the_same(collapsed):
    whole, parts = (deepfool(collapsed.model, collapsed.inputs, batch_size=size, trust=math.inf) for size in (1_000, 7))
    np.testing.assert_allclose(whole.norms, parts.norms, rtol=2e-3)


def test_only_the_candidate_classes_are_looked_at(linear, inputs):
    assert (deepfool(linear, inputs, candidates=2).backwards == 1).all()
    more = deepfool(linear, inputs, candidates=100)  # there are five
    np.testing.assert_array_equal(more.norms, deepfool(linear, inputs, candidates=5).norms)


def test_a_flat_model_is_an_unsuccessful_one(inputs):
    def flat(x):
        return torch.tensor([1.0, 0.0]) + 0 * x[:, :2]

    found = deepfool(flat, inputs)
    assert (found.forwards == 2).all()  # it gives up at once
    assert not found.success.any()
    assert np.isinf(found.norms).all()
    assert torch.equal(found.perturbed, inputs)


def test_finished_samples_cost_nothing_more(collapsed):
    """The samples that need several steps are few, and only they are asked again."""
    found = deepfool(collapsed.model, collapsed.inputs)
    asked = []

    def counted(x):
        asked.append(len(x))
        return collapsed.logits(x)

    deepfool(counted, collapsed.inputs)
    assert sum(asked) == found.forwards.sum()
    assert len(np.unique(found.forwards)) > 1


@pytest.mark.parametrize(("settings", "got"), [
    ({"candidates": 1}, "got 1, 50, 0.02, 1.75"), ({"steps": 0}, "got 10, 0, 0.02, 1.75"),
    ({"overshoot": -1.0}, "got 10, 50, -1.0"), ({"trust": 0.5}, "got 10, 50, 0.02, 0.5"),
    ({"trust": math.nan}, "got 10, 50, 0.02, nan"),
])
def test_settings_are_checked(linear, inputs, settings, got):
    with pytest.raises(ValueError, match=f"expected candidates ≥ 2, steps ≥ 1, overshoot ≥ 0 and trust ≥ 1, {got}"):
        deepfool(linear, inputs, **settings)
