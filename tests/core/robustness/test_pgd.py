"""PGD: curves of a linear model in closed form, in both norms."""

import numpy as np
import pytest

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


def test_accuracy_at_zero_is_the_accuracy(linear, inputs):
    labels = linear(inputs).argmax(1)
    labels[:10] = (labels[:10] + 1) % 5
    assert pgd_l2(linear, inputs, labels, epsilons=(0.1,)).accuracy_at([0.0]) == pytest.approx([0.75])


def test_the_default_radii_are_shares_of_the_input(linear, inputs):
    found = pgd_l2(linear, inputs)
    assert found.success.any()
    assert (found.relative[found.success] <= 0.5).all()


@pytest.mark.parametrize("epsilons", [(0.2, 0.1), (0.0, 0.1)])
def test_epsilons_must_rise(linear, inputs, epsilons):
    with pytest.raises(ValueError, match="expected rising epsilons above 0"):
        pgd_linf(linear, inputs, epsilons=epsilons)
