"""What any attack sees to: bounds, success, counts, models of every kind left as they were, and what is refused."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from lpc_core.robustness import Attack, attacks, ddn, deepfool, fmn, hopskipjump, pgd_l2
from tests.core.robustness._known import linear_distances

EVERY = pytest.mark.parametrize("attack", [kind() for kind in attacks().values()], ids=list(attacks()))


class Net(nn.Module):
    """With batch norm and dropout, which behave otherwise in training."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(12, 16), nn.BatchNorm1d(16), nn.SiLU(), nn.Dropout(0.5), nn.Linear(16, 4))

    def forward(self, x):
        return self.layers(x)


@dataclass(frozen=True)
class Careless(Attack):
    """Asks about a point far outside, once, and never looks whether it helped."""

    name = title = source = "careless"
    white_box = False

    def run(self, search):
        """Look far away."""
        search.ask(search.inputs + 100, search.rows)


def test_each_is_found_by_its_name():
    assert {name: kind.name for name, kind in attacks().items()} == {name: name for name in attacks()}
    assert set(attacks()) >= {"ddn", "deepfool", "fmn", "hopskipjump", "pgd-l2", "pgd-linf"}


@EVERY
def test_bounds_hold_and_success_is_what_the_model_says(attack, linear, inputs):
    x, labels = inputs.clamp(-1, 1), linear(inputs.clamp(-1, 1)).argmax(1)
    found = attack(linear, x, labels, bounds=(-1, 1))
    assert found.success.any()
    assert found.perturbed.abs().max() <= 1
    np.testing.assert_array_equal(found.success, (linear(found.perturbed).argmax(1) != labels).numpy())
    order = np.inf if found.distance == "linf" else 2
    sizes = np.linalg.norm((found.perturbed - x).double().numpy(), order, axis=1)
    np.testing.assert_allclose(found.norms[found.success], sizes[found.success])
    np.testing.assert_allclose(found.relative, found.norms / np.linalg.norm(x.double().numpy(), order, axis=1))


@EVERY
def test_a_model_may_write_into_what_it_is_asked_about(attack, linear, inputs):
    class Writing(nn.Module):
        def forward(self, x):
            return linear(x.sub_(0.5).relu_())

    found, known = attack(Writing(), inputs), attack(lambda x: linear((x - 0.5).relu()), inputs)
    np.testing.assert_array_equal(found.norms, known.norms)
    assert torch.equal(found.perturbed, known.perturbed)


def test_an_author_cannot_break_the_bounds(linear, inputs):
    found = Careless()(linear, inputs, bounds=(inputs.min(), inputs.max()))
    assert found.perturbed.max() <= inputs.max()
    np.testing.assert_array_equal(found.success, (linear(torch.full_like(inputs, inputs.max())).argmax(1)
                                                  != linear(inputs).argmax(1)).numpy())


def test_bounds_may_differ_from_value_to_value(linear, inputs):
    low, high = inputs.amin(0), inputs.amax(0)
    found = fmn(linear, inputs, bounds=(low, high))
    assert ((found.perturbed >= low) & (found.perturbed <= high)).all()


@EVERY
def test_a_misclassified_sample_needs_nothing(attack, linear, inputs):
    labels = linear(inputs).argmax(1).numpy()
    labels[::2] = (labels[::2] + 1) % 5
    found = attack(linear, inputs, labels)
    assert found.initially_wrong[::2].all()
    assert not found.initially_wrong[1::2].any()
    assert (found.norms[::2] == 0).all()
    assert found.success[::2].all()
    assert ((found.forwards + found.backwards)[::2] == 1).all()
    assert torch.equal(found.perturbed[::2], inputs[::2])


