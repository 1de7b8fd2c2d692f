"""DDN, FMN and HopSkipJump: known distances, foolbox, units, collapsed networks, models without gradients."""

import numpy as np
import pytest
import torch

from lpc_core.robustness import ddn, deepfool, fmn, hopskipjump
from tests.core.robustness._known import linear_distances, sphere_distances, the_package_foolbox

ATTACKS = {"ddn": (ddn, 0.02), "fmn": (fmn, 0.01), "hopskipjump": (hopskipjump, 0.15)}  # attack, relative error
EACH = pytest.mark.parametrize(("attack", "error"), ATTACKS.values(), ids=ATTACKS)


@EACH
def test_known_distances_of_a_linear_model(attack, error, linear, inputs):
    found, true = attack(lambda x: 50 * linear(x), inputs), linear_distances(linear, inputs)
    assert found.success.all()
    assert (found.norms >= true * (1 - 1e-5)).all()  # nothing is nearer than the boundary
    assert np.median(found.norms / true) < 1 + error


def test_cross_entropy_misses_the_nearest_of_several_boundaries(linear, inputs):
    """Logits that lie close together: DDN is led towards all other classes at once, FMN to the nearest."""
    true = linear_distances(linear, inputs)
    assert np.median(ddn(linear, inputs).norms / true) > 1.05
    assert np.median(fmn(linear, inputs).norms / true) < 1.01


@EACH
def test_known_distances_of_a_sphere(attack, error, sphere, inputs):
    """A curved boundary, samples on both sides."""
    x = inputs * torch.linspace(0.2, 1.5, 40)[:, None]
    found, true = attack(sphere, x), sphere_distances(x)
    assert found.success.all()
    assert (found.norms >= true * (1 - 1e-4) - 1e-6).all()
    assert np.median(found.norms / true) < 1 + error


@EACH
def test_the_unit_of_the_inputs_does_not_matter(attack, error, sphere, inputs):
    x = inputs[:10] * torch.linspace(0.2, 1.5, 10)[:, None]
    small, large = attack(sphere, x), attack(lambda x: sphere(x / 1000), 1000 * x)
    assert np.median(large.norms / small.norms) == pytest.approx(1000, rel=error)
    np.testing.assert_allclose(large.relative, small.relative, rtol=10 * error)


def test_ddn_is_foolboxes_or_better(collapsed):
    """All inputs have norm 8 and our first radius is an eighth of it: the 1 that foolbox has for radius and step."""
    foolbox = the_package_foolbox()
    x = collapsed.inputs * (8 / collapsed.inputs.flatten(1).norm(dim=1)).view(-1, 1, 1, 1)
    y = collapsed.logits(x).argmax(1)
    model = foolbox.PyTorchModel(torch.nn.Sequential(collapsed.model, _First()).eval(), bounds=(-60, 60), device="cpu")
    _, perturbed, _ = foolbox.attacks.DDNAttack(steps=100, init_epsilon=1.0, gamma=0.05)(model, x, y, epsilons=None)
    ratio = ddn(collapsed.model, x, y, steps=100, start=1 / 8).norms / (perturbed - x).flatten(1).norm(dim=1).numpy()
    assert np.median(ratio) == pytest.approx(1, abs=1e-4)
    assert (np.abs(ratio - 1) < 1e-3).mean() > 0.5
    assert ratio.mean() < 1.01


class _First(torch.nn.Module):
    def forward(self, answer):
        return answer[0]


@pytest.mark.parametrize("attack", [ddn, fmn])
def test_a_confident_softmax_hides_nothing(attack, ordinary):
    """Logits a thousand times as large: cross-entropy's float32 gradient is 0 almost everywhere, the answers equal."""
    plain = attack(ordinary.logits, ordinary.inputs[:40], steps=60)
    sure = attack(lambda x: 1000 * ordinary.logits(x), ordinary.inputs[:40], steps=60)
    assert sure.success.all()
    if attack is fmn:
        np.testing.assert_allclose(sure.norms, plain.norms, rtol=1e-2)
    else:  # cross-entropy of larger logits has another direction: that of the nearest rival alone
        assert np.median(sure.norms / plain.norms) < 1.15


