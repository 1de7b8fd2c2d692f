"""PGD: curves of a linear model in closed form, in both norms."""

import numpy as np
import pytest
import torch

from lpc_core.robustness import pgd_l2, pgd_linf
from tests.core.robustness._known import linear_distances

EPSILONS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


@pytest.mark.parametrize(("attack", "dual"), [(pgd_l2, 2), (pgd_linf, 1)], ids=["l2", "linf"])
def test_the_curve_of_a_linear_model(attack, dual, linear, inputs):
    """Against the nearest rival alone PGD is exact; at a corner of several it may stay a few per cent short."""
    found, true = attack(linear, inputs, epsilons=EPSILONS), linear_distances(linear, inputs, dual)
    certain = (true[:, None] > np.array(EPSILONS)).mean(axis=0)
    curve = found.accuracy_at(EPSILONS)
    assert (curve >= certain).all()
    np.testing.assert_allclose(curve, certain, atol=0.051)
    assert (np.diff(curve) <= 0).all()


@pytest.mark.parametrize("attack", [pgd_l2, pgd_linf])
def test_no_perturbation_is_larger_than_its_epsilon(attack, linear, inputs):
    found = attack(linear, inputs, epsilons=(0.3,))
    assert (found.norms[found.success] <= 0.3).all()
    assert np.isinf(found.norms[~found.success]).all()


@pytest.mark.parametrize("attack", [pgd_l2, pgd_linf])
@pytest.mark.parametrize("scale", [1.0, 255.0, 1e4])
def test_rounding_of_large_inputs_does_not_make_a_sample_stand(attack, scale):
    """A found perturbation counts at its ε however coarse the inputs' own numbers are beside it."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16 * 16, 10))
    x = scale * torch.rand(200, 3, 16, 16)
    epsilons = scale * np.array((4e-4, 2e-3) if attack is pgd_linf else (1e-2, 4e-2))
    found = attack(model, x, epsilons=tuple(epsilons))
    assert 0.1 < found.success.mean() < 1
    assert found.accuracy_at(epsilons[-1:]) == pytest.approx(1 - found.success.mean())
    first = attack(model, x, epsilons=tuple(epsilons[:1]))
    assert found.accuracy_at(epsilons[:1]) == pytest.approx(1 - first.success.mean(), abs=0.01)


def test_accuracy_at_zero_is_the_accuracy(linear, inputs):
    labels = linear(inputs).argmax(1)
    labels[:10] = (labels[:10] + 1) % 5
    assert pgd_l2(linear, inputs, labels, epsilons=(0.1,)).accuracy_at([0.0]) == pytest.approx([0.75])


def test_the_default_radii_are_shares_of_the_input(linear, inputs):
    found = pgd_l2(linear, inputs)
    assert found.success.any()
    assert (found.relative[found.success] <= 0.5).all()


@pytest.mark.parametrize("epsilons", [(0.2, 0.1), (0.0, 0.1), (0.1, np.inf), (0.1, np.nan)])
def test_epsilons_must_rise(linear, inputs, epsilons):
    with pytest.raises(ValueError, match="expected rising epsilons above 0"):
        pgd_linf(linear, inputs, epsilons=epsilons)