@EVERY
def test_a_model_in_training_is_evaluated_and_left_as_it_was(attack, inputs):
    model = Net()
    model.layers[1].eval()  # frozen batch norm in a model that trains
    model.layers[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = attack(model, inputs)
    assert [m.training for m in model.modules()] == [True, True, True, False, True, True, True]
    assert [p.requires_grad for p in model.parameters()] == [False, True, True, True, True, True]
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    np.testing.assert_array_equal(found.norms, attack(model.eval(), inputs).norms)


def test_a_failing_model_is_left_as_it_was():
    model = Net()
    with pytest.raises(ValueError, match="expected inputs"):
        deepfool(model, torch.randn(4, 11))
    assert all(module.training for module in model.modules())


def test_existing_gradients_stay(inputs):
    model = Net()
    model(inputs).sum().backward()
    before = [p.grad.clone() for p in model.parameters()]
    ddn(model, inputs, steps=3)
    assert all(torch.equal(p.grad, b) for p, b in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_works_where_gradients_are_switched_off(context, linear, inputs):
    expected = deepfool(linear, inputs).norms
    with context():
        np.testing.assert_array_equal(deepfool(linear, inputs.clone()).norms, expected)


def test_inputs_of_any_layout_and_origin(linear, inputs):
    expected = deepfool(linear, inputs).norms
    strided = torch.stack([inputs, inputs], dim=2)[..., 0]
    assert not strided.is_contiguous()
    for same in (strided, inputs.numpy(), inputs.numpy()[::-1][::-1], inputs.double()):
        np.testing.assert_allclose(deepfool(linear, same).norms, expected, rtol=1e-5)


def test_pictures_in_channels_last(ordinary):
    x = ordinary.inputs[:20].repeat(1, 3, 1, 1)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.SiLU(), nn.Flatten(), nn.Linear(8 * 36, 5))
    plain = deepfool(net, x).norms
    np.testing.assert_allclose(deepfool(net, x.to(memory_format=torch.channels_last)).norms, plain, rtol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_models_get_what_they_take(dtype, linear, inputs):
    """The search is float32; what the model sees is rounded, and success is what it says of that."""
    true = linear_distances(linear, inputs)
    found = fmn(_as(linear, dtype), inputs.to(dtype))
    assert found.perturbed.dtype == torch.float32
    assert np.median(np.abs(found.norms / true - 1)) < 0.05


def _as(model, dtype):
    copy = nn.Linear(12, 5).to(dtype)
    copy.load_state_dict(model.state_dict())
    return copy


def test_half_precision_inputs_of_a_float32_model(linear, inputs):
    found = deepfool(linear, inputs.half())
    np.testing.assert_allclose(found.norms, deepfool(linear, inputs.half().float()).norms)


def test_a_double_model_is_searched_in_double(linear, inputs):
    found = deepfool(linear.double(), inputs)
    assert found.perturbed.dtype == torch.float64
    np.testing.assert_allclose(found.norms, 1.02 * (linear_distances(linear, inputs.double()) + 1e-4), rtol=1e-9)


def test_our_own_models_give_logits_and_latents(ordinary):
    pair, logits = deepfool(ordinary.model, ordinary.inputs), deepfool(ordinary.logits, ordinary.inputs)
    np.testing.assert_array_equal(pair.norms, logits.norms)


@pytest.mark.parametrize(("answer", "words"), [
    (lambda f: {"logits": f, "loss": None},
     r"expected logits \(N, K\), got a dict with keys logits, loss; pass a function that returns the logits, such as "
     r"lambda x: model\(x\)\['logits'\]"),
    (lambda f: (f, f), r"got a tuple of \(40, 5\), \(40, 5\); pass a function .* lambda x: model\(x\)\[0\]"),
    (lambda f: [f], r"got a list of \(40, 5\)"),
    (lambda f: f.detach().numpy(), "got a ndarray; pass a function"),
    (lambda f: f[:, 0], r"expected logits \(40, K\) with K ≥ 2, got \(40,\) float32; pass a function"),
    (lambda f: f[:, :1], r"expected logits \(40, K\) with K ≥ 2, got \(40, 1\) float32"),
    (lambda f: f[:3], r"expected logits \(40, K\) with K ≥ 2, got \(3, 5\)"),
    (lambda f: f.argmax(1, keepdim=True).expand(-1, 2), r"got \(40, 2\) int64"),
    (lambda f: f / 0, r"expected finite logits, got NaN or infinity for 40 of 40 inputs \(the first is row 0\)"),
    (lambda f: f.detach(), "expected logits that can be differentiated with respect to the inputs, got ones that are"),
])
def test_other_answers_are_refused(answer, words, linear, inputs):
    with pytest.raises(ValueError, match=words):
        deepfool(lambda x: answer(linear(x)), inputs)


def test_a_parameter_does_not_hide_a_cut(linear, inputs):
    with pytest.raises(ValueError, match="expected logits that can be differentiated with respect to the inputs"):
        deepfool(lambda x: linear(x.detach()), inputs)


@pytest.mark.parametrize(("given", "words"), [
    (torch.zeros(4, 12, dtype=torch.uint8),
     "expected inputs of floating-point numbers as the model takes them, got uint8; normalise them first"),
    (torch.zeros(12),
     r"expected inputs \(N, …\) of at least one sample, got \(12,\); a single sample needs a batch axis"),
    (torch.zeros(0, 12), r"got \(0, 12\)"),
    (torch.zeros(12, 0), r"got \(12, 0\)"),
    (torch.tensor([[0.0] * 12, [float("nan")] * 12]), r"NaN or infinity in 1 of 2 samples \(the first is row 1\)"),
    (torch.full((2, 12), torch.inf), "NaN or infinity in 2 of 2 samples"),
    (torch.zeros(4, 11),
     r"expected inputs \(N, …\) that the model takes, got \(4, 11\) float32, and it said: mat1 and mat2"),
    (torch.zeros(4, 12, dtype=torch.complex64), "got complex64"),
    (np.array([["a"] * 12]), "expected an array of numbers, got str"),
])
def test_other_inputs_are_refused(given, words, linear):
    with pytest.raises(ValueError, match=words):
        deepfool(linear, given)


@pytest.mark.parametrize(("labels", "words"), [
    (np.zeros(39, int), r"expected labels \(40,\), one per input, got \(39,\)"),
    (np.eye(5, dtype=int)[np.zeros(40, int)], r"one per input, got \(40, 5\); pass class numbers, not one-hot rows"),
    (np.full(40, 5), "expected labels from 0 to 4 for 5 logits, got 5 to 5"),
    (np.full(40, -1), "got -1 to -1"),
    (np.zeros(40), "expected labels as whole numbers 0…K−1, got float64"),
    (np.array(["cat"] * 40), "expected an array of numbers, got str"),
    (np.zeros(40, bool), "got bool"),
])
def test_other_labels_are_refused(labels, words, linear, inputs):
    with pytest.raises(ValueError, match=words):
        deepfool(linear, inputs, labels)


@pytest.mark.parametrize("labels", [[0] * 40, np.zeros(40, np.uint16), np.zeros(40, np.uint8), torch.zeros(40).int()])
def test_labels_of_any_whole_kind(labels, linear, inputs):
    np.testing.assert_array_equal(deepfool(linear, inputs, labels).labels, np.zeros(40))


@pytest.mark.parametrize(("bounds", "words"), [
    ((0, 1), r"expected inputs inside the bounds, got values from -.* for bounds from 0 to 1; give the bounds of the"),
    ((0, np.inf), r"expected inputs inside the bounds, got values from -.* for bounds from 0 to inf; give the"),
    ((5, -5), r"expected bounds with low < high, got \(5, -5\)"),
    ((-9, float("nan")), "expected bounds with low < high"),
    (3, r"expected bounds \(low, high\), got 3"),
    ((torch.full((7,), -9.0), 9), r"expected bounds that broadcast to one input \(12,\), got \(7,\) and \(\)"),
])
def test_other_bounds_are_refused(bounds, words, linear, inputs):
    with pytest.raises(ValueError, match=words):
        deepfool(linear, inputs, bounds=bounds)


def test_a_batch_needs_a_sample(linear, inputs):
    with pytest.raises(ValueError, match="expected batch_size ≥ 1, got 0"):
        deepfool(linear, inputs, batch_size=0)


def test_an_input_of_zeros_has_no_relative_norm(linear, inputs):
    x = torch.cat([torch.zeros(1, 12), inputs[:3]])
    found = fmn(linear, x)
    assert found.success.all()
    assert np.isnan(found.relative).tolist() == [True, False, False, False]


def test_answers_that_are_not_numbers_change_nothing(linear, inputs):
    """Away from the inputs the model breaks: NaN is no success, and PGD, DDN and FMN go on."""
    def breaks(x):
        return torch.where((x - inputs[:1]).norm(dim=1, keepdim=True) > 1e-6, torch.nan, 1.0) * linear(x)

    for attack in (deepfool, ddn, fmn, pgd_l2):
        found = attack(breaks, inputs[:1])
        assert not found.success.any()


def test_progress_rises_to_the_whole(linear, inputs):
    for attack in (deepfool, hopskipjump):
        seen = []
        attack(linear, inputs, batch_size=15, progress=lambda share, what, seen=seen: seen.append(share))
        assert seen[0] == 0
        assert seen[-1] == 1
        assert seen == sorted(seen)