def test_deepfool_overstates_a_collapsed_network(collapsed):
    """PAPER.md, finding 4: even an attack that sees decisions only finds far smaller perturbations."""
    x, y = collapsed.inputs, collapsed.labels
    theirs = np.median(deepfool(collapsed.model, x, y).norms)
    for attack in (ddn, fmn, hopskipjump):
        assert np.median(attack(collapsed.model, x, y).norms) < theirs / 1.5


def test_fmn_walks_back_from_another_class(collapsed):
    """From the input alone it misses boundaries that the attack without gradients finds; from both ends it does not."""
    x, y = collapsed.inputs, collapsed.labels
    strong, blind = fmn(collapsed.model, x, y), hopskipjump(collapsed.model, x, y)
    assert (blind.norms < 0.95 * strong.norms).mean() < 0.05


def test_without_gradients_only_decisions_count(linear, inputs):
    @torch.no_grad()
    def decisions(x):
        return torch.nn.functional.one_hot(linear(x).argmax(1), 5).float()

    seen, whole = hopskipjump(decisions, inputs), hopskipjump(linear, inputs)
    np.testing.assert_array_equal(seen.norms, whole.norms)
    assert (seen.backwards == 0).all()


def test_every_query_is_counted(linear, inputs):
    asked = []

    def counted(x):
        asked.append(len(x))
        return linear(x)

    for attack in (ddn, fmn, hopskipjump):
        asked.clear()
        assert attack(counted, inputs).forwards.sum() == sum(asked)


def test_a_seed_gives_a_result(sphere, inputs):
    one, again, other = (hopskipjump(sphere, inputs, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.norms, again.norms)
    assert (one.norms != other.norms).any()


def test_noise_is_the_start_where_no_input_has_another_class(sphere, inputs):
    inside = inputs / inputs.norm(dim=1, keepdim=True)
    found = hopskipjump(sphere, inside)
    assert found.success.all()
    assert np.median(found.norms) == pytest.approx(1, rel=0.2)


@pytest.mark.parametrize("attack", [ddn, fmn, hopskipjump])
def test_a_constant_model_cannot_be_changed(attack, inputs):
    found = attack(lambda x: torch.tensor([1.0, 0.0]) + 0 * x[:, :2], inputs[:6])
    assert not found.success.any()
    assert np.isinf(found.norms).all()


@pytest.mark.parametrize("attack", [ddn, fmn])
def test_a_flat_tie_at_the_input_sends_no_attack_to_what_is_no_number(attack):
    """Two logits of 0 within the unit sphere: neither a margin nor a gradient."""
    def well(x):
        assert x.isfinite().all()
        return torch.stack([0 * x[:, 0], (x.norm(dim=1) - 1).relu()], dim=1)

    x = 0.1 * torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    found = attack(well, x)
    assert found.success.any()
    assert (found.norms[found.success] < 3).all()


@pytest.mark.parametrize(("call", "words"), [
    (lambda m, x: ddn(m, x, steps=0), "expected steps ≥ 1, start > 0 and gamma between 0 and 1, got 0, 0.05, 0.05"),
    (lambda m, x: ddn(m, x, start=np.nan), "expected steps ≥ 1, start > 0 and .* 0 and 1, got 300, nan, 0.05"),
    (lambda m, x: fmn(m, x, gamma=2.0), "expected steps ≥ 1 and gamma from 0.001 to 1, got 150, 2.0"),
    (lambda m, x: hopskipjump(m, x, probes=1), "expected iterations ≥ 0 and probes ≥ 2, got 15, 1"),
])
def test_settings_are_checked(linear, inputs, call, words):
    with pytest.raises(ValueError, match=words):
        call(linear, inputs)
