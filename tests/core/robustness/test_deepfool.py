"""DeepFool: closed forms, the one-picture loop, foolbox; a batch decides nothing; where it cannot move."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from lpc_core.robustness import deepfool
from tests.core.robustness._known import deepfool_one, linear_distances, the_package_foolbox

TINY = 1e-4  # what the published code adds to every step


def test_a_linear_model_falls_in_one_step_of_known_length(linear, inputs):
    found = deepfool(linear, inputs, overshoot=0.02)
    np.testing.assert_allclose(found.norms, 1.02 * (linear_distances(linear, inputs) + TINY), rtol=1e-4)
    assert found.success.all()
    assert (found.backwards == 4).all()
    assert (found.forwards == 3).all()  # the input, its linearisation, the end


def random_network(seed, dtype):
    """A network of 2 to 14 classes with 1 to 3 hidden layers and weights up to 5 times the usual, and 12 samples."""
    generator = torch.Generator().manual_seed(seed)
    classes, width, depth, size = (int(torch.randint(low, high, (), generator=generator))
                                   for low, high in ((2, 15), (8, 33), (1, 4), (6, 13)))
    activation = (nn.ReLU, nn.Tanh, nn.GELU, nn.SiLU)[seed % 4]
    sizes = [size] + depth * [width]
    layers = [part for into, out in itertools.pairwise(sizes) for part in (nn.Linear(into, out), activation())]
    model = nn.Sequential(*layers, nn.Linear(width, classes)).to(dtype)
    with torch.no_grad():
        for values in model.parameters():
            reach = (1 + seed % 5) / values.shape[-1] ** 0.5
            values.copy_(reach * (2 * torch.rand(values.shape, generator=generator, dtype=dtype) - 1))
    return model, torch.randn(12, size, generator=generator, dtype=dtype)


@pytest.mark.parametrize("seed", range(40))
def test_it_is_the_published_loop_on_every_sample_and_a_batch_decides_nothing(seed):
    """In float64, where only rounding tells one sample from many: products of other sizes round otherwise."""
    model, x = random_network(seed, torch.float64)
    found, order = deepfool(model, x), torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    np.testing.assert_allclose(found.norms, [deepfool_one(model, sample) for sample in x], rtol=1e-7)
    np.testing.assert_allclose(deepfool(model, x[order], batch_size=5).norms, found.norms[order], rtol=1e-7)


def test_float32_is_the_loop_up_to_its_rounding():
    """A sample that takes many steps past kinks can magnify rounding without limit, so it is said of nearly all."""
    same = []
    for seed in range(40):
        model, x = random_network(seed, torch.float32)
        loop = [deepfool_one(model, sample) for sample in x]
        same += [np.isclose(deepfool(model, x, batch_size=size).norms, loop, rtol=1e-3) for size in (12, 5)]
    assert np.mean(same) > 0.95


def test_it_is_the_loop_over_single_pictures(collapsed):
    found = deepfool(collapsed.model, collapsed.inputs[:60])
    norms = [deepfool_one(collapsed.logits, picture) for picture in collapsed.inputs[:60]]
    np.testing.assert_allclose(found.norms, norms, rtol=2e-3)
    np.testing.assert_allclose(found.norms.mean(), np.mean(norms), rtol=1e-4)


def test_it_is_foolbox_within_bounds(ordinary):
    foolbox = the_package_foolbox()
    low, high = float(ordinary.bounds[0]), float(ordinary.bounds[1])
    theirs = foolbox.PyTorchModel(_Logits(ordinary.model).eval(), bounds=(low, high), device="cpu")
    x, y = ordinary.inputs.clamp(low, high), torch.from_numpy(ordinary.labels)
    _, perturbed, _ = foolbox.attacks.L2DeepFoolAttack(steps=50, candidates=10, overshoot=0.02)(
        theirs, x, y, epsilons=None)
    found = deepfool(ordinary.model, x, y, bounds=(low, high))
    right = found.attacked
    np.testing.assert_allclose(found.norms[right], (perturbed - x).flatten(1).norm(dim=1).numpy()[right], rtol=2e-3)


class _Logits(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)[0]


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


@pytest.mark.parametrize("apart", [0.0, 1e-3])
def test_a_rival_without_a_gradient_does_not_hide_the_others(apart):
    """Classes 0 and 1 have one and the same logit, or logits that differ by a constant only."""
    model = nn.Linear(6, 3)
    with torch.no_grad():
        model.weight.copy_(torch.eye(3, 6))
        model.weight[1] = model.weight[0]
        model.bias.copy_(torch.tensor([2.0, 2.0 - apart, 0.0]))
    x = 0.1 * torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
    found = deepfool(model, x, torch.zeros(200, dtype=torch.int64))
    assert found.success[found.attacked].all()
    away = (model(x)[:, 0] - model(x)[:, 2]).detach().numpy() / math.sqrt(2)
    np.testing.assert_allclose(found.norms[found.attacked], 1.02 * (away + TINY)[found.attacked], rtol=1e-4)


def test_an_infinite_gradient_leaves_the_model_alone():
    def strict(x):
        assert x.isfinite().all()
        return torch.stack([x.abs().sqrt().sum(1) - 3, x[:, 0]], 1)

    x = torch.randn(30, 6, generator=torch.Generator().manual_seed(0)).abs() + 0.1
    x[7, 3] = 0.0
    found = deepfool(strict, x)
    assert not found.success[7]
    assert found.success[np.arange(30) != 7].all()


def test_graphs_hold_no_more_samples_than_the_batch(collapsed):
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
    blind, told = (deepfool(ordinary.model, ordinary.inputs, labels) for labels in (None, wrong))
    assert not blind.initially_wrong.any()
    assert (blind.norms > 0).all()
    assert told.initially_wrong[:5].all()
    assert (told.norms[told.initially_wrong] == 0).all()
    assert ((told.forwards + told.backwards)[told.initially_wrong] == 1).all()
    np.testing.assert_allclose(told.norms[told.attacked], blind.norms[told.attacked], rtol=1e-4)


def test_only_the_candidate_classes_are_looked_at(linear, inputs):
    assert (deepfool(linear, inputs, candidates=2).backwards == 1).all()
    more = deepfool(linear, inputs, candidates=100)  # there are five
    np.testing.assert_array_equal(more.norms, deepfool(linear, inputs, candidates=5).norms)


def test_a_flat_model_is_an_unsuccessful_one(inputs):
    def flat(x):
        return torch.tensor([1.0, 0.0]) + 0 * x[:, :2]

    found = deepfool(flat, inputs)
    assert (found.forwards == 3).all()  # it gives up at once
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
    ({"candidates": 1}, "got 1, 50, 0.02"), ({"steps": 0}, "got 10, 0, 0.02"),
    ({"overshoot": -1.0}, "got 10, 50, -1.0"), ({"overshoot": math.nan}, "got 10, 50, nan"),
])
def test_settings_are_checked(linear, inputs, settings, got):
    with pytest.raises(ValueError, match=f"expected candidates ≥ 2, steps ≥ 1 and overshoot ≥ 0, {got}"):
        deepfool(linear, inputs, **settings)
